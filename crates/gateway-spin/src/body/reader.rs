//! A body that is being received.

use std::cell::{Cell, OnceCell, RefCell};
use std::mem::ManuallyDrop;

use gateway::Error;
use gateway::error::Cause;
use gateway::http::pace::Pace;
use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::types::IncomingBody;
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::{InputStream, StreamError};

use crate::host::{Instant, kept};

/// Bytes requested at a time. The host gives what it has, up to this.
pub(crate) const CHUNK: u64 = 1024 * 1024;

/// The interval in nanoseconds for polling whether the bytes are still wanted.
pub(crate) const POLL_INTERVAL: u64 = 500_000_000;

/// How much of a rejected body is discarded, in bytes, and for how long, in milliseconds.
const DRAINED: u64 = 64 * 1024 * 1024;
const DRAIN_MS: u64 = 3000;

/// The silence in nanoseconds after which a client is taken to wait for the response.
const SILENCE: u64 = 200_000_000;

/// While chunks have to be waited for, one of so many is first tried without waiting. It divides 256, so that
/// their number may wrap.
const TRY_EVERY: u8 = 8;

/// A body that is being received.
pub(crate) struct BodyReader {
    ready: OnceCell<ManuallyDrop<Pollable>>,
    pause: ManuallyDrop<RefCell<Option<Pollable>>>,
    /// How many chunks in a row had to be waited for.
    waited: Cell<u8>,
    /// The bytes that are still to be received, if the length was announced.
    left: Cell<Option<u64>>,
    interval: u64,
    pub(crate) stream: ManuallyDrop<InputStream>,
    _body: ManuallyDrop<IncomingBody>,
}

/// A body that is being streamed: what was read of it, and the rest.
pub(crate) struct Source {
    pub(crate) start: Vec<u8>,
    pub(crate) rest: BodyReader,
}

/// How far a body was read.
pub(crate) enum Read {
    /// To its end.
    Whole(Vec<u8>),
    /// Beyond the limit, or until it was no longer wanted.
    Part(Vec<u8>),
}

impl BodyReader {
    /// Opens a body that was not opened before.
    pub(crate) fn new(body: IncomingBody) -> Result<Self, Error> {
        let taken = |()| Error::Internal(Cause("the body stream was already taken".to_owned()));
        let stream = body.stream().map_err(taken)?;
        let pause = kept(RefCell::default());
        let (stream, interval) = (kept(stream), POLL_INTERVAL);
        let (ready, waited, left) = (OnceCell::new(), Cell::default(), Cell::default());
        Ok(Self { ready, pause, waited, left, interval, stream, _body: kept(body) })
    }

    /// Polls whether its bytes are still wanted at another interval, in nanoseconds.
    pub(crate) fn polling(self, interval: u64) -> Self {
        Self { interval, ..self }
    }

    /// Ends the body after `announced` bytes. Asking a host for the end takes several calls.
    pub(crate) fn of_length(self, announced: Option<u64>) -> Self {
        Self { left: Cell::new(announced), ..self }
    }

    /// Checks whether all bytes of the announced length were read.
    pub(crate) fn has_ended(&self) -> bool {
        self.left.get() == Some(0)
    }

    /// Notes that so many bytes were read.
    pub(crate) fn note_read(&self, bytes: u64) {
        self.left.set(self.left.get().map(|left| left.saturating_sub(bytes)));
    }

    /// Checks whether the next chunk may be there already. After one that had to be waited for, the next
    /// ones usually have to be, too, so that most attempts without waiting would be wasted host calls.
    pub(crate) fn may_be_ready(&self) -> bool {
        self.waited.get().is_multiple_of(TRY_EVERY)
    }

    /// Notes whether a chunk had to be waited for.
    pub(crate) fn note_wait(&self, waited: bool) {
        self.waited.set(if waited { self.waited.get().wrapping_add(1) } else { 0 });
    }

    /// Blocks until there are bytes to read, or the end. Returns `false` if the bytes are no longer
    /// wanted before that. No host reports that a client disconnects, so `is_wanted` is polled.
    pub(crate) fn wait(&self, is_wanted: &dyn Fn() -> bool) -> bool {
        let ready = self.ready.get_or_init(|| kept(self.stream.subscribe()));
        let mut pause = self.pause.borrow_mut();
        loop {
            // The timer outlives this call, so that chunks in quick succession do not create one each.
            let pause_ends = pause.get_or_insert_with(|| subscribe_duration(self.interval));
            if poll(&[ready, pause_ends]).contains(&0) {
                return true;
            }
            *pause = None;
            if !is_wanted() {
                return false;
            }
        }
    }

    /// Waits for the next bytes and returns them, or nothing if they are no longer wanted before they
    /// are received.
    ///
    /// # Errors
    /// [`StreamError::Closed`] at the end.
    pub(crate) fn next(
        &self,
        length: u64,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<u8>>, StreamError> {
        if self.has_ended() {
            return Err(StreamError::Closed);
        }
        let (mut is_tried, mut waited) = (self.may_be_ready(), false);
        loop {
            if is_tried {
                let bytes = self.stream.read(length)?;
                if !bytes.is_empty() {
                    self.note_read(bytes.len() as u64);
                    self.note_wait(waited);
                    return Ok(Some(bytes));
                }
            }
            // Asked after an attempt, too: a host may report a body as ready that has no bytes.
            if !self.wait(is_wanted) || (is_tried && !is_wanted()) {
                return Ok(None);
            }
            (is_tried, waited) = (true, true);
        }
    }

    /// Waits for the next bytes and returns them. Only the host's timeout bounds the wait.
    ///
    /// # Errors
    /// [`StreamError::Closed`] at the end.
    pub(crate) fn next_blocking(&self) -> Result<Vec<u8>, StreamError> {
        if self.has_ended() {
            return Err(StreamError::Closed);
        }
        let bytes = self.stream.blocking_read(CHUNK)?;
        self.note_read(bytes.len() as u64);
        Ok(bytes)
    }

    /// Reads and discards what arrives, up to [`DRAINED`] bytes, until the end or a silence.
    pub(crate) fn drain(&self) {
        let start = Instant::now();
        let mut left = DRAINED;
        while left > 0 && start.millis() < DRAIN_MS {
            match self.stream.skip(left.min(CHUNK)) {
                Ok(0) => {
                    let ready = self.ready.get_or_init(|| kept(self.stream.subscribe()));
                    if !poll(&[ready, &subscribe_duration(SILENCE)]).contains(&0) {
                        return;
                    }
                }
                Ok(bytes) => left -= bytes,
                Err(_) => return,
            }
        }
    }

    /// Reads to the end, or a little beyond `limit`, or until the bytes are no longer wanted. Without
    /// `is_wanted`, only the host's timeout bounds the wait.
    pub(crate) fn read(
        &self,
        limit: u64,
        is_wanted: Option<&dyn Fn(&Pace) -> bool>,
    ) -> Result<Read, StreamError> {
        let mut bytes = Vec::new();
        let (announced, mut pace) = (self.left.get(), Pace::default());
        loop {
            let next = match is_wanted {
                // Asked before each further chunk, too: the wait asks only while nothing arrives.
                Some(is_wanted) if !bytes.is_empty() && !is_wanted(&pace) => Ok(None),
                Some(is_wanted) => self.next(CHUNK, &|| is_wanted(&pace)),
                None => self.next_blocking().map(Some),
            };
            if let Ok(Some(chunk)) = &next {
                pace.note(chunk.len() as u64);
            }
            match next {
                // The first chunk is usually the whole body. It is taken, not copied.
                Ok(Some(chunk)) if bytes.is_empty() => bytes = chunk,
                Ok(Some(chunk)) => {
                    // Room for the announced length, so that a long body is not copied as it grows.
                    let whole = usize::try_from(announced.unwrap_or(0).min(limit)).unwrap_or(0);
                    bytes.reserve(whole.saturating_sub(bytes.len()));
                    bytes.extend_from_slice(&chunk);
                }
                Ok(None) => return Ok(Read::Part(bytes)),
                Err(StreamError::Closed) => return Ok(Read::Whole(bytes)),
                Err(failed) => return Err(failed),
            }
            let length = bytes.len() as u64;
            if length > limit {
                return Ok(Read::Part(bytes));
            }
            if self.has_ended() {
                return Ok(Read::Whole(bytes));
            }
        }
    }
}
