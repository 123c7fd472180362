//! What Bedrock answers, before it is translated.

use std::time::{SystemTime, UNIX_EPOCH};

use gateway::translator::Response;
use gateway::{Error, Headers, Reply, cloudflare};
use http::StatusCode;

use crate::errors;

/// Bytes an answer that is read whole may have.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of an error's body that are read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// `response`, if it is no error.
///
/// # Errors
/// The AI Gateway's or Bedrock's error.
pub(crate) fn checked(mut response: Response) -> Result<Response, Error> {
    if response.status.is_success() {
        return Ok(response);
    }
    let Response { status, headers, .. } = &response;
    let (status, headers) = (*status, headers.clone());
    let body = response.whole(MAX_ERROR_BYTES)?;
    match cloudflare::parse(status, &headers, &body) {
        Some(error) => Err(Error::Gateway(error)),
        None => Err(errors::parse(status, headers, &body)),
    }
}

/// AWS's id of the request, or else one made of the time `now`.
pub(crate) fn request_id(headers: &Headers, now: SystemTime) -> String {
    let made = || {
        let nanos = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        format!("{nanos:x}")
    };
    headers.get_str("x-amzn-requestid").map_or_else(made, ToOwned::to_owned)
}

/// A translated answer with the headers of the one it was made of.
pub(crate) fn reply(mut headers: Headers, body: Vec<u8>, media_type: &str) -> Reply {
    headers.retain(|name| !matches!(name, "content-length" | "content-type"));
    headers.push("content-type", media_type);
    Reply::passed(StatusCode::OK, headers, body)
}
