//! The state of a message in a stream, and the chunks that each event adds to it.

use gateway::Error;

use crate::converse::event::{Event, MessageStop, Metadata, Piece, Reasoning};
use crate::converse::response::{ServiceTier, ToolUse, Trace};
use crate::openai::completion::{Delta, Extras, ThinkingBlock, ToolCall};
use crate::openai::writer::Writer;
use crate::translate::block::{Call, OpenBlock, OpenBlocks};
use crate::translate::context::ResponseContext;
use crate::translate::finish_reason::Calls;
use crate::translate::json_tool::{JSON_TOOL, JsonTool, json_text};
use crate::translate::{finish_reason, usage};

/// A message that is being streamed.
pub(crate) struct StreamState {
    writer: Writer,
    context: ResponseContext,
    /// Whether the chunk that opens the message has been emitted.
    is_open: bool,
    blocks: OpenBlocks,
    /// The length of the content in characters.
    length: usize,
    /// The client's index of the next call: OpenAI counts calls, Bedrock counts blocks.
    next_call: u32,
    calls: Calls,
    /// Text that is held back, because a response by a schema may follow and must be the only
    /// content.
    held: String,
    reasoning_tokens: Option<u64>,
    is_complete: bool,
}

impl StreamState {
    /// Creates the state of a message that has not begun.
    pub(crate) fn new(writer: Writer, context: ResponseContext) -> Self {
        Self {
            writer,
            context,
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

    /// Checks whether the message has ended; the usage may still follow.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Emits the end of the stream, which was complete.
    pub(crate) fn done(&self, out: &mut Vec<u8>) {
        self.writer.done(out);
    }

    /// Emits what comes before the event with the `error` that ends the stream.
    pub(crate) fn fail(&self, error: &Error, out: &mut Vec<u8>) {
        self.writer.fail(error, out);
    }

    /// Emits the chunks for `event`.
    ///
    /// # Errors
    /// [`Error::Provider`] for a stop reason that declares the message malformed.
    pub(crate) fn take(&mut self, event: Event<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        // The usage is the only event after the end of the message.
        if let Event::Metadata(metadata) = event {
            self.emit_usage(&metadata, out);
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

    /// Emits the chunk that opens the message, once. Some models send no `messageStart`.
    fn open(&mut self, out: &mut Vec<u8>) {
        if !self.is_open {
            self.writer.open(out);
            self.is_open = true;
        }
    }

    /// Opens a block that is a tool call.
    fn start_call(&mut self, block: u64, call: &ToolUse<'_>, out: &mut Vec<u8>) {
        // A reused index implicitly closes the block that had it.
        self.close(block, out);
        let call = match self.context.json_tool {
            Some(tool) if &*call.name == JSON_TOOL => self.start_json(tool),
            _ => self.start_tool(call, out),
        };
        if let Some(block) = self.blocks.open(block, self.length) {
            block.call = call;
        }
    }

    /// Starts a response by a schema. Only the first one is used: two together are not valid JSON.
    fn start_json(&mut self, tool: JsonTool) -> Call {
        match std::mem::replace(&mut self.calls.has_json, true) {
            true => Call::None,
            false if tool.is_wrapped => Call::WrappedJson { tool, input: String::new() },
            false => Call::Json { has_input: false },
        }
    }

    /// Starts a call of one of the client's tools.
    fn start_tool(&mut self, call: &ToolUse<'_>, out: &mut Vec<u8>) -> Call {
        let index = self.next_call;
        self.next_call += 1;
        self.calls.has_tool = true;
        let name = self.context.names.original(&call.name);
        let call = ToolCall::new(&*call.id, name, "").at(index);
        self.writer.add(Delta { tool_calls: Some([call]), ..Delta::default() }, out);
        Call::Tool { index, has_input: false }
    }

    /// Adds a delta to its block.
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

    /// Adds text, or holds it back if a response by a schema may follow.
    fn add_text(&mut self, block: u64, text: &str, out: &mut Vec<u8>) {
        // The block records where its text starts, for the range of its citations.
        self.blocks.open(block, self.length);
        self.length += text.chars().count();
        if self.context.json_tool.is_some() {
            self.held.push_str(text);
        } else {
            self.emit_text(text, out);
        }
    }

    /// Emits text, unless it is empty.
    fn emit_text(&mut self, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.writer.add(Delta { content: Some(text), ..Delta::default() }, out);
        }
    }

    /// Adds a piece of a call's input. Without an open call, it belongs to a tool that Bedrock runs
    /// itself, and is dropped.
    fn add_input(&mut self, block: u64, piece: &str, out: &mut Vec<u8>) {
        let Some(block) = self.blocks.get(block).filter(|_| !piece.is_empty()) else {
            return;
        };
        match &mut block.call {
            Call::Tool { index, has_input } => {
                *has_input = true;
                let index = *index;
                self.emit_arguments(index, piece, out);
            }
            Call::Json { has_input } => {
                *has_input = true;
                self.emit_text(piece, out);
            }
            Call::WrappedJson { input, .. } => input.push_str(piece),
            Call::None => {}
        }
    }

    /// Emits a piece of the arguments of call `index`.
    fn emit_arguments(&mut self, index: u32, piece: &str, out: &mut Vec<u8>) {
        let tool_calls = Some([ToolCall::piece(index, piece)]);
        self.writer.add(Delta { tool_calls, ..Delta::default() }, out);
    }

    /// Adds reasoning, and keeps it until its signature is complete.
    fn add_reasoning(&mut self, block: u64, piece: &Reasoning<'_>, out: &mut Vec<u8>) {
        if let Some(block) = self.blocks.open(block, self.length) {
            block.thinking.push_str(piece.text.as_deref().unwrap_or_default());
            block.signature.push_str(piece.signature.as_deref().unwrap_or_default());
        }
        let reasoning_content = piece.text.as_deref().filter(|text| !text.is_empty());
        if reasoning_content.is_some() {
            self.writer.add(Delta { reasoning_content, ..Delta::default() }, out);
        }
        if let Some(data) = piece.redacted_content.clone() {
            self.emit_thinking(ThinkingBlock::RedactedThinking { data }, out);
        }
    }

    /// Emits a block of reasoning that the client can send back.
    fn emit_thinking(&mut self, block: ThinkingBlock<'_>, out: &mut Vec<u8>) {
        let thinking_blocks = &[block];
        self.writer.add(Delta { thinking_blocks, ..Delta::default() }, out);
    }

    /// Closes a block, if it is open.
    fn close(&mut self, block: u64, out: &mut Vec<u8>) {
        if let Some(block) = self.blocks.close(block) {
            self.end_block(block, out);
        }
    }

    /// Emits what is only known at the end of a block.
    fn end_block(&mut self, block: OpenBlock, out: &mut Vec<u8>) {
        if let Some(thinking) = block.thinking_block() {
            self.emit_thinking(thinking, out);
        }
        self.emit_sources(&block, out);
        // Clients parse the arguments they have collected, and an empty string is not valid JSON.
        match block.call {
            Call::Tool { index, has_input: false } => self.emit_arguments(index, "{}", out),
            Call::Json { has_input: false } => self.emit_text("{}", out),
            Call::WrappedJson { tool, input } => self.emit_text(&json_text(tool, &input), out),
            Call::None | Call::Tool { .. } | Call::Json { .. } => {}
        }
    }

    /// Emits the sources of a block.
    fn emit_sources(&mut self, block: &OpenBlock, out: &mut Vec<u8>) {
        let sources = block.sources(self.length);
        // Held-back text has not been emitted, so the ranges would refer to nothing.
        if sources.is_empty() || self.context.json_tool.is_some() {
            return;
        }
        let (annotations, citations) = (&*sources.annotations, &*sources.citations);
        self.writer.add(Delta { annotations, citations, ..Delta::default() }, out);
    }

    /// Ends the message: closes all blocks, then emits the finish reason.
    fn end(&mut self, stop: &MessageStop<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let stop_reason = stop.stop_reason.as_deref().unwrap_or_default();
        let finish_reason = finish_reason::of(stop_reason, self.calls)?;
        while let Some(block) = self.blocks.close_first() {
            self.end_block(block, out);
        }
        // No response by a schema came, so the text is the content.
        if !self.calls.has_json {
            let held = std::mem::take(&mut self.held);
            self.emit_text(&held, out);
        }
        let additional_model_response_fields = stop.additional_model_response_fields;
        self.reasoning_tokens = usage::reasoning_tokens(additional_model_response_fields);
        let extras = Extras { additional_model_response_fields, ..Extras::default() };
        self.writer.close(finish_reason, extras, out);
        self.is_complete = true;
        Ok(())
    }

    /// Emits the usage, if the client asked for it.
    fn emit_usage(&mut self, metadata: &Metadata<'_>, out: &mut Vec<u8>) {
        let extras = Extras {
            service_tier: metadata.service_tier.as_ref().and_then(ServiceTier::name),
            bedrock_invoked_model: metadata.trace.as_ref().and_then(Trace::invoked_model),
            ..Extras::default()
        };
        if let Some(usage) = &metadata.usage {
            self.writer.usage(usage::count(usage, self.reasoning_tokens), extras, out);
        }
    }
}
