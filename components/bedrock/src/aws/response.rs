//! Bedrock's response before its translation.

use std::time::{SystemTime, UNIX_EPOCH};

use gateway::ai_gateway::error as ai_gateway_error;
use gateway::translator::UpstreamResponse;
use gateway::{Error, Headers, Response};
use http::StatusCode;

use crate::aws::errors;

/// The maximum size of a response that is read whole, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The maximum size of an error's body, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Returns `response` if its status is a success.
///
/// # Errors
/// The error of the AI Gateway, otherwise the error of Bedrock.
pub(crate) fn check(mut response: UpstreamResponse) -> Result<UpstreamResponse, Error> {
    if response.status.is_success() {
        return Ok(response);
    }
    let UpstreamResponse { status, headers, .. } = &response;
    let (status, headers) = (*status, headers.clone());
    let body = response.read_body(MAX_ERROR_BYTES)?;
    // The AI Gateway's own errors come first: their body is not one of Bedrock's.
    match ai_gateway_error::parse(status, &headers, &body) {
        Some(error) => Err(Error::AiGateway(error)),
        None => Err(errors::parse(status, headers, &body)),
    }
}

/// Returns AWS's id of the request, otherwise an id made from the time `now`.
pub(crate) fn request_id(headers: &Headers, now: SystemTime) -> String {
    let made = || {
        let nanos = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        format!("{nanos:x}")
    };
    headers.get_str("x-amzn-requestid").map_or_else(made, ToOwned::to_owned)
}

/// Creates the response to the client, with the headers of the upstream response.
pub(crate) fn for_client(mut headers: Headers, body: Vec<u8>, media_type: &str) -> Response {
    headers.retain(|name| !matches!(name, "content-length" | "content-type"));
    headers.push("content-type", media_type);
    Response::passed(StatusCode::OK, headers, body)
}
