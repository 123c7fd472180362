//! The least a pass-through guest can do: a request goes out as it came in, and its answer goes
//! back. No key, no store, no rule. The gateway's speed is measured against it.
//!
//! It keeps the rule that makes a guest fast: bodies are written before heads are handed over. It gives
//! up on anything unusual.

use spin_sdk::variables;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingRequest, OutgoingResponse, ResponseOutparam,
    Scheme,
};
use wasi::io::streams::InputStream;

/// Bytes moved at once.
const CHUNK: u64 = 1024 * 1024;

struct Floor;

wasi::http::proxy::export!(Floor with_types_in wasi);

impl Guest for Floor {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        // A request that cannot be passed on gets no answer, and so a 500 from the host.
        let _ = forward(&request, out);
    }
}

fn forward(request: &IncomingRequest, out: ResponseOutparam) -> Result<(), ()> {
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
    let answer = outgoing_handler::handle(outgoing, None).map_err(drop)?;
    answer.subscribe().block();
    let incoming = answer.get().ok_or(())?.map_err(drop)?.map_err(drop)?;

    let headers = Fields::from_list(&incoming.headers().entries()).map_err(drop)?;
    let response = OutgoingResponse::new(headers);
    response.set_status_code(incoming.status())?;
    let incoming_body = incoming.consume()?;
    let source = incoming_body.stream()?;
    let body = response.body()?;
    let sink = body.write()?;
    let mut moved = sink.blocking_splice(&source, CHUNK);
    ResponseOutparam::set(out, Ok(response));
    while moved.is_ok() {
        moved = sink.blocking_splice(&source, CHUNK);
    }
    drop(sink);
    OutgoingBody::finish(body, None).map_err(drop)
}

fn length(headers: &[(String, Vec<u8>)]) -> usize {
    let value = headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value);
    value.and_then(|value| str::from_utf8(value).ok()?.parse().ok()).unwrap_or(0)
}

/// Reads as much as was announced, and does not ask for an end after that.
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
