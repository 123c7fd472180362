//! The body of a response that the host moves: none of its bytes enter this instance.

use gateway::{Error, Headers};

use crate::body::{BodyReader, BodyWriter, Progress, Source, upstream_failure};
use crate::response::StreamBody;

/// A body that the host moves.
pub(crate) struct Spliced {
    source: Source,
    /// The bytes that are still to be received, if the upstream has announced a length.
    left: Option<u64>,
}

impl Spliced {
    /// Wraps the body of a response with these headers, of which `start` was read.
    pub(crate) fn new(headers: &Headers, start: Vec<u8>, rest: BodyReader) -> Self {
        Self { source: Source { start, rest }, left: headers.content_length() }
    }

    fn note(&mut self, progress: Progress) -> Progress {
        if let (Progress::Bytes(bytes), Some(left)) = (&progress, &mut self.left) {
            *left = left.saturating_sub(*bytes);
        }
        progress
    }
}

impl StreamBody for Spliced {
    fn start(&mut self, writer: &BodyWriter) -> Result<Progress, Error> {
        let progress =
            writer.splice_first(&self.source).map_err(|error| upstream_failure(&error))?;
        Ok(self.note(progress))
    }

    fn advance(&mut self, writer: &BodyWriter) -> Result<Progress, Error> {
        // A body of the announced length has ended. Asking for its end takes several host calls.
        if self.left == Some(0) {
            return Ok(Progress::Ended);
        }
        let rest = &self.source.rest;
        let progress = writer.splice_chunk(rest).map_err(|error| upstream_failure(&error))?;
        Ok(self.note(progress))
    }
}
