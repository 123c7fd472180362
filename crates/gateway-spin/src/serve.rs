//! The path of every request, whatever kind of component serves it.

use std::time::SystemTime;

use gateway::http::cors::Cors;
use gateway::http::trace::{self, REQUEST_ID};
use gateway::log::Entry;
use gateway::router::{self, ALIAS_HEADER};
use gateway::{Dialect, Error, Head};
use wasi::http::types::{IncomingRequest, ResponseOutparam};

use crate::host::{self, Instant, OwnSettings};
use crate::meter::SharedMeter;
use crate::request::ClientRequest;
use crate::response::{Responder, Sent, StreamBody, Timing};

/// What differs between the kinds of component.
pub(crate) trait Handler {
    /// Component id and log name.
    const SLUG: &'static str;

    /// The names of its own time, and of what it waits for, in the header `server-timing`.
    const TIMING: [&'static str; 2] = ["gateway", "upstream"];

    /// Whether pages of other origins may call it, by the operator's setting.
    const HAS_CORS: bool = true;

    /// Whether its requests may be counted. What no component of its kind uses is not in its file.
    const COUNTS: bool = false;

    /// The body of a response that is streamed.
    type Stream: StreamBody;

    /// Returns the envelope of errors for the request with this `head`.
    fn dialect(_head: &Head) -> Dialect {
        Dialect::OpenAi
    }

    /// Returns the response to `request`, notes in `entry` what the log shows of it, and counts it with
    /// `meter` if it has to be counted.
    ///
    /// # Errors
    /// Any situation in which the gateway responds with an error.
    fn respond(
        request: &ClientRequest,
        head: Head,
        request_context: &RequestContext,
        entry: &mut Entry,
        meter: &SharedMeter,
    ) -> Result<Sent<Self::Stream>, Error>;
}

/// The times and the settings with which one request is served.
pub(crate) struct RequestContext {
    /// When it was received, for durations.
    pub(crate) start: Instant,
    /// The time of day.
    pub(crate) now: SystemTime,
    /// The same, RFC 3339.
    pub(crate) time: String,
    /// The settings of the component.
    pub(crate) settings: OwnSettings,
}

/// Serves one request: reads its head, sends one response and writes one log line.
pub(crate) fn serve<H: Handler>(request: IncomingRequest, out: ResponseOutparam) {
    // The clock is read first, so that the log's durations include everything below.
    let start = Instant::now();
    let now = host::time();
    let (time, settings) = (gateway::keys::time::rfc3339(now), OwnSettings::default());
    let request_context = RequestContext { start, now, time, settings };
    let mut entry = Entry::new(H::SLUG, request_context.time.clone());
    let request = ClientRequest::new(request);
    let mut head = request.head();
    let id = trace::request_id(&head.headers, host::random_id);
    entry.note_request(&head.path_with_query, &head.headers, &id);
    head.headers.set(REQUEST_ID, id);
    let may_have_body = head.may_have_body();
    let cors = if H::HAS_CORS { request_context.settings.cors(&head) } else { None };
    // The responder exists before anything can fail, so that every failure is a response.
    let timing = Timing { names: H::TIMING, start };
    let mut responder = Responder::new(out, &head.method, H::dialect(&head), cors.clone(), timing);
    let is_attempt = head.headers.get(ALIAS_HEADER).is_some();
    let meter = SharedMeter::default();
    // A browser sends no key with a preflight request, and a WebSocket needs no key to be refused.
    let response = match cors.and_then(|_| Cors::preflight(&head)) {
        Some(preflight) => Ok(Sent::Whole(preflight)),
        None if head.is_upgrade() => Err(Error::UpgradeNotSupported),
        None => H::respond(&request, head, &request_context, &mut entry, &meter),
    };
    let response = if H::COUNTS {
        let response = response.map(|sent| meter.prepare(sent));
        let counted = settle_failure(&meter, &response, &mut entry);
        responder.counted = counted.filter(|_| is_attempt);
        response
    } else {
        response
    };
    responder.send(response, &mut entry);
    // The line is written last: it has the status, the length and the time of the whole response.
    entry.total_ms = start.millis();
    if H::COUNTS {
        // The client has its response by now, and does not wait for the counters.
        meter.settle(entry.error.is_none(), &mut entry);
    }
    host::log(&entry.to_line());
    if may_have_body {
        request.drain();
    }
}

/// Settles a request that failed, which has used nothing, before its response is sent: an attempt at another
/// provider for the client must not be refused for what this one still holds. Returns what the response to an
/// attempt says about its counting.
fn settle_failure<S>(
    meter: &SharedMeter,
    response: &Result<Sent<S>, Error>,
    entry: &mut Entry,
) -> Option<String> {
    let counted_at = meter.counted_at();
    if response.as_ref().map_or(true, Sent::is_failure) {
        meter.settle(false, entry);
    }
    let is_refused = response.as_ref().err().is_some_and(|error| error.limit().is_some());
    router::counted_value(is_refused, counted_at.filter(|_| entry.unsettled.is_none()))
}
