//! Bodies of requests and responses, as they are read and written.

mod reader;
mod writer;

pub(crate) use reader::{BodyReader, CHUNK, POLL_INTERVAL, Read, Source};
pub(crate) use writer::{BodyWriter, Progress};
