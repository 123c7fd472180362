//! The translation of a stream of Converse into a stream of events: bytes in, bytes out.

use gateway::Error;
use gateway::translator::Rewrite;

use crate::aws::errors;
use crate::converse::event::Event;
use crate::converse::frames::{Frame, Frames};
use crate::translate::context::ResponseContext;
use crate::translate::state::StreamState;

/// The translator of one stream.
pub(crate) struct StreamTranslator {
    frames: Frames,
    state: StreamState,
    /// Whether nothing more is emitted, after the end or after an error.
    is_over: bool,
}

impl StreamTranslator {
    /// Creates a translator for the stream whose response headers had the `x-amzn-requestid` `id`.
    pub(crate) fn new(id: &str, context: ResponseContext) -> Self {
        let state = StreamState::new(context.writer(id), context);
        Self { frames: Frames::default(), state, is_over: false }
    }

    /// Translates all frames that are complete.
    fn take_frames(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        while let Some(frame) = self.frames.next()? {
            self.take(&frame, out)?;
        }
        Ok(())
    }

    /// Translates one frame. Messages of unknown kinds are skipped.
    fn take(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<(), Error> {
        let header = |name| frame.header(name);
        match header(":message-type") {
            "event" => match Event::parse(header(":event-type"), frame.payload())? {
                Some(event) => self.state.take(event, out),
                None => Ok(()),
            },
            "exception" => Err(errors::exception(header(":exception-type"), frame.payload())),
            "error" => Err(errors::from_headers(header(":error-code"), header(":error-message"))),
            _ => Ok(()),
        }
    }
}

impl Rewrite for StreamTranslator {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if self.is_over {
            return Ok(());
        }
        self.frames.extend(bytes);
        let taken = self.take_frames(out);
        // The caller reports the error to the client, after which nothing may follow.
        self.is_over = taken.is_err();
        taken
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(());
        }
        // A stream that was cut must not look complete: no `[DONE]` after either error.
        if !self.frames.is_empty() {
            return Err(Error::invalid_response("a stream that ended inside a frame"));
        }
        if !self.state.is_complete() {
            return Err(Error::invalid_response("a stream that ended before its message"));
        }
        self.state.done(out);
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        self.state.fail(error, out);
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
pub(crate) mod tests;
