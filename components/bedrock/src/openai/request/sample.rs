//! Messages for tests.

use serde_json::value::RawValue;

use super::Message;
use crate::limits::{MESSAGES, PARTS};
use crate::openai::slots::read_list;

/// Parses a JSON array of messages.
pub(crate) fn messages(json: &str) -> Vec<Message<'_>> {
    let list: &RawValue = serde_json::from_str(json).unwrap();
    read_list("messages", list, &MESSAGES, &PARTS).unwrap()
}

/// Parses a JSON array of one message.
pub(crate) fn message(json: &str) -> Message<'_> {
    messages(json).pop().unwrap()
}
