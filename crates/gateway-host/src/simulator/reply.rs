//! Responses of the simulated gateway, whole or streamed.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Frame, SizeHint};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::simulator::Simulator;
use crate::simulator::faults::Fault;

/// A response, before faults are applied to its body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Content,
}

/// The content of a body.
#[derive(Debug)]
pub(crate) enum Content {
    /// A body sent in one piece.
    Whole(Bytes),
    /// A body sent chunk by chunk.
    Chunks(Vec<Bytes>),
}

/// The error that makes the server cut the connection.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection was cut on demand")
    }
}

impl std::error::Error for Cut {}

/// The body of a response on the wire.
#[derive(Debug)]
pub(crate) enum Body {
    /// A whole body, until it has been sent.
    Whole(Option<Bytes>),
    /// A body whose chunks a task sends.
    Stream(mpsc::Receiver<Result<Bytes, Cut>>),
}

impl Reply {
    /// Builds a JSON response.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::whole(status, "application/json", value.to_string())
    }

    /// Builds a response with a whole body.
    pub(crate) fn whole(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: vec![("content-type", content_type.to_owned())],
            body: Content::Whole(body.into()),
        }
    }

    /// Builds a stream of server-sent events, one chunk each.
    pub(crate) fn events(events: impl IntoIterator<Item = String>) -> Self {
        Self {
            status: StatusCode::OK,
            headers: vec![("content-type", "text/event-stream; charset=utf-8".to_owned())],
            body: Content::Chunks(events.into_iter().map(Bytes::from).collect()),
        }
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Converts the reply into the response on the wire, and applies the faults of its body.
    ///
    /// It adds the headers of the AI Gateway, among them a cookie that clients must not receive.
    pub(crate) fn into_response(self, simulator: &Simulator, fault: &Fault) -> Response<Body> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let body = match self.body {
            Content::Whole(bytes) if !fault.is_of_body() => Body::Whole(Some(bytes)),
            // A fault of the body needs at least two chunks.
            Content::Whole(bytes) => feed(simulator.clone(), fault.clone(), halves(&bytes)),
            Content::Chunks(chunks) => feed(simulator.clone(), fault.clone(), chunks),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let common = [
            ("cf-aig-log-id", format!("01SIMULATED{number:015}")),
            ("cf-aig-cache-status", if fault.is_cached { "HIT" } else { "MISS" }.to_owned()),
            ("server", "cloudflare".to_owned()),
            ("set-cookie", "__cf_bm=simulated; path=/; HttpOnly".to_owned()),
        ];
        let routed = fault.routed.clone().map(|model| ("cf-aig-model", model));
        for (name, value) in self.headers.into_iter().chain(common).chain(routed) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// Splits a body into two chunks.
fn halves(bytes: &Bytes) -> Vec<Bytes> {
    let middle = bytes.len() / 2;
    vec![bytes.slice(..middle), bytes.slice(middle..)]
}

/// Starts a task that sends `chunks` with the delays and cuts of `fault`, until the client
/// disconnects.
fn feed(simulator: Simulator, fault: Fault, chunks: Vec<Bytes>) -> Body {
    // The channel holds one chunk, so that the task is only as fast as the reader.
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for (index, chunk) in chunks.into_iter().enumerate() {
            if index > 0 {
                if fault.cut_after.is_some_and(|chunks| index >= chunks) {
                    // Without a pause the server could drop the first chunk together with the
                    // connection.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let _ = sender.send(Err(Cut)).await;
                    return;
                }
                if let Some(gate) = &fault.gate {
                    simulator.pass_gate(gate).await;
                }
                if let Some(delay) = fault.chunk_delay {
                    tokio::time::sleep(delay).await;
                }
            }
            if sender.send(Ok(chunk)).await.is_err() {
                return;
            }
        }
    });
    Body::Stream(receiver)
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(receiver) => {
                receiver.poll_recv(context).map(|next| next.map(|chunk| chunk.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// Returns the text of a message: its content, or the last part of it that has text.
pub(crate) fn last_text(content: &Value) -> &str {
    let parts = content.as_array().into_iter().flatten();
    let last = parts.filter_map(|part| part["text"].as_str()).next_back();
    content.as_str().or(last).unwrap_or("nothing")
}
