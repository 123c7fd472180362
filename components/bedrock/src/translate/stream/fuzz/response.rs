//! A client's view of a stream of the Responses API, and checks of it.

use gateway::Error;
use proptest::prelude::*;
use serde::Deserialize;

/// The events that end a stream.
const LAST: [&str; 3] = ["response.completed", "response.incomplete", "response.failed"];

/// An event as a client reads it, which ignores unknown fields.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type")]
    kind: String,
    sequence_number: usize,
    output_index: Option<usize>,
    delta: Option<String>,
    text: Option<String>,
    arguments: Option<String>,
    item: Option<Item>,
    response: Option<Response>,
}

#[derive(Debug, Deserialize)]
struct Response {
    status: String,
    output: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, alias = "summary")]
    content: Vec<Part>,
    #[serde(default)]
    arguments: String,
}

#[derive(Debug, Deserialize)]
struct Part {
    text: String,
}

impl Item {
    /// Returns the text, the summary or the arguments.
    fn text(&self) -> &str {
        self.content.first().map_or(&self.arguments, |part| &part.text)
    }
}

/// An item as a client assembles it.
#[derive(Debug)]
struct Assembled {
    text: String,
    is_done: bool,
}

/// Splits a stream into its events, and checks their names and numbers.
pub(super) fn events(out: &str) -> Result<Vec<Event>, TestCaseError> {
    prop_assert!(out.is_empty() || out.ends_with("\n\n"), "{out:?}");
    let mut events = Vec::new();
    for (number, event) in out.split_terminator("\n\n").enumerate() {
        let lines = event.strip_prefix("event: ").and_then(|event| event.split_once("\ndata: "));
        prop_assert!(lines.is_some_and(|(_, data)| !data.contains(['\n', '\r'])), "{event:?}");
        let (name, data) = lines.unwrap_or_default();
        let data: Event = serde_json::from_str(data)
            .map_err(|error| TestCaseError::fail(format!("{error}: {event}")))?;
        prop_assert_eq!((&*data.kind, data.sequence_number), (name, number));
        events.push(data);
    }
    Ok(events)
}

/// Checks that the stream opens once, that each item grows between its first event and its last, and
/// that one event with all items ends it, which says whether it failed.
pub(super) fn check(events: &[Event], error: Option<&Error>) -> Result<(), TestCaseError> {
    let [created, in_progress, middle @ .., last] = events else {
        prop_assert!(events.is_empty() && error.is_some(), "{events:?}");
        return Ok(());
    };
    prop_assert_eq!(&created.kind, "response.created");
    prop_assert_eq!(&in_progress.kind, "response.in_progress");
    let mut items = Vec::new();
    middle.iter().try_for_each(|event| assemble(event, &mut items))?;
    prop_assert!(LAST.contains(&&*last.kind), "{last:?}");
    prop_assert_eq!(last.kind == "response.failed", error.is_some());
    let Some(response) = &last.response else { return Err(TestCaseError::fail("no response")) };
    prop_assert_eq!(format!("response.{}", response.status), &*last.kind);
    prop_assert_eq!(response.output.len(), items.len());
    for (item, assembled) in response.output.iter().zip(&items) {
        prop_assert_eq!(item.text(), &*assembled.text);
        prop_assert!(assembled.is_done || error.is_some(), "{item:?}");
    }
    Ok(())
}

/// Adds an event to the items, as a client does.
fn assemble(event: &Event, items: &mut Vec<Assembled>) -> Result<(), TestCaseError> {
    let Some(index) = event.output_index else {
        return Err(TestCaseError::fail(format!("an event without an item: {event:?}")));
    };
    if event.kind == "response.output_item.added" {
        prop_assert_eq!(index, items.len());
        items.push(Assembled { text: String::new(), is_done: false });
        return Ok(());
    }
    prop_assert!(index < items.len(), "{event:?}");
    let item = &mut items[index];
    prop_assert!(!item.is_done, "more after the end of an item: {event:?}");
    item.text += event.delta.as_deref().unwrap_or_default();
    for whole in [&event.text, &event.arguments].into_iter().flatten() {
        prop_assert_eq!(whole, &item.text);
    }
    if event.kind == "response.output_item.done" {
        prop_assert_eq!(event.item.as_ref().map(Item::text), Some(&*item.text));
        item.is_done = true;
    }
    Ok(())
}

/// Collects the texts of the messages in the last response.
pub(super) fn message_text(events: &[Event]) -> String {
    let response = events.last().and_then(|last| last.response.as_ref());
    let output = response.into_iter().flat_map(|response| &response.output);
    output.filter(|item| item.kind == "message").map(Item::text).collect()
}
