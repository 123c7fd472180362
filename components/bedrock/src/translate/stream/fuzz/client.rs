//! A client's view of a stream, and checks of it.

use gateway::Error;
use proptest::prelude::*;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::translate::context::ResponseContext;

/// A chunk as a client reads it, which ignores unknown fields.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk {
    id: String,
    object: String,
    model: String,
    choices: Vec<Choice>,
    #[serde(default, deserialize_with = "present")]
    usage: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Delta {
    role: Option<String>,
    content: Option<String>,
    #[serde(default)]
    tool_calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
struct Call {
    index: usize,
    id: Option<String>,
    function: Function,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: Option<String>,
    arguments: String,
}

/// Separates `null` from a missing field.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Splits a stream into the data of its events.
pub(super) fn events(out: &str) -> Result<Vec<&str>, TestCaseError> {
    prop_assert!(out.is_empty() || out.ends_with("\n\n"), "{out:?}");
    let mut events = Vec::new();
    for event in out.split_terminator("\n\n") {
        let data = event.strip_prefix("data: ");
        prop_assert!(data.is_some() && !event.contains(['\n', '\r']), "{event:?}");
        events.extend(data);
    }
    Ok(events)
}

/// Checks that `[DONE]` ends a complete stream, and no other.
pub(super) fn check_end(events: &[&str], error: Option<&Error>) -> Result<(), TestCaseError> {
    let done = events.iter().filter(|event| **event == "[DONE]").count();
    prop_assert_eq!(done, usize::from(error.is_none()), "{:?}", error);
    prop_assert!(error.is_some() || events.ends_with(&["[DONE]"]));
    if let Some(error) = error {
        let status = error.shape().status;
        prop_assert!(status.is_client_error() || status.is_server_error(), "{status}");
    }
    Ok(())
}

/// Parses the data of all events except `[DONE]`.
pub(super) fn chunks(events: &[&str]) -> Result<Vec<Chunk>, TestCaseError> {
    let read = |event: &&str| {
        let chunk = serde_json::from_str(event);
        chunk.map_err(|error| TestCaseError::fail(format!("{error}: {event}")))
    };
    events.iter().filter(|event| **event != "[DONE]").map(read).collect()
}

/// Collects the text of all chunks.
pub(super) fn text(chunks: &[Chunk]) -> String {
    let choices = chunks.iter().flat_map(|chunk| &chunk.choices);
    choices.filter_map(|choice| choice.delta.content.as_deref()).collect()
}

/// Checks that the message opens once, that calls are numbered in order, and that nothing follows
/// its end.
pub(super) fn check_chunks(
    chunks: &[Chunk],
    context: &ResponseContext,
    is_complete: bool,
) -> Result<(), TestCaseError> {
    let mut calls: Vec<String> = Vec::new();
    let (mut is_open, mut is_ended) = (false, false);
    for chunk in chunks {
        prop_assert_eq!((&*chunk.object, &*chunk.id), ("chat.completion.chunk", "chatcmpl-id"));
        prop_assert_eq!(&chunk.model, &context.model);
        prop_assert_eq!(chunk.usage.is_some(), context.include_usage);
        let Some(choice) = chunk.choices.first() else {
            prop_assert!(chunk.usage.as_ref().is_some_and(Value::is_object), "{chunk:?}");
            continue;
        };
        prop_assert!(!is_ended, "more after the end: {chunk:?}");
        prop_assert_eq!(choice.delta.role.is_some(), !is_open);
        is_open = true;
        is_ended = choice.finish_reason.is_some();
        choice.delta.tool_calls.iter().try_for_each(|call| check_call(call, &mut calls))?;
    }
    prop_assert!(is_ended || !is_complete);
    prop_assert!(!is_complete || calls.iter().all(|arguments| !arguments.is_empty()), "{calls:?}");
    Ok(())
}

/// Checks that a call begins with the next index, its id and its name, and continues with
/// arguments.
fn check_call(call: &Call, calls: &mut Vec<String>) -> Result<(), TestCaseError> {
    prop_assert_eq!(call.id.is_some(), call.function.name.is_some());
    if call.id.is_some() {
        prop_assert_eq!(call.index, calls.len());
        calls.push(String::new());
    }
    prop_assert!(call.index < calls.len(), "{call:?}");
    calls[call.index] += &call.function.arguments;
    Ok(())
}
