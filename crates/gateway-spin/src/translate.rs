//! A component with a provider behind it that speaks another language than the client.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::time::SystemTime;

use gateway::error::Cause;
use gateway::headers::passes_to_client;
use gateway::log::Entry;
use gateway::outbound::{Outbound, Rules};
use gateway::service::Call;
use gateway::settings::Gateway;
use gateway::translator::{Answer, Chunks, Context, Pending, Response, Stream, Translator, Wire};
use gateway::{Dialect, Error, Headers, time};
use http::StatusCode;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, IncomingResponse, ResponseOutparam};
use wasi::io::streams::StreamError;

use crate::access::authenticate;
use crate::host::{self, Moment};
use crate::inbound::{CHUNK, Head, Incoming, read_whole};
use crate::relay::{self, Client};
use crate::send;
use crate::sink::Sink;

/// The component that translates for `T`.
#[derive(Debug)]
pub struct Translate<T>(PhantomData<T>);

/// The way to the AI Gateway, noting what happens on it.
struct SpinWire<'a> {
    gateway: &'a Gateway<'a>,
    start: Moment,
    entry: &'a RefCell<Entry>,
}

/// A body as the host gives it.
struct SpinChunks(Incoming);

impl<T: Translator> Guest for Translate<T> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let start = Moment::now();
        let now = host::time();
        let mut entry = RefCell::new(Entry::new(T::SLUG, time::rfc3339(now)));
        let head = Head::read(&request);
        let client = Client::new(out, &head.method, Dialect::OpenAi);
        let answer = translate::<T>(&request, head, (start, now), &entry);
        match answer {
            Ok(Answer::Whole(reply)) => {
                client.answer(Ok(relay::Answer::Whole(reply)), entry.get_mut());
            }
            Ok(Answer::Stream(stream)) => send_events(client, stream, entry.get_mut()),
            Err(error) => client.refuse(&error, entry.get_mut()),
        }
        let mut entry = entry.into_inner();
        entry.total_ms = start.millis();
        host::log(&entry.to_line());
    }
}

/// The way of a request: key, team, settings, body, and then what the translator makes of it.
fn translate<T: Translator>(
    request: &IncomingRequest,
    head: Head,
    (start, now): (Moment, SystemTime),
    entry: &RefCell<Entry>,
) -> Result<Answer, Error> {
    let team = authenticate(&head.headers, &mut entry.borrow_mut())?;
    let settings = host::settings()?;
    let gateway = settings.gateway()?;
    let limited_models = host::limited_models(&team)?;
    let rules = Rules { settings: &settings, gateway: &gateway, limited_models: &limited_models };
    let wire = SpinWire { gateway: &gateway, start, entry };
    let body = read_whole(request, &head.headers, gateway.max_body)?;
    let Head { method, path_with_query, headers } = head;
    let call = Call { method, path_with_query, headers, body };
    let variable = &host::variable;
    T::answer(&call, &Context { team: &team, rules: &rules, variable, now, wire: &wire })
}

/// Sends a translated stream: its head together with what is known of it, the rest as it comes.
fn send_events(client: Client, mut stream: Stream, entry: &mut Entry) {
    let opened = relay::head(StatusCode::OK, std::mem::take(&mut stream.headers))
        .and_then(|response| Ok((Sink::open(response.body())?, response)));
    let (sink, response) = match opened {
        Ok(opened) => opened,
        Err(error) => return client.refuse(&error, entry),
    };
    entry.status = StatusCode::OK.as_u16();
    let first = std::mem::take(&mut stream.first);
    let rest = sink.write_ready(&first);
    ResponseOutparam::set(client.out, Ok(response));
    entry.bytes = first.len() as u64;
    match sink.write_all(rest).and_then(|()| copy_events(stream, &sink, entry)) {
        Err(_) => entry.note_client_gone(),
        Ok(Ok(())) => drop(sink.finish()),
        Ok(Err(error)) => {
            entry.note_error(&error);
            if sink.write_all(&client.dialect.event(&error)).is_ok() {
                drop(sink.finish());
            }
        }
    }
}

/// Moves what is left of `stream`. The outer error is the client's leaving, the inner the stream's.
fn copy_events(
    mut stream: Stream,
    sink: &Sink,
    entry: &mut Entry,
) -> Result<Result<(), Error>, StreamError> {
    let mut out = Vec::new();
    loop {
        if !stream.body.wait(&|| sink.has_reader()) {
            return Err(StreamError::Closed);
        }
        let outcome = stream.next(&mut out);
        sink.write_all(&out)?;
        entry.bytes += out.len() as u64;
        match outcome {
            Ok(true) => {}
            ended => return Ok(ended.map(drop)),
        }
    }
}

impl Wire for SpinWire<'_> {
    fn start(&self, outbound: Outbound) -> Result<Pending<'_>, Error> {
        self.entry.borrow_mut().note_outbound(&outbound);
        let under_way = send::start(outbound, self.gateway)?;
        Ok(Box::new(move || {
            let response = read(&under_way.wait()?)?;
            let mut entry = self.entry.borrow_mut();
            entry.head_ms = Some(self.start.millis());
            entry.upstream_status = Some(response.status.as_u16());
            let log_id = response.headers.get_str("cf-aig-log-id").map(ToOwned::to_owned);
            entry.cf_aig_log_id = log_id;
            Ok(response)
        }))
    }

    fn note_retry(&self, error: &Error) {
        self.entry.borrow_mut().retried = Some(error.to_string());
    }
}

impl Chunks for SpinChunks {
    fn wait(&self, is_wanted: &dyn Fn() -> bool) -> bool {
        self.0.wait(is_wanted)
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.0.stream.blocking_read(CHUNK) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(error)) => {
                Err(Error::interrupted(error.to_debug_string()))
            }
        }
    }
}

/// The head of `upstream`'s answer, and the way to its body.
fn read(upstream: &IncomingResponse) -> Result<Response, Error> {
    let status = StatusCode::from_u16(upstream.status())
        .map_err(|error| Error::interrupted(error.to_string()))?;
    let mut headers = Headers::from_list(upstream.headers().entries());
    headers.retain(passes_to_client);
    let body = upstream
        .consume()
        .map_err(|()| Error::Internal(Cause("the response was taken already".to_owned())))?;
    Ok(Response { status, headers, body: Box::new(SpinChunks(Incoming::new(body)?)) })
}
