//! The translation of one message into a turn.

use std::borrow::Cow;
use std::mem;

use gateway::Error;

use crate::catalog::capabilities::Family;
use crate::catalog::model::Model;
use crate::converse::request::{Block, Reasoning, Role, Turn};
use crate::limits::{NAME_BYTES, SPLIT_CALLS};
use crate::openai::request::{Function, Message, ThinkingBlock, ToolCall};
use crate::translate::request::content::{Blocks, Marked, Speaker};
use crate::translate::request::documents::Titles;
use crate::translate::request::tool_names::ToolNames;
use crate::translate::request::tool_pairing::{MOST_OBJECTS, ToolHistory};
use crate::translate::request::{content, tool_pairing};

/// The text in a tool's result for a file that had to be placed next to the result.
const ATTACHED: &str = "(see the file attached to this message)";

/// The state that is needed to convert one message after the other.
pub(super) struct Reader<'m> {
    pub(super) model: &'m Model,
    pub(super) names: &'m mut ToolNames,
    pub(super) history: ToolHistory,
    pub(super) titles: Titles,
    /// The calls that may still be made by splitting others.
    splits: usize,
}

/// Checks whether `message` is an instruction: `developer` is the later name of `system`.
pub(super) fn is_instruction(message: &Message<'_>) -> bool {
    matches!(&*message.role, "system" | "developer")
}

impl<'m> Reader<'m> {
    /// Creates a reader for the first message.
    pub(super) fn new(model: &'m Model, names: &'m mut ToolNames, history: ToolHistory) -> Self {
        Self { model, names, history, titles: Titles::default(), splits: SPLIT_CALLS }
    }

    /// Reads an instruction that comes before the conversation.
    pub(super) fn instruct<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let marked = self.read_required(number, message, Speaker::System)?;
        Ok(self.finish(marked, message))
    }

    /// Reads a message of the conversation.
    pub(super) fn turn<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Turn<'a>, Error> {
        let (role, content) = match &*message.role {
            "system" | "developer" => (Role::User, self.interject(number, message)?),
            "user" => (Role::User, self.user(number, message)?),
            "assistant" => (Role::Assistant, self.assistant(number, message)?),
            "tool" | "function" => (Role::User, self.tool(number, message)?),
            _ => {
                let why = "unknown role: use system, developer, user, assistant or tool";
                return Err(wrong(number, "role", why));
            }
        };
        Ok(Turn { role, content })
    }

    /// Reads a message of the user.
    fn user<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let marked = self.read_required(number, message, Speaker::User)?;
        Ok(self.finish(marked, message))
    }

    /// Reads an instruction in the middle of the conversation.
    ///
    /// It stays in its place, because the turns before it may be cached and the turns after it may
    /// depend on it. The tag keeps it apart from what the user wrote.
    fn interject<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let mut marked = self.read_required(number, message, Speaker::System)?;
        for (block, _) in &mut marked {
            if !block.is_blank()
                && let Block::Text(text) = block
            {
                let text = mem::take(text);
                *block = Block::Joined(vec!["<system>\n".into(), text, "\n</system>".into()]);
            }
        }
        Ok(self.finish(marked, message))
    }

    /// Reads a message of the assistant with its reasoning and its calls.
    fn assistant<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let mut blocks = Blocks::new(self.model);
        // Reasoning is sent back only to Claude, which can verify its signature.
        if self.model.family == Family::Claude {
            let reasoning_blocks = message.thinking_blocks.iter();
            blocks.list.extend(reasoning_blocks.filter_map(reasoning));
        }
        blocks.extend(self.read(number, message, Speaker::Assistant)?);
        if let Some(refusal) = &message.refusal {
            blocks.push(Block::text(&**refusal), None);
        }
        for (index, call) in message.tool_calls.iter().enumerate() {
            blocks.list.extend(self.call(number, index, call)?);
        }
        if let Some(function) = &message.function_call {
            check_length(&function.name, number, "function_call.name")?;
            blocks.list.extend(self.function(&function.name, function));
        }
        blocks.mark(message.cache_control.as_ref());
        Ok(blocks.list)
    }

    /// Reads one entry of `tool_calls`.
    fn call<'a>(
        &mut self,
        number: usize,
        index: usize,
        call: &'a ToolCall<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let function = call.function.as_ref().ok_or_else(|| {
            let param = format!("messages[{number}].tool_calls[{index}]");
            Error::unsupported(param, "only function tools are supported")
        })?;
        check_length(&call.id, number, &format!("tool_calls[{index}].id"))?;
        check_length(&function.name, number, &format!("tool_calls[{index}].function.name"))?;
        Ok(self.function(&call.id, function))
    }

    /// Translates a call of `function` into the form that the tool history has.
    fn function<'a>(&mut self, id: &'a str, function: &'a Function<'a>) -> Vec<Block<'a>> {
        match self.history {
            ToolHistory::Text => vec![tool_pairing::call_as_text(id, function)],
            ToolHistory::Blocks => {
                let name = self.names.alias(&function.name);
                let most = MOST_OBJECTS.min(self.splits + 1);
                let calls = tool_pairing::calls(id, &name, &function.arguments, most);
                let calls: Vec<_> = calls.collect();
                self.splits = (self.splits + 1).saturating_sub(calls.len());
                calls
            }
        }
    }

    /// Reads a message of a tool.
    fn tool<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let (id, member) = match &*message.role {
            "tool" => (&message.tool_call_id, "tool_call_id"),
            // The deprecated form, which identifies a call by its function alone.
            _ => (&message.name, "name"),
        };
        let why = "the message does not name the call that it is the result of: set this field";
        let id = id.as_deref().ok_or_else(|| wrong(number, member, why))?;
        check_length(id, number, member)?;
        self.result(number, message, id)
    }

    /// Translates a tool's result. What a result cannot hold is placed after it, and so are cache
    /// points.
    fn result<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
        id: &'a str,
    ) -> Result<Vec<Block<'a>>, Error> {
        let (mut content, mut attached, mut mark) = (Vec::new(), Vec::new(), None);
        for (block, part_mark) in self.read(number, message, Speaker::Tool)? {
            mark = part_mark.or(mark);
            if self.fits_a_result(&block) {
                content.push(block);
            } else {
                content.push(Block::text(ATTACHED));
                attached.push(block);
            }
        }
        content.retain(|block| !block.is_blank());
        let mut blocks = Blocks::new(self.model);
        match self.history {
            ToolHistory::Blocks => blocks.list.push(tool_pairing::result(id, content)),
            ToolHistory::Text => {
                blocks.list.extend(tool_pairing::result_as_text(id.into(), content));
            }
        }
        blocks.mark(message.cache_control.as_ref().or(mark));
        blocks.list.extend(attached);
        Ok(blocks.list)
    }

    /// Checks whether the model accepts `block` inside a tool's result.
    fn fits_a_result(&self, block: &Block<'_>) -> bool {
        match block {
            Block::Text(_) => true,
            Block::Image(_) => self.model.capabilities.tool_result_images,
            _ => false,
        }
    }

    /// Reads the content of a message that must have some.
    fn read_required<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
        speaker: Speaker,
    ) -> Result<Vec<Marked<'a>>, Error> {
        if message.content.is_none() {
            return Err(wrong(number, "content", "the message has no content: set `content`"));
        }
        self.read(number, message, speaker)
    }

    /// Reads the content of a message, if it has any.
    fn read<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
        speaker: Speaker,
    ) -> Result<Vec<Marked<'a>>, Error> {
        message.content.as_ref().map_or_else(
            || Ok(Vec::new()),
            |content| content::read(content, number, speaker, &mut self.titles),
        )
    }

    /// Collects blocks with their cache points.
    fn finish<'a>(&self, marked: Vec<Marked<'a>>, message: &'a Message<'a>) -> Vec<Block<'a>> {
        let mut blocks = Blocks::new(self.model);
        blocks.extend(marked);
        blocks.mark(message.cache_control.as_ref());
        blocks.list
    }
}

/// Creates a client error about one field of a message.
fn wrong(number: usize, member: &str, why: &str) -> Error {
    Error::invalid_param(format!("messages[{number}].{member}"), why)
}

/// Checks the length of a name or an id.
fn check_length(text: &str, number: usize, member: &str) -> Result<(), Error> {
    if text.len() <= NAME_BYTES.most {
        return Ok(());
    }
    Err(NAME_BYTES.exceeded(format!("messages[{number}].{member}")))
}

/// Translates reasoning; none if it is unsigned, which the model would reject.
fn reasoning<'a>(block: &'a ThinkingBlock<'a>) -> Option<Block<'a>> {
    let given = |text: &'a Option<_>| text.as_deref().filter(|text: &&str| !text.is_empty());
    let reasoning = match &*block.kind {
        "redacted_thinking" => Reasoning::RedactedContent(Cow::Borrowed(given(&block.data)?)),
        _ => Reasoning::ReasoningText {
            signature: Some(Cow::Borrowed(given(&block.signature)?)),
            text: Cow::Borrowed(block.thinking.as_deref().unwrap_or_default()),
        },
    };
    Some(Block::ReasoningContent(reasoning))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::sample;
    use crate::openai::request::sample::message;

    /// Returns the blocks of the message, converted for `model`.
    fn blocks(given: &Value, model: &Model, history: ToolHistory) -> Value {
        let text = json!([given]).to_string();
        let message = message(&text);
        let mut names = ToolNames::default();
        let mut reader = Reader::new(model, &mut names, history);
        serde_json::to_value(reader.turn(0, &message).unwrap().content).unwrap()
    }

    #[track_caller]
    fn assert_blocks(message: &Value, expected: &Value) {
        let model = sample::model(Family::Claude);
        assert_eq!(blocks(message, &model, ToolHistory::Blocks), *expected, "{message}");
    }

    #[test]
    fn turn_with_calls_in_either_form_makes_tool_uses() {
        let function = json!({"name": "f", "arguments": "{\"a\":1}"});
        let tool_use = |id| json!({"toolUse": {"toolUseId": id, "name": "f", "input": {"a": 1}}});
        assert_blocks(
            &json!({
                "role": "assistant", "content": "t", "refusal": "no",
                "tool_calls": [{"id": "1", "type": "function", "function": function}],
                "cache_control": {"type": "ephemeral", "ttl": "1h"},
            }),
            &json!([
                {"text": "t"},
                {"text": "no"},
                tool_use("1"),
                {"cachePoint": {"type": "default", "ttl": "1h"}},
            ]),
        );
        assert_blocks(
            &json!({"role": "assistant", "function_call": function}),
            &json!([tool_use("f")]),
        );
        assert_blocks(
            &json!({"role": "function", "name": "f", "content": "r"}),
            &json!([{"toolResult": {"toolUseId": "f", "content": [{"text": "r"}]}}]),
        );
    }

    #[test]
    fn turn_with_reasoning_keeps_signed_blocks_for_claude() {
        let message = json!({"role": "assistant", "content": "t", "thinking_blocks": [
            {"type": "thinking", "thinking": "a", "signature": "s"},
            {"type": "thinking", "thinking": "b"},
            {"type": "thinking", "thinking": "c", "signature": ""},
            {"type": "redacted_thinking", "data": "AAAA"},
            {"type": "redacted_thinking"},
        ]});
        let signed = json!({"reasoningText": {"text": "a", "signature": "s"}});
        assert_blocks(
            &message,
            &json!([
                {"reasoningContent": signed},
                {"reasoningContent": {"redactedContent": "AAAA"}},
                {"text": "t"},
            ]),
        );
        let nova = sample::model(Family::Nova);
        assert_eq!(blocks(&message, &nova, ToolHistory::Blocks), json!([{"text": "t"}]));
    }

    #[test]
    fn turn_with_files_places_them_inside_or_after_the_result() {
        let message = json!({"role": "tool", "tool_call_id": "1", "content": [
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        ]});
        let image = json!({"image": {"format": "png", "source": {"bytes": "AAAA"}}});
        let point = json!({"cachePoint": {"type": "default"}});
        let result = |content: Value| json!({"toolResult": {"toolUseId": "1", "content": content}});
        let mut model = sample::model(Family::OpenAi);
        for (images, history, expected) in [
            (true, ToolHistory::Blocks, json!([result(json!([{"text": "a"}, image])), point])),
            (
                false,
                ToolHistory::Blocks,
                json!([result(json!([{"text": "a"}, {"text": ATTACHED}])), point, image]),
            ),
            (true, ToolHistory::Text, json!([{"text": "[tool result for 1: a]"}, image, point])),
        ] {
            model.capabilities.tool_result_images = images;
            assert_eq!(blocks(&message, &model, history), expected, "{images} {history:?}");
        }
    }

    #[test]
    fn turn_with_calls_as_text_keeps_the_original_text() {
        let function = json!({"name": "a.b", "arguments": "{\"a\": "});
        let message =
            json!({"role": "assistant", "tool_calls": [{"id": "no good", "function": function}]});
        let model = sample::model(Family::Claude);
        assert_eq!(
            blocks(&message, &model, ToolHistory::Text),
            json!([{"text": "[tool call no good: a.b({\"a\": )]"}]),
        );
    }
}
