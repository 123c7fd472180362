//! Sending a request upstream.
//!
//! The body is written before the request is handed over, as far as the host accepts it: headers and
//! body then leave in one segment. The reverse order costs 40 ms on a kept-alive connection (Nagle's
//! algorithm against delayed acknowledgements).

use std::mem::ManuallyDrop;
use std::time::Duration;

use gateway::ai_gateway::settings::Timeouts;
use gateway::error::Cause;
use gateway::http::body::Body;
use gateway::http::pace::Pace;
use gateway::limits::meter::routed_model;
use gateway::log::Entry;
use gateway::{AiGateway, Error, Headers, Outbound};
use http::StatusCode;
use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasi::io::poll::{Pollable, poll};

use crate::body::{BodyReader, BodyWriter, POLL_INTERVAL, Progress, Source};
use crate::host::{Instant, kept};

/// Sends `outbound` and waits for the response headers. `upload` is the client's body, if that is
/// streamed.
///
/// # Errors
/// What kept the request from being sent, or the response headers from being received.
pub(crate) fn send(
    outbound: Outbound,
    ai_gateway: &AiGateway<'_>,
    upload: Option<&Source>,
) -> Result<IncomingResponse, Error> {
    match (&outbound.body, upload) {
        (Body::Stream, Some(upload)) => {
            send_upload(PreparedRequest::new(outbound, ai_gateway)?, upload, ai_gateway)
        }
        _ => start(outbound, ai_gateway)?.wait(),
    }
}

/// Sends `outbound`, whose body is known, without waiting for a response.
///
/// # Errors
/// What kept the request from being sent.
pub(crate) fn start(mut outbound: Outbound, ai_gateway: &AiGateway<'_>) -> Result<InFlight, Error> {
    match std::mem::replace(&mut outbound.body, Body::Absent) {
        Body::Json(bytes, _) | Body::Form(bytes, _) | Body::Whole(bytes) => {
            send_bytes(PreparedRequest::new(outbound, ai_gateway)?, &bytes)
        }
        Body::Stream | Body::Absent => PreparedRequest::new(outbound, ai_gateway)?.dispatch(),
    }
}

/// A request that is complete except for its body.
struct PreparedRequest {
    request: OutgoingRequest,
    options: RequestOptions,
}

/// A request in flight.
pub(crate) struct InFlight(ManuallyDrop<FutureIncomingResponse>);

impl PreparedRequest {
    fn new(mut outbound: Outbound, ai_gateway: &AiGateway<'_>) -> Result<Self, Error> {
        let fields = fields(std::mem::take(&mut outbound.headers))?;
        let request = OutgoingRequest::new(fields);
        set_address(&request, &outbound, ai_gateway)?;
        Ok(Self { request, options: options(ai_gateway.timeouts) })
    }

    /// Passes the request to the host, which sends it.
    fn dispatch(self) -> Result<InFlight, Error> {
        outgoing_handler::handle(self.request, Some(self.options))
            .map(|response| InFlight(kept(response)))
            .map_err(|code| failed(&code))
    }
}

impl InFlight {
    /// Waits for the response headers.
    ///
    /// # Errors
    /// What kept them from being received.
    pub(crate) fn wait(self) -> Result<IncomingResponse, Error> {
        kept(self.0.subscribe()).block();
        match self.0.get() {
            Some(Ok(Ok(response))) => Ok(response),
            Some(Ok(Err(code))) => Err(failed(&code)),
            Some(Err(())) | None => Err(internal("the response was already taken")),
        }
    }

    /// Waits for the response headers, for at most so many milliseconds.
    pub(crate) fn wait_for(self, millis: u64) -> Option<Result<IncomingResponse, Error>> {
        let ready = kept(self.0.subscribe());
        let timer = subscribe_duration(millis.saturating_mul(1_000_000));
        poll(&[&ready, &timer]).contains(&0).then(|| self.wait())
    }

    /// Waits until `other` is ready. Returns `false` if the response arrives first: an upstream may
    /// respond without reading the whole request.
    fn is_ready_before_response(&self, other: &Pollable) -> bool {
        poll(&[other, &self.0.subscribe()]).contains(&0)
    }

    /// Waits until `other` is ready, or until it is no longer wanted.
    fn next_of(&self, other: &Pollable, is_wanted: &dyn Fn() -> bool) -> Next {
        let response = self.0.subscribe();
        loop {
            // Asked before the wait, too: a body in tiny chunks never makes anyone wait.
            if !is_wanted() {
                return Next::TooSlow;
            }
            let ready = poll(&[other, &response, &subscribe_duration(POLL_INTERVAL)]);
            if ready.contains(&0) {
                return Next::Other;
            }
            if ready.contains(&1) {
                return Next::Response;
            }
        }
    }
}

/// What a request in flight has waited for.
enum Next {
    /// The other end is ready.
    Other,
    /// The response arrived first.
    Response,
    /// The other end is too slow.
    TooSlow,
}

/// Reads the status and all headers of a response, and notes in `entry` what the log shows of them.
pub(crate) fn read_head(
    response: &IncomingResponse,
    entry: &mut Entry,
) -> Result<(StatusCode, Headers), Error> {
    let status = StatusCode::from_u16(response.status())
        .map_err(|error| Error::interrupted(error.to_string()))?;
    let headers = read_headers(response);
    entry.upstream_status = Some(status.as_u16());
    let value = |name| headers.get_str(name).map(ToOwned::to_owned);
    entry.cf_aig_log_id = value("cf-aig-log-id");
    entry.cache = value("cf-aig-cache-status");
    entry.step = value("cf-aig-step");
    entry.response_model = routed_model(&headers).map(ToOwned::to_owned);
    Ok((status, headers))
}

/// Reads all headers of a response.
pub(crate) fn read_headers(response: &IncomingResponse) -> Headers {
    Headers::from_list(kept(response.headers()).entries())
}

/// Opens the body of a response.
pub(crate) fn read_body(response: &IncomingResponse) -> Result<BodyReader, Error> {
    BodyReader::new(response.consume().map_err(|()| internal("the response was already taken"))?)
}

/// Sends a request whose body is known.
fn send_bytes(request: PreparedRequest, bytes: &[u8]) -> Result<InFlight, Error> {
    let writer = BodyWriter::open(request.request.body())?;
    let mut rest = writer.write_ready(bytes);
    if rest.is_empty() {
        writer.finish().map_err(|code| failed(&code))?;
        return request.dispatch();
    }
    let in_flight = request.dispatch()?;
    while !rest.is_empty() {
        let is_first = in_flight.is_ready_before_response(&writer.ready());
        let left = writer.write_ready(rest);
        if !is_first || left.len() == rest.len() {
            writer.leave_open();
            return Ok(in_flight);
        }
        rest = left;
    }
    writer.finish().map_err(|code| failed(&code))?;
    Ok(in_flight)
}

/// Sends a request whose body is still with the client, as it is received.
fn send_upload(
    request: PreparedRequest,
    upload: &Source,
    ai_gateway: &AiGateway<'_>,
) -> Result<IncomingResponse, Error> {
    let limit = ai_gateway.max_upload;
    let writer = BodyWriter::open(request.request.body())?;
    let mut total = 0;
    let mut check = |progress| match progress {
        Ok(Progress::Bytes(bytes)) => {
            total += bytes;
            if total > limit { Err(Error::TooLarge { limit }) } else { Ok(Progress::Bytes(bytes)) }
        }
        Ok(ended) => Ok(ended),
        Err(_) => Err(Error::IncompleteBody),
    };
    let mut progress = check(writer.splice_first(upload))?;
    let in_flight = request.dispatch()?;
    let (mut pace, mut waited) = (Pace::default(), 0);
    while let Progress::Bytes(bytes) = progress {
        if bytes > 0 {
            pace.note(bytes);
        }
        let source = upload.rest.stream.subscribe();
        let is_writable = in_flight.is_ready_before_response(&writer.ready());
        // Only now: an upstream that reads slowly is not the client's fault.
        let start = Instant::now();
        let is_wanted = || pace.is_sufficient(waited + start.millis());
        match in_flight.next_of(&source, &is_wanted) {
            Next::Other if is_writable => {}
            Next::TooSlow => return Err(Error::IncompleteBody),
            Next::Other | Next::Response => {
                writer.leave_open();
                return in_flight.wait();
            }
        }
        waited += start.millis();
        drop(source);
        progress = check(writer.splice_ready(&upload.rest))?;
    }
    if let Progress::Ended = progress {
        writer.finish().map_err(|_| Error::IncompleteBody)?;
    }
    in_flight.wait()
}

/// Sets the method and the address of `request`.
fn set_address(
    request: &OutgoingRequest,
    outbound: &Outbound,
    ai_gateway: &AiGateway<'_>,
) -> Result<(), Error> {
    let scheme = if ai_gateway.is_tls { Scheme::Https } else { Scheme::Http };
    request
        .set_method(&Method::Other(outbound.method.as_str().to_owned()))
        .map_err(|()| internal("the host rejects the method"))?;
    request
        .set_path_with_query(Some(&outbound.path_with_query))
        .map_err(|()| Error::UnsafePath("it contains a character that the host rejects"))?;
    request
        .set_scheme(Some(&scheme))
        .and_then(|()| request.set_authority(Some(ai_gateway.authority)))
        .map_err(|()| Error::Configuration("ai_gateway_host is not a host".to_owned()))
}

/// Converts the headers. The host has checked the client's, so a bad one comes from a setting.
fn fields(headers: Headers) -> Result<Fields, Error> {
    Fields::from_list(&headers.into_list()).map_err(|_| {
        Error::Configuration("a configured credential is not a valid header value".to_owned())
    })
}

/// Sets a timeout in nanoseconds.
type SetTimeout = fn(&RequestOptions, Option<u64>) -> Result<(), ()>;

/// The timeouts of Spin and of wasmtime where the request sets none, which saves host calls.
/// <https://github.com/spinframework/spin/blob/main/crates/factor-outbound-http/src/wasi.rs>
pub(crate) const HOST_TIMEOUT: Duration = Duration::from_mins(10);

/// Returns the timeouts as options of a request.
fn options(timeouts: Timeouts) -> RequestOptions {
    let options = RequestOptions::new();
    // A host that does not support a timeout uses its own, which is no reason to fail.
    for (time, set) in [
        (timeouts.connect, RequestOptions::set_connect_timeout as SetTimeout),
        (timeouts.first_byte, RequestOptions::set_first_byte_timeout),
        (timeouts.between_bytes, RequestOptions::set_between_bytes_timeout),
    ] {
        if time != HOST_TIMEOUT {
            let _ = set(&options, u64::try_from(time.as_nanos()).ok());
        }
    }
    options
}

/// Converts a host's failure into what it means for the client.
fn failed(code: &ErrorCode) -> Error {
    match code {
        ErrorCode::HttpRequestDenied => Error::Configuration(
            "ai_gateway_url must be at ai_gateway_host, the only host the app may call".to_owned(),
        ),
        ErrorCode::DestinationIpProhibited => {
            Error::Configuration("the host denies requests to this address".to_owned())
        }
        ErrorCode::ConnectionTimeout => timed_out("no connection in time"),
        ErrorCode::DnsTimeout => timed_out("no address in time"),
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            timed_out("no response in time")
        }
        ErrorCode::ConnectionWriteTimeout => timed_out("the request was not read in time"),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => unreachable("no such host"),
        ErrorCode::ConnectionRefused => unreachable("connection refused"),
        ErrorCode::ConnectionTerminated => unreachable("connection closed before the response"),
        ErrorCode::ConnectionLimitReached => unreachable("too many connections"),
        ErrorCode::TlsCertificateError => unreachable("its certificate is not trusted"),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => unreachable("TLS failed"),
        ErrorCode::HttpProtocolError => unreachable("its response is not HTTP"),
        ErrorCode::InternalError(Some(text)) => unreachable(text),
        _ => unreachable("unclassified host error"),
    }
}

fn timed_out(cause: &str) -> Error {
    Error::UpstreamTimeout(Cause(cause.to_owned()))
}

fn unreachable(cause: &str) -> Error {
    Error::UpstreamUnreachable(Cause(cause.to_owned()))
}

fn internal(what: &str) -> Error {
    Error::Internal(Cause(what.to_owned()))
}
