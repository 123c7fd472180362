//! A body on its way out, of a request or a response alike.

use gateway::Error;
use gateway::error::Cause;
use gateway::rename::Rename;
use wasi::http::types::{ErrorCode, OutgoingBody};
use wasi::io::poll::Pollable;
use wasi::io::streams::{OutputStream, StreamError};

use crate::inbound::{CHUNK, Incoming, Source};

/// Bytes copied at once: what comes of them still fits into what a host takes without waiting,
/// because the first of them are written before anybody reads.
const COPIED: u64 = 256 * 1024;

/// A body that is being written. The stream is a child of the body, so it goes first.
///
/// Dropped unfinished, it is cut off: nobody takes a part of it for the whole.
pub(crate) struct Sink {
    stream: OutputStream,
    body: OutgoingBody,
}

/// What moving a chunk came to.
pub(crate) enum Moved {
    /// So many bytes, and there may be more.
    Some(u64),
    /// The source has ended.
    All,
    /// The reader of this body is gone.
    Refused,
}

impl Sink {
    /// Takes the body of a request or response that has not been opened before.
    pub(crate) fn open(body: Result<OutgoingBody, ()>) -> Result<Self, Error> {
        let taken = |()| Error::Internal(Cause("the outgoing body was taken already".to_owned()));
        let body = body.map_err(taken)?;
        let stream = body.write().map_err(taken)?;
        Ok(Self { stream, body })
    }

    /// Writes as much as the host takes without waiting and returns the rest.
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

    /// Writes all of `bytes`, waiting for the reader to take them.
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

    /// Whether anybody still reads this body.
    pub(crate) fn has_reader(&self) -> bool {
        self.stream.check_write().is_ok()
    }

    /// What is ready once more can be written, or nothing ever again.
    pub(crate) fn ready(&self) -> Pollable {
        self.stream.subscribe()
    }

    /// Moves the first bytes of `source`.
    pub(crate) fn move_start(&self, source: &Source) -> Result<Moved, Cause> {
        if source.start.is_empty() {
            return self.move_chunk(&source.rest);
        }
        // At most one chunk, which a host takes without waiting.
        self.write_ready(&source.start);
        Ok(Moved::Some(source.start.len() as u64))
    }

    /// Moves what `source` has next, waiting for it while there is a reader. The host moves the bytes:
    /// none come in here.
    pub(crate) fn move_chunk(&self, source: &Incoming) -> Result<Moved, Cause> {
        // Where chunks follow one another closely, this is all there is to do for each.
        match self.outcome(self.stream.splice(&source.stream, CHUNK))? {
            Moved::Some(0) => {}
            moved => return Ok(moved),
        }
        if !source.wait(&|| self.has_reader()) {
            return Ok(Moved::Refused);
        }
        self.outcome(self.stream.blocking_splice(&source.stream, CHUNK))
    }

    fn outcome(&self, spliced: Result<u64, StreamError>) -> Result<Moved, Cause> {
        match spliced {
            Ok(bytes) => Ok(Moved::Some(bytes)),
            // Either end may have closed: only the reader's takes no more writes then.
            Err(StreamError::Closed) if self.has_reader() => Ok(Moved::All),
            Err(StreamError::Closed) => Ok(Moved::Refused),
            Err(StreamError::LastOperationFailed(error)) => Err(Cause(error.to_debug_string())),
        }
    }

    /// Moves what `source` has next through `rename`, which has to see the bytes.
    pub(crate) fn copy_chunk(
        &self,
        source: &Incoming,
        rename: &mut Rename,
    ) -> Result<Moved, Cause> {
        match source.next(COPIED, &|| self.has_reader()) {
            Ok(Some(bytes)) => Ok(self.write(&rename.push(&bytes))),
            Ok(None) => Ok(Moved::Refused),
            Err(StreamError::Closed) => match self.write(&rename.finish()) {
                Moved::Some(0) => Ok(Moved::All),
                moved => Ok(moved),
            },
            Err(StreamError::LastOperationFailed(error)) => Err(Cause(error.to_debug_string())),
        }
    }

    fn write(&self, bytes: &[u8]) -> Moved {
        match self.write_all(bytes) {
            Ok(()) => Moved::Some(bytes.len() as u64),
            Err(_) => Moved::Refused,
        }
    }

    /// Leaves the body unfinished until the instance ends with its request: cut at once, it would
    /// take the answer that is coming on the same connection with it.
    pub(crate) fn leave_open(self) {
        std::mem::forget(self);
    }

    /// Ends the body as a whole one.
    pub(crate) fn finish(self) -> Result<(), ErrorCode> {
        drop(self.stream);
        OutgoingBody::finish(self.body, None)
    }
}
