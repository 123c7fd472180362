//! Bodies of requests and responses, as they are read and written.

mod reader;
mod writer;

use gateway::Error;
use gateway::error::Cause;
use wasi::http::types::{ErrorCode, http_error_code};
use wasi::io::error::Error as IoError;

pub(crate) use reader::{BodyReader, CHUNK, POLL_INTERVAL, Read, Source};
pub(crate) use writer::{BodyWriter, Progress};

/// Converts the failure of an upstream's body.
pub(crate) fn upstream_failure(error: &IoError) -> Error {
    let cause = Cause(error.to_debug_string());
    match http_error_code(error) {
        Some(ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout) => {
            Error::UpstreamSilent(cause)
        }
        _ => Error::UpstreamInterrupted(cause),
    }
}
