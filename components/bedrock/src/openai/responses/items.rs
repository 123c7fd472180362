//! The items of a response's output while they grow.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::emitter::Emitter;
use super::reasoning;
use super::response::{Annotation, Event, Item, Part};
use crate::openai::completion::{Citation, ThinkingBlock, UrlCitation};

/// An item of the output.
#[derive(Debug)]
pub(super) struct OutputItem {
    id: String,
    pub(super) kind: Kind,
    /// The item's place in the output.
    index: usize,
    status: &'static str,
    /// The text, the summary, the arguments, or an image in base64.
    pub(super) text: String,
    /// Whether the item has a part with its text.
    has_part: bool,
    /// The sources of the text, as JSON.
    annotations: Vec<Box<RawValue>>,
    citations: Vec<Box<RawValue>>,
    /// Reasoning in the form that can be sent back.
    encrypted: Option<String>,
}

/// The type of an item.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Reasoning,
    Call { id: String, namespace: Option<String>, name: String },
    Image,
}

/// The names of the events about an item's text; the last two only where it is in a part.
struct Names {
    delta: &'static str,
    done: &'static str,
    part_added: &'static str,
    part_done: &'static str,
}

/// The status of an item that grows.
const IN_PROGRESS: &str = "in_progress";

impl OutputItem {
    /// Creates an item without text, with the number `index` in the response `id`.
    pub(super) fn new(kind: Kind, id: &str, index: usize) -> Self {
        let prefix = match kind {
            Kind::Message => "msg",
            Kind::Reasoning => "rs",
            Kind::Call { .. } => "fc",
            Kind::Image => "ig",
        };
        Self {
            id: format!("{prefix}_{id}_{index}"),
            kind,
            index,
            status: IN_PROGRESS,
            text: String::new(),
            has_part: false,
            annotations: Vec::new(),
            citations: Vec::new(),
            encrypted: None,
        }
    }

    /// Checks whether the item may still grow.
    pub(super) fn is_open(&self) -> bool {
        self.status == IN_PROGRESS
    }

    /// Checks whether the item is complete when another begins: a call only if its arguments are.
    pub(super) fn is_complete(&self) -> bool {
        match self.kind {
            Kind::Call { .. } => serde_json::from_str::<&RawValue>(&self.text).is_ok(),
            _ => true,
        }
    }

    // === Growth ===

    /// Writes the event that announces the item.
    pub(super) fn announce(&self, emitter: &Emitter, out: &mut Vec<u8>) {
        self.emit_whole("response.output_item.added", emitter, out);
    }

    /// Adds a piece to the text.
    pub(super) fn add(&mut self, piece: &str, emitter: &Emitter, out: &mut Vec<u8>) {
        if self.is_in_parts() && !std::mem::replace(&mut self.has_part, true) {
            let part = Some(self.part());
            emitter.emit(Event { part, ..self.event(self.names().part_added) }, out);
        }
        self.text.push_str(piece);
        let (delta, logprobs) = (Some(piece), self.part().logprobs);
        emitter.emit(Event { delta, logprobs, ..self.event(self.names().delta) }, out);
    }

    /// Ends reasoning with the signature without which it cannot be sent back.
    pub(super) fn seal(&mut self, block: &ThinkingBlock<'_>, emitter: &Emitter, out: &mut Vec<u8>) {
        self.encrypted = Some(reasoning::seal(block));
        self.end("completed", emitter, out);
    }

    /// Adds a web page that supports the text, whose first character has the number `start`.
    pub(super) fn annotate(
        &mut self,
        source: &UrlCitation<'_>,
        start: usize,
        emitter: &Emitter,
        out: &mut Vec<u8>,
    ) {
        let annotation = Annotation {
            kind: "url_citation",
            url: &source.url,
            title: &source.title,
            start_index: source.start_index.saturating_sub(start),
            end_index: source.end_index.saturating_sub(start),
        };
        let annotation_index = Some(self.annotations.len());
        self.annotations.extend(raw(&annotation));
        let annotation = self.annotations.last().map(|annotation| &**annotation);
        let event = self.event("response.output_text.annotation.added");
        emitter.emit(Event { annotation_index, annotation, ..event }, out);
    }

    /// Adds any other source.
    pub(super) fn cite(&mut self, citation: &Citation<'_>) {
        self.citations.extend(raw(citation));
    }

    /// Ends the item with `status`, if it is open.
    pub(super) fn end(&mut self, status: &'static str, emitter: &Emitter, out: &mut Vec<u8>) {
        if !self.is_open() {
            return;
        }
        self.status = status;
        let done = self.names().done;
        if let Kind::Call { .. } = self.kind {
            emitter.emit(Event { arguments: Some(&self.text), ..self.event(done) }, out);
        }
        if self.has_part {
            let logprobs = self.part().logprobs;
            emitter.emit(Event { text: Some(&self.text), logprobs, ..self.event(done) }, out);
            let part = Some(self.part());
            emitter.emit(Event { part, ..self.event(self.names().part_done) }, out);
        }
        self.emit_whole("response.output_item.done", emitter, out);
    }

    // === Events ===

    /// Checks whether the text is in a part.
    fn is_in_parts(&self) -> bool {
        matches!(self.kind, Kind::Message | Kind::Reasoning)
    }

    /// Returns the names of the events about the text.
    fn names(&self) -> Names {
        match self.kind {
            Kind::Message | Kind::Image => Names {
                delta: "response.output_text.delta",
                done: "response.output_text.done",
                part_added: "response.content_part.added",
                part_done: "response.content_part.done",
            },
            Kind::Reasoning => Names {
                delta: "response.reasoning_summary_text.delta",
                done: "response.reasoning_summary_text.done",
                part_added: "response.reasoning_summary_part.added",
                part_done: "response.reasoning_summary_part.done",
            },
            Kind::Call { .. } => Names {
                delta: "response.function_call_arguments.delta",
                done: "response.function_call_arguments.done",
                part_added: "",
                part_done: "",
            },
        }
    }

    /// Returns an event about the text of this item.
    fn event(&self, kind: &'static str) -> Event<'_> {
        Event {
            kind,
            item_id: Some(&self.id),
            output_index: Some(self.index),
            content_index: (self.kind == Kind::Message).then_some(0),
            summary_index: (self.kind == Kind::Reasoning).then_some(0),
            ..Event::default()
        }
    }

    /// Writes an event with the whole item.
    fn emit_whole(&self, kind: &'static str, emitter: &Emitter, out: &mut Vec<u8>) {
        let (output_index, item) = (Some(self.index), Some(self.view()));
        emitter.emit(Event { kind, output_index, item, ..Event::default() }, out);
    }

    /// Returns the part with the text.
    fn part(&self) -> Part<'_> {
        match self.kind {
            Kind::Message => Part {
                kind: "output_text",
                text: &self.text,
                annotations: Some(&self.annotations),
                logprobs: Some([]),
            },
            _ => Part { kind: "summary_text", text: &self.text, ..Part::default() },
        }
    }

    /// Returns the item as it is written.
    pub(super) fn view(&self) -> Item<'_> {
        let parts = || Some(if self.has_part { vec![self.part()] } else { Vec::new() });
        let item = Item {
            id: (&*self.id).into(),
            status: self.status,
            citations: &self.citations,
            ..Item::default()
        };
        match &self.kind {
            Kind::Message => {
                Item { kind: "message", role: Some("assistant"), content: parts(), ..item }
            }
            Kind::Reasoning => Item {
                kind: "reasoning",
                summary: parts(),
                encrypted_content: self.encrypted.as_deref(),
                ..item
            },
            Kind::Call { id, namespace, name } => Item {
                kind: "function_call",
                call_id: Some(id),
                namespace: namespace.as_deref(),
                name: Some(name),
                arguments: Some(&self.text),
                ..item
            },
            Kind::Image => Item { kind: "image_generation_call", result: Some(&self.text), ..item },
        }
    }
}

/// Returns `value` as JSON.
fn raw(value: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}
