//! Responses, whole or with a body that is still being received.

use http::StatusCode;
use serde::Serialize;

use crate::Headers;

/// A response: whole (`Vec<u8>`), or with a body that is still being received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<B = Vec<u8>> {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers; of a whole response, `content-length` among them.
    pub headers: Headers,
    /// The body.
    pub body: B,
}

impl Response {
    /// Creates a response whose body is `value` as JSON.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        // Types that serialise into JSON are the gateway's own and cannot fail to; an empty body
        // would be the visible sign of one that does.
        Self::new(status, serde_json::to_vec(value).unwrap_or_default(), "application/json")
    }

    /// Creates the client's response from an upstream's that was read whole: unchanged, and with
    /// its length.
    pub fn passed(status: StatusCode, mut headers: Headers, body: Vec<u8>) -> Self {
        headers.retain(|name| name != "content-length");
        headers.push("content-length", body.len().to_string());
        Self { status, headers, body }
    }

    /// Creates a response without a body, for an operation that has succeeded.
    pub fn no_content() -> Self {
        let headers = [("cache-control", "no-store")].into_iter().collect();
        Self { status: StatusCode::NO_CONTENT, headers, body: Vec::new() }
    }

    /// Creates a response whose `body` has the media type `content_type`.
    pub fn new(status: StatusCode, body: Vec<u8>, content_type: &str) -> Self {
        let length = body.len().to_string();
        let headers = [
            ("content-type", content_type),
            ("content-length", length.as_str()),
            // The body may contain a key, which no cache between here and the client may keep.
            ("cache-control", "no-store"),
        ];
        Self { status, headers: headers.into_iter().collect(), body }
    }
}
