//! The events of a response, numbered.

use std::cell::Cell;

use super::response::Event;
use crate::openai::events::write_data;

/// Writes events, unless the response is whole.
#[derive(Debug, Default)]
pub(super) struct Emitter {
    pub(super) is_mute: bool,
    /// The number of the next event.
    sequence: Cell<u64>,
}

impl Emitter {
    /// Checks whether an event has been written.
    pub(super) fn has_begun(&self) -> bool {
        self.sequence.get() > 0
    }

    /// Writes an event, with the next number.
    pub(super) fn emit(&self, event: Event<'_>, out: &mut Vec<u8>) {
        if !self.is_mute {
            let sequence_number = self.sequence.get();
            self.sequence.set(sequence_number + 1);
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(event.kind.as_bytes());
            out.push(b'\n');
            write_data(&Event { sequence_number, ..event }, out);
        }
    }
}
