//! Forwards a request, and the response to it.

use spin_sdk::variables;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam,
    Scheme,
};
use wasi::io::streams::InputStream;

/// Maximum number of bytes that are read or spliced at a time.
const CHUNK: u64 = 1024 * 1024;

/// Forwards `request` to the upstream, and the response to `out`.
pub(crate) fn forward(request: &IncomingRequest, out: ResponseOutparam) -> Result<(), ()> {
    let upstream = variables::get("upstream").map_err(drop)?;
    let mut headers = request.headers().entries();
    headers.retain(|(name, _)| name != "host" && !name.starts_with("spin-"));

    let outgoing = OutgoingRequest::new(Fields::from_list(&headers).map_err(drop)?);
    outgoing.set_method(&request.method())?;
    outgoing.set_path_with_query(request.path_with_query().as_deref())?;
    outgoing.set_scheme(Some(&Scheme::Http))?;
    outgoing.set_authority(Some(&upstream))?;
    let request_body = request.consume()?;
    let source = request_body.stream()?;
    let bytes = read(&source, length(&headers));
    if !bytes.is_empty() {
        let body = outgoing.body()?;
        body.write()?.write(&bytes).map_err(drop)?;
        OutgoingBody::finish(body, None).map_err(drop)?;
    }
    let pending = outgoing_handler::handle(outgoing, None).map_err(drop)?;
    pending.subscribe().block();
    let incoming = pending.get().ok_or(())?.map_err(drop)?.map_err(drop)?;

    let headers = Fields::from_list(&incoming.headers().entries()).map_err(drop)?;
    let response = OutgoingResponse::new(headers);
    response.set_status_code(incoming.status())?;
    let incoming_body = incoming.consume()?;
    let source = incoming_body.stream()?;
    let body = response.body()?;
    let sink = body.write()?;
    let mut spliced = sink.blocking_splice(&source, CHUNK);
    ResponseOutparam::set(out, Ok(response));
    while spliced.is_ok() {
        spliced = sink.blocking_splice(&source, CHUNK);
    }
    drop(sink);
    OutgoingBody::finish(body, None).map_err(drop)
}

/// Returns the announced length of the body, or 0.
fn length(headers: &[(String, Vec<u8>)]) -> usize {
    let value = headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value);
    value.and_then(|value| str::from_utf8(value).ok()?.parse().ok()).unwrap_or(0)
}

/// Reads the announced number of bytes. It does not wait for the end of the body after them, which
/// would cost another host call.
fn read(source: &InputStream, announced: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < announced {
        match source.blocking_read(CHUNK) {
            Ok(chunk) if bytes.is_empty() => bytes = chunk,
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(_) => break,
        }
    }
    bytes
}
