//! The items of a response's output while they grow.

use serde_json::value::{RawValue, to_raw_value};

use super::emitter::Emitter;
use super::reasoning;
use crate::json::value::{Members, Value};
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
        let names = self.names();
        if self.is_in_parts() && !std::mem::replace(&mut self.has_part, true) {
            self.emit(names.part_added, [("part", self.part())], emitter, out);
        }
        self.text.push_str(piece);
        self.emit(names.delta, [("delta", piece.into())], emitter, out);
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
        let annotation = Value::Object(vec![
            ("type", "url_citation".into()),
            ("url", (&*source.url).into()),
            ("title", (&*source.title).into()),
            ("start_index", source.start_index.saturating_sub(start).into()),
            ("end_index", source.end_index.saturating_sub(start).into()),
        ]);
        let index = ("annotation_index", self.annotations.len().into());
        let json = String::from_utf8(annotation.to_json()).unwrap_or_default();
        self.annotations.extend(RawValue::from_string(json));
        let members = [index, ("annotation", annotation)];
        self.emit("response.output_text.annotation.added", members, emitter, out);
    }

    /// Adds any other source.
    pub(super) fn cite(&mut self, citation: &Citation<'_>) {
        self.citations.extend(to_raw_value(citation));
    }

    /// Ends the item with `status`, if it is open.
    pub(super) fn end(&mut self, status: &'static str, emitter: &Emitter, out: &mut Vec<u8>) {
        if !self.is_open() {
            return;
        }
        self.status = status;
        let names = self.names();
        if let Kind::Call { .. } = self.kind {
            self.emit(names.done, [("arguments", (&*self.text).into())], emitter, out);
        }
        if self.has_part {
            self.emit(names.done, [("text", (&*self.text).into())], emitter, out);
            self.emit(names.part_done, [("part", self.part())], emitter, out);
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

    /// Writes an event about the text of this item.
    fn emit<'a>(
        &'a self,
        kind: &'static str,
        members: impl IntoIterator<Item = (&'static str, Value<'a>)>,
        emitter: &Emitter,
        out: &mut Vec<u8>,
    ) {
        let mut event: Members<'_> =
            vec![("item_id", (&*self.id).into()), ("output_index", self.index.into())];
        match self.kind {
            Kind::Message => event.push(("content_index", 0_u64.into())),
            Kind::Reasoning => event.push(("summary_index", 0_u64.into())),
            Kind::Call { .. } | Kind::Image => {}
        }
        event.extend(members);
        let names = self.names();
        if self.kind == Kind::Message && (kind == names.delta || kind == names.done) {
            event.push(("logprobs", Value::List(Vec::new())));
        }
        emitter.emit(kind, event, out);
    }

    /// Writes an event with the whole item.
    fn emit_whole(&self, kind: &'static str, emitter: &Emitter, out: &mut Vec<u8>) {
        let members = vec![("output_index", self.index.into()), ("item", self.value())];
        emitter.emit(kind, members, out);
    }

    /// Returns the part with the text.
    fn part(&self) -> Value<'_> {
        let text = ("text", (&*self.text).into());
        Value::Object(match self.kind {
            Kind::Message => vec![
                ("type", "output_text".into()),
                text,
                ("annotations", (&*self.annotations).into()),
                ("logprobs", Value::List(Vec::new())),
            ],
            _ => vec![("type", "summary_text".into()), text],
        })
    }

    /// Returns the item as it is written.
    pub(super) fn value(&self) -> Value<'_> {
        let parts = || Value::List(if self.has_part { vec![self.part()] } else { Vec::new() });
        let (kind, members): (&str, Members<'_>) = match &self.kind {
            Kind::Message => ("message", vec![("role", "assistant".into()), ("content", parts())]),
            Kind::Reasoning => {
                let encrypted = self.encrypted.as_deref().into();
                ("reasoning", vec![("summary", parts()), ("encrypted_content", encrypted)])
            }
            Kind::Call { id, namespace, name } => {
                let mut members = vec![("call_id", (&**id).into())];
                let namespace = namespace.as_deref();
                members.extend(namespace.map(|namespace| ("namespace", namespace.into())));
                members.push(("name", (&**name).into()));
                members.push(("arguments", (&*self.text).into()));
                ("function_call", members)
            }
            Kind::Image => ("image_generation_call", vec![("result", (&*self.text).into())]),
        };
        let mut item: Members<'_> =
            vec![("id", (&*self.id).into()), ("type", kind.into()), ("status", self.status.into())];
        item.extend(members);
        // Extension: sources that are not web pages.
        let citations = (!self.citations.is_empty()).then_some(&*self.citations);
        item.extend(citations.map(|citations| ("citations", citations.into())));
        Value::Object(item)
    }
}
