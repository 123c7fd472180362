//! Sending a response to the client.
//!
//! The response headers are sent together with the first bytes of the body, and later chunks as they
//! are received. A body that ends early upstream ends early here too, or with an error event if it is
//! an event stream: it never looks complete.

use std::convert::Infallible;

use gateway::error::Cause;
use gateway::http::cors::Cors;
use gateway::http::trace;
use gateway::log::Entry;
use gateway::router::COUNTED_HEADER;
use gateway::{Dialect, Error, Headers, Response};
use http::{Method, StatusCode};
use wasi::http::types::{Fields, OutgoingResponse, ResponseOutparam};

use crate::body::{BodyWriter, Progress};
use crate::host::Instant;

/// What a client is sent.
pub(crate) enum Sent<S> {
    /// A response that is known as a whole.
    Whole(Response),
    /// A response whose body is still being received.
    Stream(Response<S>),
}

impl<S> Sent<S> {
    /// Checks whether the status says that the request was not served.
    pub(crate) fn is_failure(&self) -> bool {
        let status = match self {
            Self::Whole(response) => response.status,
            Self::Stream(response) => response.status,
        };
        status.is_client_error() || status.is_server_error()
    }
}

/// A body that is written as it is received.
pub(crate) trait StreamBody {
    /// Writes the first bytes, as far as the host accepts them without waiting: the response has not
    /// been handed over yet, so no one reads.
    ///
    /// # Errors
    /// What the client is sent instead: nothing of the response has left by then.
    fn start(&mut self, writer: &BodyWriter) -> Result<Progress, Error>;

    /// Writes the next bytes, waiting for them while the client is connected.
    ///
    /// # Errors
    /// What ended the body early.
    fn advance(&mut self, writer: &BodyWriter) -> Result<Progress, Error>;

    /// Notes in `entry` what the body has shown of the response.
    fn note(&self, _entry: &mut Entry) {}
}

/// The body of a component that streams nothing.
impl StreamBody for Infallible {
    fn start(&mut self, _: &BodyWriter) -> Result<Progress, Error> {
        match *self {}
    }

    fn advance(&mut self, _: &BodyWriter) -> Result<Progress, Error> {
        match *self {}
    }
}

/// What the header `server-timing` says. <https://www.w3.org/TR/server-timing/>
pub(crate) struct Timing {
    /// The names of the component's own time, and of what it waits for.
    pub(crate) names: [&'static str; 2],
    /// When the request was received.
    pub(crate) start: Instant,
}

/// Sends the one response to a client.
pub(crate) struct Responder {
    out: ResponseOutparam,
    is_head: bool,
    dialect: Dialect,
    cors: Option<Cors>,
    timing: Timing,
    /// Whether the request was counted, for the component that may ask another one.
    pub(crate) counted: Option<String>,
}

impl Responder {
    /// Creates the responder for a request with `method`, whose errors have this `dialect`, and whose
    /// responses a page of the origin `cors` may read, and say how long they took by `timing`.
    pub(crate) fn new(
        out: ResponseOutparam,
        method: &Method,
        dialect: Dialect,
        cors: Option<Cors>,
        timing: Timing,
    ) -> Self {
        let is_head = method == Method::HEAD;
        Self { out, is_head, dialect, cors, timing, counted: None }
    }

    /// Creates a response without its body.
    fn outgoing(
        &self,
        status: StatusCode,
        mut headers: Headers,
        entry: &Entry,
    ) -> Result<OutgoingResponse, Error> {
        trace::set_request_id(&mut headers, &entry.request_id);
        let (micros, waited) = (self.timing.start.micros(), entry.upstream_micros());
        headers.push("server-timing", trace::server_timing(self.timing.names, micros, waited));
        if let Some(cors) = &self.cors {
            cors.allow(&mut headers);
        }
        if let Some(counted) = &self.counted {
            headers.push(COUNTED_HEADER, counted.as_str());
        }
        outgoing(status, headers)
    }

    /// Sends the response, or the error in its place.
    pub(crate) fn send<S: StreamBody>(self, response: Result<Sent<S>, Error>, entry: &mut Entry) {
        match response {
            Ok(Sent::Whole(response)) => self.send_whole(response, entry),
            Ok(Sent::Stream(response)) => self.send_stream(response, entry),
            Err(error) => self.reject(&error, entry),
        }
    }

    /// Sends an error as a response. No other function does.
    fn reject(self, error: &Error, entry: &mut Entry) {
        entry.note_error(error);
        let response = self.dialect.response(error);
        self.send_whole(response, entry);
    }

    fn send_whole(self, response: Response, entry: &mut Entry) {
        entry.status = response.status.as_u16();
        let body = response.body;
        let Ok(response) = self.outgoing(response.status, response.headers, entry) else {
            return;
        };
        if self.is_head || body.is_empty() {
            return ResponseOutparam::set(self.out, Ok(response));
        }
        let Ok(writer) = BodyWriter::open(response.body()) else {
            return;
        };
        entry.bytes = body.len() as u64;
        // Written before the response is handed over: headers and body then leave in one segment.
        let rest = writer.write_ready(&body);
        if rest.is_empty() {
            // There is no one to report a failure to: the client has disconnected.
            let _ = writer.finish();
            return ResponseOutparam::set(self.out, Ok(response));
        }
        ResponseOutparam::set(self.out, Ok(response));
        if writer.write_all(rest).is_ok() {
            let _ = writer.finish();
        }
    }

    /// Sends a response whose body is still being received.
    fn send_stream<S: StreamBody>(self, response: Response<S>, entry: &mut Entry) {
        let Response { status, headers, mut body } = response;
        entry.status = status.as_u16();
        entry.stream = headers.is_event_stream();
        let may_end_with_event = may_end_with_event(&headers);
        let start = self.timing.start;
        let opened = self
            .outgoing(status, headers, entry)
            .and_then(|response| Ok((BodyWriter::open(response.body())?, response)));
        let (writer, response) = match opened {
            Ok(opened) => opened,
            Err(error) => return self.reject(&error, entry),
        };
        // Nothing has been sent yet: if the body fails here, the client still gets the error's status.
        let mut progress = match body.start(&writer) {
            Ok(first) => Ok(first),
            Err(error) => {
                drop((writer, response));
                return self.reject(&error, entry);
            }
        };
        ResponseOutparam::set(self.out, Ok(response));
        while let Ok(Progress::Bytes(bytes)) = progress {
            if entry.stream && entry.bytes == 0 && bytes > 0 {
                entry.first_chunk_ms = Some(start.millis());
            }
            entry.bytes += bytes;
            progress = body.advance(&writer);
        }
        body.note(entry);
        match progress {
            Ok(Progress::Ended) => drop(writer.finish()),
            Ok(_) => entry.note_disconnect(),
            Err(error) => {
                entry.note_error(&error);
                // An event stream can end with an error event. Otherwise dropping the writer aborts the
                // body.
                if may_end_with_event && writer.write_all(&self.dialect.event(&error)).is_ok() {
                    let _ = writer.finish();
                }
            }
        }
    }
}

/// Checks whether a body that ends early can end with an error event: not if it announced its length,
/// which the event would exceed.
fn may_end_with_event(headers: &Headers) -> bool {
    headers.media_type().as_deref() == Some("text/event-stream")
        && headers.content_length().is_none()
}

/// Creates a response without its body.
fn outgoing(status: StatusCode, headers: Headers) -> Result<OutgoingResponse, Error> {
    let rejected =
        |what: &str| Error::UpstreamInterrupted(Cause(format!("the host rejects {what}")));
    let fields = Fields::from_list(&headers.into_list()).map_err(|_| rejected("a header"))?;
    let response = OutgoingResponse::new(fields);
    // A new response has the status 200, which spares most responses the host call.
    if status != StatusCode::OK {
        response.set_status_code(status.as_u16()).map_err(|()| rejected(status.as_str()))?;
    }
    Ok(response)
}
