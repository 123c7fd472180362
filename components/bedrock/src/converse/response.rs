//! An answer of Converse made a chat completion.

use std::borrow::Cow;

use gateway::Error;

use crate::completion::events::Events;
use crate::completion::{
    Choice, Completion, Delta, Extras, Image, Message, ThinkingBlock, ToolCall, Usage,
};
use crate::converse::answer::{
    Answer, Block, CitationsContent, Reasoning, ServiceTier, ToolUse, Trace, compact, json_text,
};
use crate::converse::citations::Sources;
use crate::converse::finish::{self, Calls};
use crate::converse::request::{Exchange, JSON_TOOL};
use crate::converse::usage::{self, TokenUsage};
use crate::json::Text;

/// Translates the body of an answer with status 200 and the `x-amzn-requestid` `id` into the body
/// of a chat completion.
///
/// # Errors
/// [`Error::UnusableAnswer`] or [`Error::Provider`] for an answer that is none.
pub(crate) fn translate(body: &[u8], id: &str, exchange: &Exchange) -> Result<Vec<u8>, Error> {
    let (answer, blocks) = Answer::parse(body)?;
    let (message, finish_reason) = message_of(&answer, blocks, exchange)?;
    let completion = Completion {
        id: &format!("chatcmpl-{id}"),
        object: "chat.completion",
        created: exchange.created,
        model: &exchange.model,
        choices: [Choice { index: 0, message, logprobs: None, finish_reason }],
        usage: answer.usage(),
        extras: answer.extras(),
    };
    // The gateway's own types cannot fail to become JSON.
    Ok(serde_json::to_vec(&completion).unwrap_or_default())
}

/// The same as a stream of chunks, for models that cannot stream tool calls.
///
/// # Errors
/// As [`translate`].
pub(crate) fn translate_into_stream(
    body: &[u8],
    id: &str,
    exchange: &Exchange,
) -> Result<Vec<u8>, Error> {
    let (answer, blocks) = Answer::parse(body)?;
    let (message, finish_reason) = message_of(&answer, blocks, exchange)?;
    let id = format!("chatcmpl-{id}");
    let Exchange { created, include_usage, .. } = *exchange;
    let events = Events { id: &id, created, model: &exchange.model, include_usage };
    let mut out = Vec::new();
    write_message(message, events, &mut out);
    let Extras { additional_model_response_fields, .. } = answer.extras();
    let at_end = Extras { additional_model_response_fields, ..Extras::default() };
    events.close(finish_reason, at_end, &mut out);
    if let Some(usage) = answer.usage() {
        let extras = Extras { additional_model_response_fields: None, ..answer.extras() };
        events.usage(usage, extras, &mut out);
    }
    Events::done(&mut out);
    Ok(out)
}

/// Writes the chunks that make up `message`, in the order in which models say such things.
fn write_message(message: Message<'_>, events: Events<'_>, out: &mut Vec<u8>) {
    events.open(out);
    if message.reasoning_content.is_some() || !message.thinking_blocks.is_empty() {
        let reasoning_content = message.reasoning_content.as_deref();
        let thinking_blocks = &message.thinking_blocks;
        events.add(Delta { reasoning_content, thinking_blocks, ..Delta::default() }, out);
    }
    let content = message.content.as_deref();
    let (annotations, citations) = (&message.annotations, &message.citations);
    let images = &message.images;
    if content.is_some() || !images.is_empty() {
        events.add(Delta { content, annotations, citations, images, ..Delta::default() }, out);
    }
    for (index, call) in (0..).zip(message.tool_calls) {
        events.add(Delta { tool_calls: Some([call.at(index)]), ..Delta::default() }, out);
    }
}

/// The message that `blocks` make, and why it ends.
fn message_of<'a>(
    answer: &Answer<'a>,
    blocks: Vec<Block<'a>>,
    exchange: &Exchange,
) -> Result<(Message<'a>, &'static str), Error> {
    let mut told = Told::default();
    for block in blocks {
        told.add(block, exchange);
    }
    let stop_reason = answer.stop_reason.as_deref().unwrap_or_default();
    let finish_reason = finish::reason(stop_reason, told.calls())?;
    Ok((told.into_message(), finish_reason))
}

/// What has been told of a message by now.
#[derive(Default)]
struct Told<'a> {
    text: Cow<'a, str>,
    /// The length of `text` in characters.
    length: usize,
    reasoning: Cow<'a, str>,
    thinking_blocks: Vec<ThinkingBlock<'a>>,
    sources: Sources<'a>,
    tool_calls: Vec<ToolCall<'a>>,
    images: Vec<Image>,
    /// The answer by a schema.
    json: Option<String>,
}

// === impl Answer ===

impl Answer<'_> {
    fn usage(&self) -> Option<Usage> {
        let reasoning_tokens = usage::reasoning_tokens(self.additional_model_response_fields);
        self.usage.as_ref().map(|usage: &TokenUsage<'_>| usage.count(reasoning_tokens))
    }

    fn extras(&self) -> Extras<'_> {
        Extras {
            service_tier: self.service_tier.as_ref().and_then(ServiceTier::name),
            additional_model_response_fields: self.additional_model_response_fields,
            bedrock_invoked_model: self.trace.as_ref().and_then(Trace::invoked_model),
        }
    }
}

// === impl Told ===

impl<'a> Told<'a> {
    fn add(&mut self, block: Block<'a>, exchange: &Exchange) {
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
            self.add_call(call, exchange);
        }
        self.images.extend(block.image.and_then(|image| image.url()).map(Image::at));
    }

    fn add_text(&mut self, text: Text<'a>) {
        self.length += text.chars().count();
        self.text += text.0;
    }

    fn add_cited(&mut self, cited: CitationsContent<'a>) {
        let start = self.length;
        for text in cited.content.into_iter().filter_map(|generated| generated.text) {
            self.add_text(text);
        }
        let stretch = start..self.length;
        for source in cited.citations {
            self.sources.add(source, &stretch);
        }
    }

    /// Reasoning without a signature is of no use to Bedrock when it comes back.
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

    /// Of several answers by a schema, the first counts: two together would be no JSON.
    fn add_call(&mut self, call: ToolUse<'a>, exchange: &Exchange) {
        let input = call.input.map_or("{}", |input| input.get());
        match exchange.json_tool {
            Some(tool) if &*call.name == JSON_TOOL => {
                self.json.get_or_insert_with(|| json_text(tool, input));
            }
            _ => {
                let name = exchange.names.original(&call.name).to_owned();
                self.tool_calls.push(ToolCall::new(call.id.0, name, compact(input)));
            }
        }
    }

    fn calls(&self) -> Calls {
        Calls { has_tool: !self.tool_calls.is_empty(), has_json: self.json.is_some() }
    }

    /// An answer by a schema is the whole content: what is said beside it would spoil the JSON.
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

fn some_text(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
