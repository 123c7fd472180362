//! Sending a request upstream.
//!
//! The body is written before the request is handed over, as far as the host takes it: head and
//! body then leave in one segment. The other way round costs 40 ms on a kept-alive connection.

use std::time::Duration;

use gateway::error::Cause;
use gateway::outbound::{Body, Outbound};
use gateway::settings::{Gateway, Timeouts};
use gateway::{Error, Headers};
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingRequest,
    RequestOptions, Scheme,
};
use wasi::io::poll::{Pollable, poll};

use crate::inbound::Source;
use crate::sink::{Moved, Sink};

/// Sends `outbound` and waits for the head of the answer. `upload` is the client's body, where
/// that is still to be moved.
///
/// # Errors
/// What kept the answer's head from coming, or the request from leaving.
pub(crate) fn send(
    outbound: Outbound,
    gateway: &Gateway<'_>,
    upload: Option<&Source>,
) -> Result<IncomingResponse, Error> {
    match (&outbound.body, upload) {
        (Body::Stream, Some(upload)) => send_upload(Call::new(outbound, gateway)?, upload, gateway),
        _ => start(outbound, gateway)?.wait(),
    }
}

/// Sends `outbound`, whose body is known, without waiting for an answer.
///
/// # Errors
/// What kept the request from leaving.
pub(crate) fn start(mut outbound: Outbound, gateway: &Gateway<'_>) -> Result<UnderWay, Error> {
    match std::mem::replace(&mut outbound.body, Body::Absent) {
        Body::Json(bytes, _) | Body::Form(bytes, _) | Body::Whole(bytes) => {
            send_bytes(Call::new(outbound, gateway)?, &bytes)
        }
        Body::Stream | Body::Absent => Call::new(outbound, gateway)?.hand_over(),
    }
}

/// A request that is ready but for its body.
struct Call {
    request: OutgoingRequest,
    options: RequestOptions,
}

/// A request that has left.
pub(crate) struct UnderWay(FutureIncomingResponse);

impl Call {
    fn new(mut outbound: Outbound, gateway: &Gateway<'_>) -> Result<Self, Error> {
        let fields = fields(std::mem::take(&mut outbound.headers))?;
        let request = OutgoingRequest::new(fields);
        address(&request, &outbound, gateway)?;
        Ok(Self { request, options: options(gateway.timeouts) })
    }

    fn hand_over(self) -> Result<UnderWay, Error> {
        outgoing_handler::handle(self.request, Some(self.options))
            .map(UnderWay)
            .map_err(|code| failed(&code))
    }
}

impl UnderWay {
    /// Waits for the head of the answer.
    ///
    /// # Errors
    /// What kept it from coming.
    pub(crate) fn wait(self) -> Result<IncomingResponse, Error> {
        self.0.subscribe().block();
        match self.0.get() {
            Some(Ok(Ok(response))) => Ok(response),
            Some(Ok(Err(code))) => Err(failed(&code)),
            Some(Err(())) | None => Err(internal("the answer was taken already")),
        }
    }

    /// Waits until `other` is ready. `false` if the answer comes first: an upstream that has
    /// answered need not read what is left of the request, and what it says counts.
    fn comes_after(&self, other: &Pollable) -> bool {
        poll(&[other, &self.0.subscribe()]).contains(&0)
    }
}

/// Sends a request whose body is known.
fn send_bytes(call: Call, bytes: &[u8]) -> Result<UnderWay, Error> {
    let sink = Sink::open(call.request.body())?;
    let mut rest = sink.write_ready(bytes);
    if rest.is_empty() {
        sink.finish().map_err(|code| failed(&code))?;
        return call.hand_over();
    }
    let under_way = call.hand_over()?;
    while !rest.is_empty() {
        let is_first = under_way.comes_after(&sink.ready());
        let left = sink.write_ready(rest);
        if !is_first || left.len() == rest.len() {
            sink.leave_open();
            return Ok(under_way);
        }
        rest = left;
    }
    sink.finish().map_err(|code| failed(&code))?;
    Ok(under_way)
}

/// Sends a request whose body is still with the client, as it comes.
fn send_upload(
    call: Call,
    upload: &Source,
    gateway: &Gateway<'_>,
) -> Result<IncomingResponse, Error> {
    let limit = gateway.max_body;
    let sink = Sink::open(call.request.body())?;
    let mut total = 0;
    let mut check = |moved| match moved {
        Ok(Moved::Some(bytes)) => {
            total += bytes;
            if total > limit { Err(Error::TooLarge { limit }) } else { Ok(Moved::Some(bytes)) }
        }
        Ok(ended) => Ok(ended),
        Err(_) => Err(Error::IncompleteBody),
    };
    let mut moved = check(sink.move_start(upload))?;
    let under_way = call.hand_over()?;
    while let Moved::Some(_) = moved {
        let source = upload.rest.stream.subscribe();
        if !under_way.comes_after(&sink.ready()) || !under_way.comes_after(&source) {
            sink.leave_open();
            return under_way.wait();
        }
        drop(source);
        moved = check(sink.move_chunk(&upload.rest))?;
    }
    if let Moved::All = moved {
        sink.finish().map_err(|_| Error::IncompleteBody)?;
    }
    under_way.wait()
}

/// Gives `request` its method and its place behind the AI Gateway's base.
fn address(
    request: &OutgoingRequest,
    outbound: &Outbound,
    gateway: &Gateway<'_>,
) -> Result<(), Error> {
    let scheme = if gateway.is_tls { Scheme::Https } else { Scheme::Http };
    request
        .set_method(&Method::Other(outbound.method.as_str().to_owned()))
        .map_err(|()| internal("the host refuses the method"))?;
    request
        .set_path_with_query(Some(&outbound.path_with_query))
        .map_err(|()| Error::UnsafePath("a character the host refuses"))?;
    request
        .set_scheme(Some(&scheme))
        .and_then(|()| request.set_authority(Some(gateway.authority)))
        .map_err(|()| Error::Configuration("ai_gateway_host is not a host".to_owned()))
}

/// Headers as the host takes them. It has checked the client's; ours come from settings.
fn fields(headers: Headers) -> Result<Fields, Error> {
    Fields::from_list(&headers.into_list())
        .map_err(|_| Error::Configuration("a setting makes an illegal header".to_owned()))
}

fn options(timeouts: Timeouts) -> RequestOptions {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).ok();
    let options = RequestOptions::new();
    // A host that cannot keep a timeout keeps its own, which is no reason to fail.
    let _ = options.set_connect_timeout(nanos(timeouts.connect));
    let _ = options.set_first_byte_timeout(nanos(timeouts.first_byte));
    let _ = options.set_between_bytes_timeout(nanos(timeouts.between_bytes));
    options
}

/// What a host's refusal or failure means to a client.
fn failed(code: &ErrorCode) -> Error {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
            Error::Configuration("the host denies requests to ai_gateway_host".to_owned())
        }
        ErrorCode::ConnectionTimeout => timed_out("no connection in time"),
        ErrorCode::DnsTimeout => timed_out("no address in time"),
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            timed_out("no answer in time")
        }
        ErrorCode::ConnectionWriteTimeout => timed_out("the request was not read in time"),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => unreachable("no such host"),
        ErrorCode::ConnectionRefused => unreachable("connection refused"),
        ErrorCode::ConnectionTerminated => unreachable("connection closed before the answer"),
        ErrorCode::ConnectionLimitReached => unreachable("too many connections"),
        ErrorCode::TlsCertificateError => unreachable("its certificate is not trusted"),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => unreachable("TLS failed"),
        ErrorCode::HttpProtocolError => unreachable("its answer is not HTTP"),
        ErrorCode::InternalError(Some(text)) => unreachable(text),
        _ => unreachable("the host reports another failure"),
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
