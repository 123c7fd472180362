//! Bodies of requests and responses, as they are read and written.

mod reader;
mod spliced;
mod writer;

use gateway::Error;
use gateway::error::Cause;
use wasi::http::types::{ErrorCode, http_error_code};
use wasi::io::error::Error as IoError;

pub(crate) use reader::{BodyReader, CHUNK, POLL_INTERVAL, Read, Source};
pub(crate) use spliced::Spliced;
pub(crate) use writer::{BodyWriter, Filter, Progress};

/// Converts the failure of an upstream's body.
pub(crate) fn upstream_failure(error: &IoError) -> Error {
    let description = error.to_debug_string();
    if timed_out(error, &description) {
        Error::UpstreamSilent(Cause(description))
    } else {
        Error::interrupted(description)
    }
}

/// Reports whether the time between two parts of a body ran out. Hosts on wasmtime 48 lose the
/// error's code on the way to the guest, and keep its description only.
fn timed_out(error: &IoError, description: &str) -> bool {
    match http_error_code(error) {
        Some(code) => {
            matches!(code, ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout)
        }
        None => description.contains("connection read timeout"),
    }
}
