//! A response, written from what the chunks of a chat completion add to it.
//!
//! The items of the output follow each other: one is done when the next one begins, except a call whose
//! arguments are incomplete.

use std::rc::Rc;

use gateway::Error;
use serde_json::value::RawValue;

use super::echo::Echo;
use super::emitter::Emitter;
use super::items::{Kind, OutputItem};
use super::response::End;
use super::tools::split_name;
use crate::json::value::{Members, Value};
use crate::openai::completion::{Delta, Extras, Image, ToolCall, Usage};

/// The writer of one response, whole or as a stream.
#[derive(Debug)]
pub(crate) struct ResponseWriter {
    /// The id without its prefix.
    id: String,
    response_id: String,
    created: u64,
    model: String,
    echo: Rc<Echo>,
    emitter: Emitter,
    items: Vec<OutputItem>,
    /// The items that are calls, in their order.
    calls: Vec<usize>,
    end: End,
}

impl ResponseWriter {
    /// Creates the writer of the response `id`.
    pub(crate) fn new(id: &str, created: u64, model: &str, echo: Rc<Echo>) -> Self {
        Self {
            id: id.to_owned(),
            response_id: format!("resp_{id}"),
            created,
            model: model.to_owned(),
            emitter: Emitter::default(),
            items: Vec::new(),
            calls: Vec::new(),
            end: End { service_tier: echo.service_tier.clone(), ..End::default() },
            echo,
        }
    }

    /// Makes this the writer of a whole response: it writes no events.
    pub(crate) fn mute(&mut self) {
        self.emitter.is_mute = true;
    }

    // === Events ===

    /// Writes the events that open the response.
    pub(crate) fn open(&self, out: &mut Vec<u8>) {
        for kind in ["response.created", "response.in_progress"] {
            self.emit(kind, "in_progress", Value::Null, out);
        }
    }

    /// Writes the events for what `delta` adds to the response.
    pub(crate) fn add(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        if let Some(text) = delta.reasoning_content {
            self.add_text(Kind::Reasoning, text, out);
        }
        for block in delta.thinking_blocks {
            if let Some((item, emitter)) = self.growing(Kind::Reasoning, out) {
                item.seal(block, emitter, out);
            }
        }
        if let Some(text) = delta.content.filter(|text| !text.is_empty()) {
            self.add_text(Kind::Message, text, out);
        }
        self.add_sources(delta, out);
        for image in delta.images {
            self.add_image(image, out);
        }
        for call in delta.tool_calls.iter().flatten() {
            self.add_call(call, out);
        }
    }

    /// Ends the output: `reason` is the finish reason of the chat completion.
    pub(crate) fn close(&mut self, reason: &'static str, extras: Extras<'_>, out: &mut Vec<u8>) {
        self.end.incomplete = match reason {
            "length" => Some("max_output_tokens"),
            "content_filter" => Some("content_filter"),
            _ => None,
        };
        self.end.fields = extras.additional_model_response_fields.map(RawValue::to_owned);
        let mut open = self.items.iter_mut().peekable();
        while let Some(item) = open.next() {
            let is_last = open.peek().is_none();
            let is_cut = self.end.incomplete.is_some() && (is_last || !item.is_complete());
            item.end(if is_cut { "incomplete" } else { "completed" }, &self.emitter, out);
        }
    }

    /// Stores the usage, which belongs to the last event.
    pub(crate) fn usage(&mut self, usage: Usage, extras: Extras<'_>) {
        self.end.usage = Some(usage);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.end.service_tier = owned(extras.service_tier).or(self.end.service_tier.take());
        self.end.invoked_model = owned(extras.bedrock_invoked_model);
    }

    /// Writes the last event of a complete stream.
    pub(crate) fn done(&self, out: &mut Vec<u8>) {
        let status = self.end.status();
        let kind = if status == "completed" { "response.completed" } else { "response.incomplete" };
        self.emit(kind, status, Value::Null, out);
    }

    /// Writes the last event of a stream that `error` ends, unless nothing has been written.
    pub(crate) fn fail(&self, error: &Error, out: &mut Vec<u8>) {
        if self.emitter.has_begun() {
            let message = error.to_string();
            let error = vec![("code", error.shape().code.into()), ("message", (&*message).into())];
            self.emit("response.failed", "failed", Value::Object(error), out);
        }
    }

    /// Returns the body of the whole response.
    pub(crate) fn body(&self) -> Vec<u8> {
        self.value(self.end.status(), Value::Null).to_json()
    }

    // === Items ===

    /// Returns the last item if it is of this kind and grows, otherwise a new one.
    fn growing(&mut self, kind: Kind, out: &mut Vec<u8>) -> Option<(&mut OutputItem, &Emitter)> {
        if self.items.last().is_none_or(|last| last.kind != kind || !last.is_open()) {
            self.begin(kind, out);
        }
        self.items.last_mut().map(|item| (item, &self.emitter))
    }

    /// Begins an item, which ends those before it that are complete.
    fn begin(&mut self, kind: Kind, out: &mut Vec<u8>) {
        for item in self.items.iter_mut().filter(|item| item.is_open() && item.is_complete()) {
            item.end("completed", &self.emitter, out);
        }
        let item = OutputItem::new(kind, &self.id, self.items.len());
        item.announce(&self.emitter, out);
        self.items.push(item);
    }

    /// Adds text to an item of this kind.
    fn add_text(&mut self, kind: Kind, text: &str, out: &mut Vec<u8>) {
        if let Some((item, emitter)) = self.growing(kind, out) {
            item.add(text, emitter, out);
        }
    }

    /// Adds the sources of a text.
    fn add_sources(&mut self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        if delta.annotations.is_empty() && delta.citations.is_empty() {
            return;
        }
        // The ranges refer to the text of all messages.
        let messages = self.items.iter().filter(|item| item.kind == Kind::Message);
        let length: usize = messages.map(|item| item.text.chars().count()).sum();
        let Some((item, emitter)) = self.growing(Kind::Message, out) else { return };
        let start = length.saturating_sub(item.text.chars().count());
        for annotation in delta.annotations {
            item.annotate(&annotation.url_citation, start, emitter, out);
        }
        for citation in delta.citations {
            item.cite(citation);
        }
    }

    /// Adds an image, whose `data:` URL holds it in base64.
    fn add_image(&mut self, image: &Image, out: &mut Vec<u8>) {
        self.begin(Kind::Image, out);
        if let Some(item) = self.items.last_mut() {
            let url = &image.image_url.url;
            url.split_once(',').map_or(&**url, |(_, data)| data).clone_into(&mut item.text);
        }
    }

    /// Begins a call, or adds a piece to the arguments of one.
    fn add_call(&mut self, call: &ToolCall<'_>, out: &mut Vec<u8>) {
        if let (Some(id), Some(name)) = (&call.id, &call.function.name) {
            let (namespace, name) = split_name(name, &self.echo.namespaces);
            let (namespace, name) = (namespace.map(str::to_owned), name.to_owned());
            self.calls.push(self.items.len());
            self.begin(Kind::Call { id: id.to_string(), namespace, name }, out);
        }
        // A whole message has no indices: each call follows the one before.
        let last = self.calls.len().saturating_sub(1);
        let number = call.index.and_then(|index| usize::try_from(index).ok()).unwrap_or(last);
        let item = self.calls.get(number).and_then(|place| self.items.get_mut(*place));
        let piece = &*call.function.arguments;
        if let Some(item) = item.filter(|item| item.is_open() && !piece.is_empty()) {
            item.add(piece, &self.emitter, out);
        }
    }

    // === The response ===

    /// Returns the response so far.
    fn value<'a>(&'a self, status: &'static str, error: Value<'a>) -> Value<'a> {
        let output = self.items.iter().map(OutputItem::value).collect();
        let mut response: Members<'_> = vec![
            ("id", (&*self.response_id).into()),
            ("object", "response".into()),
            ("created_at", self.created.into()),
            ("status", status.into()),
            ("error", error),
            ("model", (&*self.model).into()),
            ("output", Value::List(output)),
        ];
        response.extend(self.end.members());
        response.extend(self.echo.members());
        Value::Object(response)
    }

    /// Writes an event with the response.
    fn emit<'a>(
        &'a self,
        kind: &'static str,
        status: &'static str,
        error: Value<'a>,
        out: &mut Vec<u8>,
    ) {
        self.emitter.emit(kind, vec![("response", self.value(status, error))], out);
    }
}
