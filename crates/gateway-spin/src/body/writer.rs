//! A body that is being written, of a request or of a response.

use gateway::Error;
use gateway::error::Cause;
use wasi::http::types::{ErrorCode, OutgoingBody};
use wasi::io::error::Error as IoError;
use wasi::io::poll::Pollable;
use wasi::io::streams::{OutputStream, StreamError};

use crate::body::{BodyReader, CHUNK, Source};

/// Bytes copied at a time. The first of them are written before anyone reads, so with the edit they
/// must still fit into what a host accepts without waiting.
const COPIED: u64 = 256 * 1024;

/// A body that is being written. The stream is a child of the body, so it is dropped first.
///
/// Dropping it unfinished aborts the body, so a partial body is never taken for a complete one.
pub(crate) struct BodyWriter {
    stream: OutputStream,
    body: OutgoingBody,
}

/// Reads or edits the bytes of a body on their way.
pub(crate) trait Filter {
    /// Takes the next bytes and returns those that are written.
    fn push(&mut self, bytes: Vec<u8>) -> Vec<u8>;

    /// Ends the body and returns the bytes that were held back.
    fn finish(&mut self) -> Vec<u8>;
}

/// What became of a chunk.
pub(crate) enum Progress {
    /// So many bytes were written, and more may follow.
    Bytes(u64),
    /// The source has ended.
    Ended,
    /// The reader of this body has disconnected.
    Disconnected,
}

impl BodyWriter {
    /// Opens the body of a request or response that was not opened before.
    pub(crate) fn open(body: Result<OutgoingBody, ()>) -> Result<Self, Error> {
        let taken = |()| Error::Internal(Cause("the outgoing body was already taken".to_owned()));
        let body = body.map_err(taken)?;
        let stream = body.write().map_err(taken)?;
        Ok(Self { stream, body })
    }

    /// Writes as much as the host accepts without waiting, and returns the rest.
    pub(crate) fn write_ready<'a>(&self, mut bytes: &'a [u8]) -> &'a [u8] {
        while !bytes.is_empty() {
            let room =
                usize::try_from(self.stream.check_write().unwrap_or(0)).unwrap_or(usize::MAX);
            let (chunk, rest) = bytes.split_at(bytes.len().min(room));
            if chunk.is_empty() || self.stream.write(chunk).is_err() {
                break;
            }
            bytes = rest;
        }
        bytes
    }

    /// Writes all of `bytes`, waiting for the reader to accept them.
    pub(crate) fn write_all(&self, mut bytes: &[u8]) -> Result<(), StreamError> {
        loop {
            bytes = self.write_ready(bytes);
            if bytes.is_empty() {
                return Ok(());
            }
            self.stream.subscribe().block();
            self.stream.check_write()?;
        }
    }

    /// Checks whether the reader of this body is still connected.
    pub(crate) fn has_reader(&self) -> bool {
        self.stream.check_write().is_ok()
    }

    /// Returns what becomes ready as soon as more can be written, or nothing ever again.
    pub(crate) fn ready(&self) -> Pollable {
        self.stream.subscribe()
    }

    /// Writes the first bytes of `source`, as far as there are any.
    pub(crate) fn splice_first(&self, source: &Source) -> Result<Progress, IoError> {
        if source.start.is_empty() {
            return self.splice_ready(&source.rest);
        }
        // At most one chunk, which a host accepts without waiting.
        self.write_ready(&source.start);
        Ok(Progress::Bytes(source.start.len() as u64))
    }

    /// Writes the next bytes of `source` that it has and this body accepts without waiting. The host
    /// copies the bytes: none enter this instance.
    pub(crate) fn splice_ready(&self, source: &BodyReader) -> Result<Progress, IoError> {
        self.outcome(source, self.stream.splice(&source.stream, CHUNK))
    }

    /// Writes the next bytes of `source`, waiting for them while there is a reader.
    pub(crate) fn splice_chunk(&self, source: &BodyReader) -> Result<Progress, IoError> {
        if source.has_ended() {
            return Ok(Progress::Ended);
        }
        if source.may_be_ready() {
            // For chunks in quick succession, this one host call each is all there is to do.
            let progress = self.splice_ready(source)?;
            if !matches!(progress, Progress::Bytes(0)) {
                source.note_wait(false);
                return Ok(progress);
            }
        }
        source.note_wait(true);
        if !source.wait(&|| self.has_reader()) {
            return Ok(Progress::Disconnected);
        }
        self.outcome(source, self.stream.blocking_splice(&source.stream, CHUNK))
    }

    fn outcome(
        &self,
        source: &BodyReader,
        spliced: Result<u64, StreamError>,
    ) -> Result<Progress, IoError> {
        match spliced {
            Ok(bytes) => {
                source.note_read(bytes);
                Ok(Progress::Bytes(bytes))
            }
            // Either end may have closed. If it was the reader's, it accepts no more writes.
            Err(StreamError::Closed) if self.has_reader() => Ok(Progress::Ended),
            Err(StreamError::Closed) => Ok(Progress::Disconnected),
            Err(StreamError::LastOperationFailed(error)) => Err(error),
        }
    }

    /// Writes the next bytes of `source` as `filter` returns them.
    pub(crate) fn copy_chunk(
        &self,
        source: &BodyReader,
        filter: &mut impl Filter,
    ) -> Result<Progress, IoError> {
        match source.next(COPIED, &|| self.has_reader()) {
            Ok(Some(bytes)) => Ok(self.write(&filter.push(bytes))),
            Ok(None) => Ok(Progress::Disconnected),
            Err(StreamError::Closed) => match self.write(&filter.finish()) {
                Progress::Bytes(0) => Ok(Progress::Ended),
                progress => Ok(progress),
            },
            Err(StreamError::LastOperationFailed(error)) => Err(error),
        }
    }

    fn write(&self, bytes: &[u8]) -> Progress {
        match self.write_all(bytes) {
            Ok(()) => Progress::Bytes(bytes.len() as u64),
            Err(_) => Progress::Disconnected,
        }
    }

    /// Leaves the body unfinished until the instance ends with its request. Aborted now, it would
    /// abort the response that is being received on the same connection.
    pub(crate) fn leave_open(self) {
        std::mem::forget(self);
    }

    /// Ends the body as a complete one.
    pub(crate) fn finish(self) -> Result<(), ErrorCode> {
        drop(self.stream);
        OutgoingBody::finish(self.body, None)
    }
}
