//! A component with a provider behind it whose API differs from the client's.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use gateway::http::headers::passes_to_client;
use gateway::http::target::raw_path;
use gateway::limits::reservation::Denied;
use gateway::log::Entry;
use gateway::translator::{
    Chunks, Context, EventStream, InFlight, Translated, Translator, Transport, UpstreamResponse,
};
use gateway::usage::Usage;
use gateway::usage::observer::Observer;
use gateway::{
    AiGateway, Dialect, Error, Head, LimitedModels, Operator, Outbound, Request, Response, Team,
};
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};
use wasi::io::streams::StreamError;

use crate::auth::admit;
use crate::body::{BodyReader, BodyWriter, Progress, upstream_failure};
use crate::host::{self, kept};
use crate::meter::{SharedMeter, limited, when_limited};
use crate::request::ClientRequest;
use crate::response::{Sent, StreamBody};
use crate::serve::{Handler, RequestContext, serve};
use crate::upstream;

/// The component that translates for `T`.
#[derive(Debug)]
pub struct TranslatorComponent<T>(PhantomData<T>);

/// Sends a translator's requests to the AI Gateway, and notes them in the log entry.
struct SpinTransport<'a> {
    ai_gateway: &'a AiGateway<'a>,
    request_context: &'a RequestContext,
    entry: RefCell<&'a mut Entry>,
    meter: &'a SharedMeter,
    /// The client's path and body, for the estimate of what it uses.
    client: (&'a str, &'a [u8]),
    provider: &'static str,
    team: &'a Team,
    limited_models: &'a LimitedModels,
    /// Whether a budget is used up that leads to the models of limited teams.
    is_limited: Cell<bool>,
    /// Whether the translator has noted what the log shows of the response.
    is_noted: Cell<bool>,
}

/// A body as the host provides it.
struct SpinChunks(BodyReader);

/// A translated body, and what the client has yet to be sent of it.
pub(crate) struct TranslatedBody {
    events: EventStream,
    /// Bytes that are written before the next event is awaited. One buffer serves the whole stream.
    pending: Vec<u8>,
    /// How the body ends, once that is known.
    end: Option<Result<(), Error>>,
    meter: SharedMeter,
    /// Reads what the log says of a response that is not counted.
    observer: Option<Observer>,
}

impl<T: Translator> Guest for TranslatorComponent<T> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        serve::<Self>(request, out);
    }
}

impl<T: Translator> Handler for TranslatorComponent<T> {
    const SLUG: &'static str = T::SLUG;

    const COUNTS: bool = true;

    type Stream = TranslatedBody;

    fn dialect(head: &Head) -> Dialect {
        T::dialect(raw_path(&head.path_with_query, T::SLUG))
    }

    /// Follows the steps of ARCHITECTURE.md: key, team and settings, body. The rest is the
    /// translator's.
    fn respond(
        request: &ClientRequest,
        head: Head,
        request_context: &RequestContext,
        entry: &mut Entry,
        meter: &SharedMeter,
    ) -> Result<Sent<TranslatedBody>, Error> {
        admit(head, T::SLUG, request_context, entry, |head, team, operator, entry| {
            meter.open(T::SLUG, team, operator)?;
            let body = request.read_text(&head, operator.ai_gateway.max_body)?;
            let path = head.path_with_query.split('?').next().unwrap_or_default();
            let body = meter.ask_for_usage(path, body)?;
            let request = Request { head, body };
            match translate::<T>(&request, team, operator, request_context, entry, meter) {
                Err(Denied::Limited) => {
                    let (team, limited_models) = limited(team)?;
                    let operator = Operator { limited_models: &limited_models, ..*operator };
                    let sent =
                        translate::<T>(&request, &team, &operator, request_context, entry, meter);
                    sent.map_err(Denied::into_error)
                }
                sent => sent.map_err(Denied::into_error),
            }
        })
    }
}

/// Returns a model's name as it is: a translator writes nothing around it.
fn own_name(model: &str) -> &str {
    model
}

/// Translates a request for `team`. A budget that is used up may lead to the models of limited teams.
fn translate<T: Translator>(
    request: &Request,
    team: &Team,
    operator: &Operator<'_>,
    request_context: &RequestContext,
    entry: &mut Entry,
    meter: &SharedMeter,
) -> Result<Sent<TranslatedBody>, Denied> {
    let path = request.head.path_with_query.split('?').next().unwrap_or_default();
    let transport = SpinTransport {
        ai_gateway: operator.ai_gateway,
        request_context,
        entry: RefCell::new(entry),
        meter,
        client: (path, &request.body),
        provider: T::SLUG,
        team,
        limited_models: operator.limited_models,
        is_limited: Cell::default(),
        is_noted: Cell::default(),
    };
    let model_setting = &host::model_setting;
    let now = request_context.now;
    let context = Context { team, operator, model_setting, now, transport: &transport };
    match T::respond(request, &context) {
        Ok(Translated::Whole(response)) => {
            if !transport.is_noted.get()
                && let Some(mut observer) = observer(meter)
            {
                observer.push(&response.body);
                transport.entry.borrow_mut().note_observed(&observer);
            }
            Ok(Sent::Whole(response))
        }
        Ok(Translated::Stream(Response { status, headers, body: events })) => {
            let (pending, observer, meter) = (Vec::new(), observer(meter), meter.clone());
            let body = TranslatedBody { events, pending, end: None, meter, observer };
            Ok(Sent::Stream(Response { status, headers, body }))
        }
        Err(_) if transport.is_limited.get() => Err(Denied::Limited),
        Err(error) => Err(Denied::Refused(error)),
    }
}

/// Returns an observer of a response that is not counted, for the log: it passes through here anyway.
fn observer(meter: &SharedMeter) -> Option<Observer> {
    (!meter.is_counting()).then(Observer::default)
}

impl TranslatedBody {
    /// Counts the bytes, and returns those that the client gets.
    fn pass(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if let Some(observer) = &mut self.observer {
            observer.push_events(&bytes);
        }
        self.meter.push(bytes)
    }
}

impl StreamBody for TranslatedBody {
    fn start(&mut self, writer: &BodyWriter) -> Result<Progress, Error> {
        let first = std::mem::take(&mut self.events.first);
        self.pending = self.pass(first);
        let length = self.pending.len();
        let rest = writer.write_ready(&self.pending).len();
        self.pending.drain(..length - rest);
        Ok(Progress::Bytes(length as u64))
    }

    fn advance(&mut self, writer: &BodyWriter) -> Result<Progress, Error> {
        if let Some(end) = self.end.take() {
            return end.map(|()| Progress::Ended);
        }
        // What the first write left over: now the client reads, so waiting for it makes sense.
        if writer.write_all(&self.pending).is_err() || !self.events.wait(&|| writer.has_reader()) {
            return Ok(Progress::Disconnected);
        }
        // An error comes after the bytes that were translated before it, so those are sent first.
        match self.events.next(&mut self.pending) {
            Ok(true) => {}
            Ok(false) => self.end = Some(Ok(())),
            Err(error) => self.end = Some(Err(error)),
        }
        let translated = std::mem::take(&mut self.pending);
        self.pending = self.pass(translated);
        if self.end.is_some() {
            self.pending.append(&mut self.meter.finish());
        }
        let bytes = self.pending.len() as u64;
        let written = writer.write_all(&self.pending);
        self.pending.clear();
        Ok(written.map_or(Progress::Disconnected, |()| Progress::Bytes(bytes)))
    }

    fn note(&self, entry: &mut Entry) {
        if let Some(observer) = &self.observer {
            entry.note_observed(observer);
        }
    }
}

impl Transport for SpinTransport<'_> {
    fn start(&self, outbound: Outbound) -> Result<InFlight<'_>, Error> {
        self.entry.borrow_mut().note_outbound(&outbound);
        let when_limited =
            when_limited(self.provider, self.team, self.limited_models, &outbound, own_name);
        let reserved = self.meter.reserve(&outbound, Some(self.client), own_name, when_limited);
        if let Err(denied) = reserved {
            self.is_limited.set(matches!(denied, Denied::Limited));
            return Err(denied.into_error());
        }
        let before = self.request_context.start.micros();
        let in_flight = upstream::start(outbound, self.ai_gateway)?;
        Ok(Box::new(move || {
            let response = in_flight.wait();
            let mut entry = self.entry.borrow_mut();
            entry.note_upstream(before, self.request_context.start.micros());
            let response = kept(response?);
            let (status, mut headers) = upstream::read_head(&response, &mut entry)?;
            self.meter.note_head(status, &headers);
            headers.retain(passes_to_client);
            let body = upstream::read_body(&response)?.of_length(headers.content_length());
            let body = Box::new(SpinChunks(body));
            Ok(UpstreamResponse { status, headers, body })
        }))
    }

    fn note_retry(&self, error: &Error) {
        let mut entry = self.entry.borrow_mut();
        let before = entry.retried.take();
        let errors: Vec<_> = before.into_iter().chain([error.to_string()]).collect();
        entry.retried = Some(errors.join("; "));
    }

    fn note_ignored(&self, names: String) {
        self.entry.borrow_mut().ignored = Some(names);
    }

    fn note_completion(&self, finish_reason: Option<&'static str>, usage: Option<Usage>) {
        self.is_noted.set(true);
        // What is counted is noted when it is settled.
        if !self.meter.is_counting() {
            let finish_reason = finish_reason.map(ToOwned::to_owned);
            self.entry.borrow_mut().note_completion(finish_reason, usage);
        }
    }
}

impl Chunks for SpinChunks {
    fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.0.next_blocking() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(error)) => Err(upstream_failure(&error)),
        }
    }

    fn wait(&self, is_wanted: &dyn Fn() -> bool) -> bool {
        self.0.wait(is_wanted)
    }
}
