//! What has been told of a message by now, and what each event adds to it.

use gateway::Error;

use crate::completion::events::Events;
use crate::completion::{Delta, Extras, ThinkingBlock, ToolCall};
use crate::converse::answer::{ServiceTier, ToolUse, Trace, json_text};
use crate::converse::finish::{self, Calls};
use crate::converse::request::{Exchange, JSON_TOOL, JsonTool};
use crate::converse::stream::block::{Call, OpenBlock, OpenBlocks};
use crate::converse::stream::event::{Event, MessageStop, Metadata, Piece, Reasoning};
use crate::converse::usage;

/// A message under way.
pub(crate) struct Telling {
    heading: Heading,
    /// Whether the chunk that opens the message is out.
    is_open: bool,
    blocks: OpenBlocks,
    /// The length of the content in characters.
    length: usize,
    /// The client's number for the next call: it counts calls alone.
    next_call: u32,
    calls: Calls,
    /// Text where an answer by a schema may follow, beside which it would spoil the JSON.
    held: String,
    reasoning_tokens: Option<u64>,
    is_complete: bool,
}

/// What all chunks have in common.
struct Heading {
    id: String,
    exchange: Exchange,
}

impl Heading {
    fn events(&self) -> Events<'_> {
        let Exchange { created, include_usage, .. } = self.exchange;
        Events { id: &self.id, created, model: &self.exchange.model, include_usage }
    }
}

impl Telling {
    /// A message of which nothing is told yet.
    pub(crate) fn new(id: String, exchange: Exchange) -> Self {
        Self {
            heading: Heading { id, exchange },
            is_open: false,
            blocks: OpenBlocks::default(),
            length: 0,
            next_call: 0,
            calls: Calls::default(),
            held: String::new(),
            reasoning_tokens: None,
            is_complete: false,
        }
    }

    /// Whether the message has come to its end; the usage may still follow.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Tells what `event` says.
    ///
    /// # Errors
    /// [`Error::Provider`] for an end that says the message is garbled.
    pub(crate) fn take(&mut self, event: Event<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Event::Metadata(metadata) = event {
            self.tell_usage(&metadata, out);
            return Ok(());
        }
        if self.is_complete {
            return Ok(());
        }
        self.open(out);
        match event {
            Event::BlockStart(event) => {
                if let Some(call) = event.start.tool_use.filter(|call| !call.is_served()) {
                    self.start_call(event.content_block_index, &call, out);
                }
            }
            Event::BlockDelta(event) => self.add(event.content_block_index, &event.delta, out),
            Event::BlockStop(event) => self.close(event.content_block_index, out),
            Event::MessageStop(stop) => self.end(&stop, out)?,
            Event::MessageStart | Event::Metadata(_) => {}
        }
        Ok(())
    }

    fn open(&mut self, out: &mut Vec<u8>) {
        if !self.is_open {
            self.heading.events().open(out);
            self.is_open = true;
        }
    }

    fn start_call(&mut self, block: u64, call: &ToolUse<'_>, out: &mut Vec<u8>) {
        // Where a number is given once more, the block that had it has come to its end.
        self.close(block, out);
        let call = match self.heading.exchange.json_tool {
            Some(tool) if &*call.name == JSON_TOOL => self.start_json(tool),
            _ => self.start_tool(call, out),
        };
        if let Some(block) = self.blocks.open(block, self.length) {
            block.call = call;
        }
    }

    /// Of several answers by a schema, the first counts: two together would be no JSON.
    fn start_json(&mut self, tool: JsonTool) -> Call {
        match std::mem::replace(&mut self.calls.has_json, true) {
            true => Call::None,
            false if tool.is_wrapped => Call::WrappedJson { tool, input: String::new() },
            false => Call::Json { has_input: false },
        }
    }

    fn start_tool(&mut self, call: &ToolUse<'_>, out: &mut Vec<u8>) -> Call {
        let index = self.next_call;
        self.next_call += 1;
        self.calls.has_tool = true;
        let name = self.heading.exchange.names.original(&call.name);
        let call = ToolCall::new(&*call.id, name, "").at(index);
        self.heading.events().add(Delta { tool_calls: Some([call]), ..Delta::default() }, out);
        Call::Tool { index, has_input: false }
    }

    fn add(&mut self, block: u64, piece: &Piece<'_>, out: &mut Vec<u8>) {
        if let Some(text) = &piece.text {
            self.add_text(block, text, out);
        }
        if let Some(input) = &piece.tool_use {
            self.add_input(block, &input.input, out);
        }
        if let Some(reasoning) = &piece.reasoning_content {
            self.add_reasoning(block, reasoning, out);
        }
        if let Some(citation) = piece.citation
            && let Some(block) = self.blocks.open(block, self.length)
        {
            block.citations.push(citation.to_owned());
        }
    }

    fn add_text(&mut self, block: u64, text: &str, out: &mut Vec<u8>) {
        // It remembers where its text starts.
        self.blocks.open(block, self.length);
        self.length += text.chars().count();
        if self.heading.exchange.json_tool.is_some() {
            self.held.push_str(text);
        } else {
            self.tell_text(text, out);
        }
    }

    fn tell_text(&self, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.heading.events().add(Delta { content: Some(text), ..Delta::default() }, out);
        }
    }

    /// Input of no open call is that of a tool which Bedrock runs itself.
    fn add_input(&mut self, block: u64, piece: &str, out: &mut Vec<u8>) {
        let Some(block) = self.blocks.get(block).filter(|_| !piece.is_empty()) else {
            return;
        };
        match &mut block.call {
            Call::Tool { index, has_input } => {
                *has_input = true;
                let index = *index;
                self.tell_arguments(index, piece, out);
            }
            Call::Json { has_input } => {
                *has_input = true;
                self.tell_text(piece, out);
            }
            Call::WrappedJson { input, .. } => input.push_str(piece),
            Call::None => {}
        }
    }

    fn tell_arguments(&self, index: u32, piece: &str, out: &mut Vec<u8>) {
        let tool_calls = Some([ToolCall::piece(index, piece)]);
        self.heading.events().add(Delta { tool_calls, ..Delta::default() }, out);
    }

    fn add_reasoning(&mut self, block: u64, piece: &Reasoning<'_>, out: &mut Vec<u8>) {
        if let Some(block) = self.blocks.open(block, self.length) {
            block.thinking.push_str(piece.text.as_deref().unwrap_or_default());
            block.signature.push_str(piece.signature.as_deref().unwrap_or_default());
        }
        let reasoning_content = piece.text.as_deref().filter(|text| !text.is_empty());
        if reasoning_content.is_some() {
            self.heading.events().add(Delta { reasoning_content, ..Delta::default() }, out);
        }
        if let Some(data) = piece.redacted_content.clone() {
            self.tell_thinking(ThinkingBlock::RedactedThinking { data }, out);
        }
    }

    fn tell_thinking(&self, block: ThinkingBlock<'_>, out: &mut Vec<u8>) {
        let thinking_blocks = &[block];
        self.heading.events().add(Delta { thinking_blocks, ..Delta::default() }, out);
    }

    fn close(&mut self, block: u64, out: &mut Vec<u8>) {
        if let Some(block) = self.blocks.close(block) {
            self.end_block(block, out);
        }
    }

    fn end_block(&mut self, block: OpenBlock, out: &mut Vec<u8>) {
        if let Some(thinking) = block.thinking_block() {
            self.tell_thinking(thinking, out);
        }
        self.tell_sources(&block, out);
        // Clients parse what they have put together, and nothing is no JSON.
        match block.call {
            Call::Tool { index, has_input: false } => self.tell_arguments(index, "{}", out),
            Call::Json { has_input: false } => self.tell_text("{}", out),
            Call::WrappedJson { tool, input } => self.tell_text(&json_text(tool, &input), out),
            Call::None | Call::Tool { .. } | Call::Json { .. } => {}
        }
    }

    fn tell_sources(&self, block: &OpenBlock, out: &mut Vec<u8>) {
        let sources = block.sources(self.length);
        // Where text is held back, there is nothing yet that they could refer to.
        if sources.is_empty() || self.heading.exchange.json_tool.is_some() {
            return;
        }
        let (annotations, citations) = (&*sources.annotations, &*sources.citations);
        self.heading.events().add(Delta { annotations, citations, ..Delta::default() }, out);
    }

    fn end(&mut self, stop: &MessageStop<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let stop_reason = stop.stop_reason.as_deref().unwrap_or_default();
        let finish_reason = finish::reason(stop_reason, self.calls)?;
        while let Some(block) = self.blocks.close_first() {
            self.end_block(block, out);
        }
        if !self.calls.has_json {
            self.tell_text(&self.held, out);
        }
        let additional_model_response_fields = stop.additional_model_response_fields;
        self.reasoning_tokens = usage::reasoning_tokens(additional_model_response_fields);
        let extras = Extras { additional_model_response_fields, ..Extras::default() };
        self.heading.events().close(finish_reason, extras, out);
        self.is_complete = true;
        Ok(())
    }

    fn tell_usage(&self, metadata: &Metadata<'_>, out: &mut Vec<u8>) {
        let extras = Extras {
            service_tier: metadata.service_tier.as_ref().and_then(ServiceTier::name),
            bedrock_invoked_model: metadata.trace.as_ref().and_then(Trace::invoked_model),
            ..Extras::default()
        };
        if let Some(usage) = &metadata.usage {
            self.heading.events().usage(usage.count(self.reasoning_tokens), extras, out);
        }
    }
}
