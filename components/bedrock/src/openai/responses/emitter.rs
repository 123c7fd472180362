//! The events of a response, numbered.

use std::cell::Cell;

use crate::json::value::{Members, Value};
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

    /// Writes an event of the type `kind` with `members`, and the next number.
    pub(super) fn emit(&self, kind: &'static str, members: Members<'_>, out: &mut Vec<u8>) {
        if self.is_mute {
            return;
        }
        let sequence_number = self.sequence.get();
        self.sequence.set(sequence_number + 1);
        for part in ["event: ", kind, "\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        let mut event = vec![("type", kind.into()), ("sequence_number", sequence_number.into())];
        event.extend(members);
        write_data(|out| Value::Object(event).write(out), out);
    }
}
