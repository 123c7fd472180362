//! A component with a provider behind it: the request passes through, and so does the response.

use std::marker::PhantomData;

use gateway::edit::{Reading, check_error};
use gateway::http::body::Body;
use gateway::http::headers::passes_to_client;
use gateway::http::target::raw_path;
use gateway::limits::reservation::Denied;
use gateway::log::Entry;
use gateway::models::echo::ModelEcho;
use gateway::models::{list, vectors};
use gateway::{
    Dialect, Error, Head, Headers, Operator, Outbound, Provider, Request, Response, Team,
    ai_gateway,
};
use http::StatusCode;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, IncomingResponse, ResponseOutparam};
use wasi::io::streams::StreamError;

use crate::auth::admit;
use crate::body::{BodyReader, BodyWriter, Filter, Progress, Read, Spliced, upstream_failure};
use crate::host::kept;
use crate::meter::{SharedMeter, limited, when_limited};
use crate::request::ClientRequest;
use crate::response::{Sent, StreamBody};
use crate::serve::{Handler, RequestContext, serve};
use crate::upstream;

/// The component that forwards requests to `P`.
#[derive(Debug)]
pub struct ProviderComponent<P>(PhantomData<P>);

/// An upstream's body that passes through.
pub(crate) enum PassThrough {
    /// The host moves it.
    Spliced(Spliced),
    /// It is read or edited on its way.
    Filtered(BodyReader, StreamFilter),
}

/// What is done with the bytes of a body on their way.
pub(crate) struct StreamFilter {
    meter: SharedMeter,
    echo: Option<ModelEcho>,
}

impl<P: Provider> Guest for ProviderComponent<P> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        serve::<Self>(request, out);
    }
}

impl<P: Provider> Handler for ProviderComponent<P> {
    const SLUG: &'static str = P::SLUG;

    const COUNTS: bool = true;

    type Stream = PassThrough;

    fn dialect(head: &Head) -> Dialect {
        P::dialect(raw_path(&head.path_with_query, P::SLUG), &head.headers)
    }

    /// Follows the steps of ARCHITECTURE.md: key, team and settings, body, upstream, response.
    fn respond(
        request: &ClientRequest,
        head: Head,
        request_context: &RequestContext,
        entry: &mut Entry,
        meter: &SharedMeter,
    ) -> Result<Sent<PassThrough>, Error> {
        admit(head, P::SLUG, request_context, entry, |head, team, operator, entry| {
            meter.open(P::SLUG, team, operator)?;
            let plan = Outbound::plan_body::<P>(&head, team, operator, meter.enforces_use());
            // The body is read after authentication: a client without a key costs no memory.
            let (body, upload) = request.read_body(&head.headers, plan, operator.ai_gateway)?;
            let method = head.method.clone();
            let mut outbound = outbound::<P>(Request { head, body }, team, operator, meter)?;
            entry.note_outbound(&outbound);
            let edit = std::mem::take(&mut outbound.edit);
            let before = request_context.start.micros();
            let response = upstream::send(outbound, operator.ai_gateway, upload.as_ref());
            entry.note_upstream(before, request_context.start.micros());
            let response = kept(response?);
            let (status, headers) = upstream::read_head(&response, entry)?;
            meter.note_head(status, &headers);
            let reading = edit.reading(&method, status, &headers);
            read_response(&response, status, headers, reading, meter)
        })
    }
}

/// Creates the request that is sent, and reserves what it may use. A budget that is used up may lead to
/// the models of limited teams.
fn outbound<P: Provider>(
    request: Request<Body>,
    team: &Team,
    operator: &Operator<'_>,
    meter: &SharedMeter,
) -> Result<Outbound, Error> {
    let again = meter.may_limit().then(|| request.clone());
    let reserve = |request, team: &Team, operator: &Operator<'_>| {
        let outbound = Outbound::new::<P>(request, team, operator, meter.is_counting());
        let outbound = outbound.map_err(Denied::Refused)?;
        let models = operator.limited_models;
        let when_limited = when_limited(P::SLUG, team, models, &outbound, P::bare_model);
        meter.reserve(&outbound, None, P::bare_model, when_limited)?;
        Ok(outbound)
    };
    match (reserve(request, team, operator), again) {
        (Err(Denied::Limited), Some(request)) => {
            let (team, limited_models) = limited(team)?;
            let operator = Operator { limited_models: &limited_models, ..*operator };
            reserve(request, &team, &operator).map_err(Denied::into_error)
        }
        (outcome, _) => outcome.map_err(Denied::into_error),
    }
}

/// Reads the upstream's response as far as `reading` needs it.
fn read_response(
    upstream: &IncomingResponse,
    status: StatusCode,
    mut headers: Headers,
    reading: Reading,
    meter: &SharedMeter,
) -> Result<Sent<PassThrough>, Error> {
    headers.retain(passes_to_client);
    if matches!(reading, Reading::Bodiless) {
        return Ok(Sent::Whole(Response { status, headers, body: Vec::new() }));
    }
    let body = upstream::read_body(upstream)?.of_length(headers.content_length());
    match reading {
        Reading::Error { may_be_long } => {
            match read_all(&body, ai_gateway::error::MAX_BYTES)? {
                Read::Whole(body) => check_error(status, headers, body).map(Sent::Whole),
                Read::Part(_) if !may_be_long => Err(Error::invalid_response(
                    "an error that is too long, in place of a list of models",
                )),
                // Longer than any error of the AI Gateway: what was read is sent before the rest.
                Read::Part(start) => {
                    let body = PassThrough::Spliced(Spliced::new(start, body));
                    Ok(Sent::Stream(Response { status, headers, body }))
                }
            }
        }
        Reading::List(filter) => match read_all(&body, list::MAX_BYTES)? {
            Read::Whole(body) => {
                let body = filter.apply(&body)?;
                Ok(Sent::Whole(Response::passed(status, headers, body)))
            }
            Read::Part(_) => Err(Error::invalid_response("the list of models is too long")),
        },
        Reading::Vectors => match read_all(&body, vectors::MAX_BYTES)? {
            Read::Whole(body) => {
                Ok(Sent::Whole(Response::passed(status, headers, vectors::encode(body))))
            }
            Read::Part(_) => Err(Error::invalid_response("the embeddings are too long")),
        },
        Reading::Bodiless => Ok(stream(status, headers, body, None)),
        Reading::Stream(echo) => {
            let reads = meter.reads(&headers);
            if echo.is_some() || reads && meter.edits() {
                // An edit changes the length, which is not known before the end.
                headers.retain(|name| name != "content-length");
            }
            let meter = if reads { meter.clone() } else { SharedMeter::default() };
            let filter = (reads || echo.is_some()).then_some(StreamFilter { meter, echo });
            Ok(stream(status, headers, body, filter))
        }
    }
}

/// Reads to the end of a body, or a little beyond `limit`.
fn read_all(body: &BodyReader, limit: u64) -> Result<Read, Error> {
    match body.read(limit, None) {
        Ok(read) => Ok(read),
        Err(StreamError::LastOperationFailed(error)) => Err(upstream_failure(&error)),
        Err(StreamError::Closed) => Err(Error::interrupted("closed")),
    }
}

fn stream(
    status: StatusCode,
    headers: Headers,
    rest: BodyReader,
    filter: Option<StreamFilter>,
) -> Sent<PassThrough> {
    let body = match filter {
        Some(filter) => PassThrough::Filtered(rest, filter),
        None => PassThrough::Spliced(Spliced::new(Vec::new(), rest)),
    };
    Sent::Stream(Response { status, headers, body })
}

impl StreamBody for PassThrough {
    fn start(&mut self, writer: &BodyWriter) -> Result<Progress, Error> {
        match self {
            Self::Spliced(body) => body.start(writer),
            Self::Filtered(..) => self.advance(writer),
        }
    }

    fn advance(&mut self, writer: &BodyWriter) -> Result<Progress, Error> {
        match self {
            Self::Spliced(body) => body.advance(writer),
            Self::Filtered(body, filter) => {
                writer.copy_chunk(body, filter).map_err(|error| upstream_failure(&error))
            }
        }
    }
}

impl Filter for StreamFilter {
    // The usage comes first: it is counted before any of it is taken out.
    fn push(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let bytes = self.meter.push(bytes);
        match &mut self.echo {
            Some(echo) => echo.push(&bytes),
            None => bytes,
        }
    }

    fn finish(&mut self) -> Vec<u8> {
        let rest = self.meter.finish();
        match &mut self.echo {
            Some(echo) => [echo.push(&rest), echo.finish()].concat(),
            None => rest,
        }
    }
}
