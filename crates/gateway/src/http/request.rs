//! A client's request.

use http::Method;

use crate::Headers;

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
