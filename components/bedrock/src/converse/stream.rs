//! A stream of Converse made a stream of chunks: bytes in, bytes out.

mod block;
mod event;
mod telling;

use gateway::Error;
use gateway::translator::Rewrite;

use crate::completion::events::Events;
use crate::converse::frames::{Frame, Frames};
use crate::converse::request::Exchange;
use crate::converse::stream::event::Event;
use crate::converse::stream::telling::Telling;
use crate::errors;

/// The translation of one stream.
pub(crate) struct StreamTranslator {
    frames: Frames,
    telling: Telling,
    /// Whether the client has been told all it will be told, be it the end or an error.
    is_over: bool,
}

impl StreamTranslator {
    /// A stream whose head had the `x-amzn-requestid` `id`.
    pub(crate) fn new(id: &str, exchange: Exchange) -> Self {
        let telling = Telling::new(format!("chatcmpl-{id}"), exchange);
        Self { frames: Frames::default(), telling, is_over: false }
    }

    fn take_frames(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        while let Some(frame) = self.frames.next()? {
            self.take(&frame, out)?;
        }
        Ok(())
    }

    fn take(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Result<(), Error> {
        let header = |name| frame.header(name);
        match header(":message-type") {
            "event" => match Event::parse(header(":event-type"), frame.payload())? {
                Some(event) => self.telling.take(event, out),
                None => Ok(()),
            },
            "exception" => Err(errors::exception(header(":exception-type"), frame.payload())),
            "error" => Err(errors::stated(header(":error-code"), header(":error-message"))),
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
        self.is_over = taken.is_err();
        taken
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(());
        }
        if !self.frames.is_empty() {
            return Err(Error::unusable("a stream that ends inside a frame"));
        }
        if !self.telling.is_complete() {
            return Err(Error::unusable("a stream that ends before its message does"));
        }
        Events::done(out);
        Ok(())
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
pub(crate) mod tests;
