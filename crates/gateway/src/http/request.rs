//! A client's request.

use http::Method;

use crate::Headers;
use crate::http::body::may_have_body;

/// A client's request: what comes first, and a body that is read as far as the reader needs it.
///
/// Most rules read it whole (`Vec<u8>`); a request that only passes through has a
/// [`Body`](crate::http::body::Body).
#[derive(Clone, Debug)]
pub struct Request<B = Vec<u8>> {
    /// Request line and headers.
    pub head: Head,
    /// The body.
    pub body: B,
}

/// The request line and the headers of a request.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The raw request target: path and query.
    pub path_with_query: String,
    /// The headers.
    pub headers: Headers,
}

impl Head {
    /// Checks whether the client asks for a WebSocket. A host hides the header `upgrade` from a guest.
    pub fn is_upgrade(&self) -> bool {
        self.headers.get("sec-websocket-key").is_some()
    }

    /// Checks whether the client may be sending a body.
    pub fn may_have_body(&self) -> bool {
        may_have_body(&self.method) && self.headers.content_length() != Some(0)
    }
}
