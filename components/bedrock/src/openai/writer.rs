//! The writer of a completion in the API that the client uses.

use std::rc::Rc;

use gateway::Error;

use crate::openai::completion::{Delta, Extras, Usage};
use crate::openai::events::ChunkWriter;
use crate::openai::responses::echo::Echo;
use crate::openai::responses::writer::ResponseWriter;

/// The API that the client uses.
#[derive(Clone, Debug, Default)]
pub(crate) enum Api {
    /// Chat completions.
    #[default]
    Chat,
    /// Responses, and what each repeats of its request.
    Responses(Rc<Echo>),
}

/// The writer of a stream.
#[derive(Debug)]
pub(crate) enum Writer {
    Chat(ChunkWriter),
    Responses(Box<ResponseWriter>),
}

impl Writer {
    /// Writes what opens the message.
    pub(crate) fn open(&self, out: &mut Vec<u8>) {
        match self {
            Self::Chat(chat) => chat.open(out),
            Self::Responses(response) => response.open(out),
        }
    }

    /// Writes what `delta` adds to the message.
    pub(crate) fn add(&mut self, delta: Delta<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Chat(chat) => chat.add(delta, out),
            Self::Responses(response) => response.add(&delta, out),
        }
    }

    /// Ends the message.
    pub(crate) fn close(&mut self, reason: &'static str, extras: Extras<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Chat(chat) => chat.close(reason, extras, out),
            Self::Responses(response) => response.close(reason, extras, out),
        }
    }

    /// Writes the usage.
    pub(crate) fn usage(&mut self, usage: Usage, extras: Extras<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Chat(chat) => chat.usage(usage, extras, out),
            Self::Responses(response) => response.usage(usage, extras),
        }
    }

    /// Makes this the writer of a whole response: it writes no events.
    pub(crate) fn mute(&mut self) {
        match self {
            Self::Chat(_) => {}
            Self::Responses(response) => response.mute(),
        }
    }

    /// Returns the body of a whole response, which is the sum of its events. Chat completions have
    /// a form of their own.
    pub(crate) fn body(&self) -> Vec<u8> {
        match self {
            Self::Chat(_) => Vec::new(),
            Self::Responses(response) => response.body(),
        }
    }

    /// Writes the end of a complete stream. A stream that failed must not have it.
    pub(crate) fn done(&self, out: &mut Vec<u8>) {
        match self {
            Self::Chat(_) => ChunkWriter::done(out),
            Self::Responses(response) => response.done(out),
        }
    }

    /// Writes what the API has for a stream that `error` ends, before the event with the error itself.
    pub(crate) fn fail(&self, error: &Error, out: &mut Vec<u8>) {
        match self {
            Self::Chat(_) => {}
            Self::Responses(response) => response.fail(error, out),
        }
    }
}
