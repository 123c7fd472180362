//! A whole response, made by the gateway itself.

use http::StatusCode;
use serde::Serialize;

use crate::Headers;

/// A response whose body is known before its head is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers, `content-length` among them.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A JSON answer. It is never to be stored by a cache: it may show a key.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        // Types that serialise into JSON are the gateway's own and cannot fail to; an empty body
        // would be the visible sign of one that does.
        Self::new(status, serde_json::to_vec(value).unwrap_or_default(), "application/json")
    }

    /// An upstream's answer that was read whole: as it came, and with its length.
    pub fn passed(status: StatusCode, mut headers: Headers, body: Vec<u8>) -> Self {
        headers.retain(|name| name != "content-length");
        headers.push("content-length", body.len().to_string());
        Self { status, headers, body }
    }

    /// An answer with `body` of the media type `content_type`.
    pub fn new(status: StatusCode, body: Vec<u8>, content_type: &str) -> Self {
        let length = body.len().to_string();
        let headers = [
            ("content-type", content_type),
            ("content-length", length.as_str()),
            ("cache-control", "no-store"),
        ];
        Self { status, headers: headers.into_iter().collect(), body }
    }
}
