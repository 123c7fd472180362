//! The translation of a response of Converse into a chat completion.

use std::borrow::Cow;

use gateway::Error;

use crate::converse::response::{
    Block, CitationsContent, ConverseResponse, Reasoning, ServiceTier, ToolUse, Trace,
};
use crate::converse::usage::TokenUsage;
use crate::json::Text;
use crate::openai::completion::{
    Choice, Completion, Delta, Extras, Image, Message, ThinkingBlock, ToolCall, Usage,
};
use crate::openai::writer::{Api, Writer};
use crate::translate::citations::Sources;
use crate::translate::context::ResponseContext;
use crate::translate::finish_reason::Calls;
use crate::translate::json_tool::{JSON_TOOL, compact, json_text};
use crate::translate::{finish_reason, usage};

/// A translated response, and what it says for the log.
pub(crate) struct Completed {
    pub(crate) body: Vec<u8>,
    /// Why the model stopped; none in a response of the Responses API, which has no such member.
    pub(crate) finish_reason: Option<&'static str>,
    pub(crate) usage: Option<Usage>,
}

/// Translates the body of a response with status 200 and the `x-amzn-requestid` `id` into the body
/// of a chat completion.
///
/// # Errors
/// [`Error::InvalidUpstreamResponse`] for an invalid body, [`Error::Provider`] for a malformed message.
pub(crate) fn translate(
    body: &[u8],
    id: &str,
    context: &ResponseContext,
) -> Result<Completed, Error> {
    let (response, blocks) = ConverseResponse::parse(body)?;
    let (message, finish_reason) = message_of(&response, blocks, context)?;
    let usage = response.usage();
    if let Api::Responses(_) = context.api {
        let body = whole(&response, message, finish_reason, context.writer(id));
        return Ok(Completed { body, finish_reason: None, usage });
    }
    let completion = Completion {
        id: &format!("chatcmpl-{id}"),
        object: "chat.completion",
        created: context.created,
        model: &context.model,
        choices: [Choice { index: 0, message, logprobs: None, finish_reason }],
        usage,
        extras: response.extras(),
    };
    // Serialising the gateway's own types cannot fail.
    let body = serde_json::to_vec(&completion).unwrap_or_default();
    Ok(Completed { body, finish_reason: Some(finish_reason), usage })
}

/// Translates the same body into a stream of chunks, for models that cannot stream tool calls.
///
/// # Errors
/// The errors of [`translate`].
pub(crate) fn translate_into_stream(
    body: &[u8],
    id: &str,
    context: &ResponseContext,
) -> Result<Vec<u8>, Error> {
    let (response, blocks) = ConverseResponse::parse(body)?;
    let (message, finish_reason) = message_of(&response, blocks, context)?;
    let (mut writer, mut out) = (context.writer(id), Vec::new());
    write(&response, message, finish_reason, &mut writer, &mut out);
    writer.done(&mut out);
    Ok(out)
}

/// Writes a whole response of the Responses API, which is the sum of its events.
fn whole(
    response: &ConverseResponse<'_>,
    message: Message<'_>,
    finish_reason: &'static str,
    mut writer: Writer,
) -> Vec<u8> {
    writer.mute();
    write(response, message, finish_reason, &mut writer, &mut Vec::new());
    writer.body()
}

/// Writes everything but the end of a stream.
fn write(
    response: &ConverseResponse<'_>,
    message: Message<'_>,
    finish_reason: &'static str,
    writer: &mut Writer,
    out: &mut Vec<u8>,
) {
    write_message(message, writer, out);
    let Extras { additional_model_response_fields, .. } = response.extras();
    let at_end = Extras { additional_model_response_fields, ..Extras::default() };
    writer.close(finish_reason, at_end, out);
    if let Some(usage) = response.usage() {
        let extras = Extras { additional_model_response_fields: None, ..response.extras() };
        writer.usage(usage, extras, out);
    }
}

/// Writes the chunks of `message` in the order of a real stream: reasoning, content, calls.
fn write_message(message: Message<'_>, writer: &mut Writer, out: &mut Vec<u8>) {
    writer.open(out);
    if message.reasoning_content.is_some() || !message.thinking_blocks.is_empty() {
        let reasoning_content = message.reasoning_content.as_deref();
        let thinking_blocks = &message.thinking_blocks;
        writer.add(Delta { reasoning_content, thinking_blocks, ..Delta::default() }, out);
    }
    let content = message.content.as_deref();
    let (annotations, citations) = (&message.annotations, &message.citations);
    let images = &message.images;
    if content.is_some() || !images.is_empty() {
        writer.add(Delta { content, annotations, citations, images, ..Delta::default() }, out);
    }
    for (index, call) in (0..).zip(message.tool_calls) {
        writer.add(Delta { tool_calls: Some([call.at(index)]), ..Delta::default() }, out);
    }
}

/// Builds the message from `blocks`, and determines its finish reason.
fn message_of<'a>(
    response: &ConverseResponse<'a>,
    blocks: Vec<Block<'a>>,
    context: &ResponseContext,
) -> Result<(Message<'a>, &'static str), Error> {
    let mut builder = MessageBuilder::default();
    for block in blocks {
        builder.add(block, context);
    }
    let stop_reason = response.stop_reason.as_deref().unwrap_or_default();
    let finish_reason = finish_reason::of(stop_reason, builder.calls())?;
    Ok((builder.into_message(), finish_reason))
}

/// A message that is being assembled from its blocks.
#[derive(Default)]
struct MessageBuilder<'a> {
    text: Cow<'a, str>,
    /// The length of `text` in characters.
    length: usize,
    reasoning: Cow<'a, str>,
    thinking_blocks: Vec<ThinkingBlock<'a>>,
    sources: Sources<'a>,
    tool_calls: Vec<ToolCall<'a>>,
    images: Vec<Image>,
    /// The response by a schema.
    json: Option<String>,
}

// === impl ConverseResponse ===

impl ConverseResponse<'_> {
    /// Returns the usage as OpenAI counts it.
    fn usage(&self) -> Option<Usage> {
        let reasoning_tokens = usage::reasoning_tokens(self.additional_model_response_fields);
        self.usage.as_ref().map(|usage: &TokenUsage<'_>| usage::count(usage, reasoning_tokens))
    }

    /// Returns the fields of the response as a whole.
    fn extras(&self) -> Extras<'_> {
        Extras {
            service_tier: self.service_tier.as_ref().and_then(ServiceTier::name),
            additional_model_response_fields: self.additional_model_response_fields,
            bedrock_invoked_model: self.trace.as_ref().and_then(Trace::invoked_model),
        }
    }
}

// === impl MessageBuilder ===

impl<'a> MessageBuilder<'a> {
    /// Adds one block.
    fn add(&mut self, block: Block<'a>, context: &ResponseContext) {
        if let Some(text) = block.text {
            self.add_text(text);
        }
        if let Some(cited) = block.citations_content {
            self.add_cited(cited);
        }
        if let Some(reasoning) = block.reasoning_content {
            self.add_reasoning(reasoning);
        }
        if let Some(call) = block.tool_use.filter(|call| !call.is_served()) {
            self.add_call(call, context);
        }
        self.images.extend(block.image.and_then(|image| image.url()).map(Image::at));
    }

    /// Adds text, and counts its characters for the ranges of citations.
    fn add_text(&mut self, text: Text<'a>) {
        self.length += text.chars().count();
        self.text += text.0;
    }

    /// Adds text with its sources.
    fn add_cited(&mut self, cited: CitationsContent<'a>) {
        let start = self.length;
        for text in cited.content.into_iter().filter_map(|generated| generated.text) {
            self.add_text(text);
        }
        let range = start..self.length;
        for source in cited.citations {
            self.sources.add(source, &range);
        }
    }

    /// Adds reasoning. Without a signature it gets no thinking block, because Bedrock would reject
    /// it in the next request.
    fn add_reasoning(&mut self, reasoning: Reasoning<'a>) {
        if let Some(reasoning) = reasoning.reasoning_text {
            let thinking = reasoning.text.unwrap_or_default();
            self.reasoning += thinking.0.clone();
            let signature = reasoning.signature.filter(|signature| !signature.is_empty());
            let block = signature.map(|signature| ThinkingBlock::Thinking { thinking, signature });
            self.thinking_blocks.extend(block);
        }
        let redacted = reasoning.redacted_content;
        self.thinking_blocks.extend(redacted.map(|data| ThinkingBlock::RedactedThinking { data }));
    }

    /// Adds a call. Only the first response by a schema is used: two together are not valid JSON.
    fn add_call(&mut self, call: ToolUse<'a>, context: &ResponseContext) {
        let input = call.input.map_or("{}", |input| input.get());
        match context.json_tool {
            Some(tool) if &*call.name == JSON_TOOL => {
                self.json.get_or_insert_with(|| json_text(tool, input));
            }
            _ => {
                let name = context.names.original(&call.name).to_owned();
                self.tool_calls.push(ToolCall::new(call.id.0, name, compact(input)));
            }
        }
    }

    /// Returns what the message has called.
    fn calls(&self) -> Calls {
        Calls { has_tool: !self.tool_calls.is_empty(), has_json: self.json.is_some() }
    }

    /// Builds the message. A response by a schema is the only content: other text would make the
    /// JSON invalid.
    fn into_message(self) -> Message<'a> {
        let (text, sources) = match self.json {
            Some(json) => (Cow::Owned(json), Sources::default()),
            None => (self.text, self.sources),
        };
        Message {
            content: some_text(text),
            tool_calls: self.tool_calls,
            annotations: sources.annotations,
            reasoning_content: some_text(self.reasoning),
            thinking_blocks: self.thinking_blocks,
            citations: sources.citations,
            images: self.images,
            ..Message::default()
        }
    }
}

/// Returns `text`, or none if it is empty: OpenAI's field is `null` then.
fn some_text(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
