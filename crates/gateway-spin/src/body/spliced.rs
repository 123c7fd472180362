//! The body of a response that the host moves: none of its bytes enter this instance.

use gateway::Error;

use crate::body::{BodyReader, BodyWriter, Progress, Source, upstream_failure};
use crate::response::StreamBody;

/// A body that the host moves.
pub(crate) struct Spliced(Source);

impl Spliced {
    /// Wraps a body, of which `start` was read.
    pub(crate) fn new(start: Vec<u8>, rest: BodyReader) -> Self {
        Self(Source { start, rest })
    }
}

impl StreamBody for Spliced {
    fn start(&mut self, writer: &BodyWriter) -> Result<Progress, Error> {
        writer.splice_first(&self.0).map_err(|error| upstream_failure(&error))
    }

    fn advance(&mut self, writer: &BodyWriter) -> Result<Progress, Error> {
        writer.splice_chunk(&self.0.rest).map_err(|error| upstream_failure(&error))
    }
}
