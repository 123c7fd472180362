//! One message made a turn.

use std::borrow::Cow;

use gateway::Error;

use crate::converse::content::{self, Marked, Passage, Speaker};
use crate::converse::documents::Titles;
use crate::converse::messages::ToolHistory;
use crate::converse::names::Names;
use crate::converse::{Block, Reasoning, Role, Turn, history};
use crate::model::{Family, Model};
use crate::openai::{Function, Message, ThinkingBlock, ToolCall};

/// What stands in a tool's result for a file that had to go beside it.
const ATTACHED: &str = "(see the file attached to this message)";

/// What is needed to convert one message after the other.
pub(super) struct Reader<'m> {
    pub(super) model: &'m Model,
    pub(super) names: &'m mut Names,
    pub(super) history: ToolHistory,
    pub(super) titles: Titles,
}

pub(super) fn is_instruction(message: &Message<'_>) -> bool {
    matches!(&*message.role, "system" | "developer")
}

impl Reader<'_> {
    /// The blocks of a message at the head of the conversation.
    pub(super) fn instruct<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let said = self.read_required(number, message, Speaker::System)?;
        Ok(self.passage(said, message))
    }

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

    fn user<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let said = self.read_required(number, message, Speaker::User)?;
        Ok(self.passage(said, message))
    }

    /// An instruction in the midst of the conversation. It stays there, because what is before it
    /// may be cached and what is after it may depend on it.
    fn interject<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let mut said = self.read_required(number, message, Speaker::System)?;
        for (block, _) in &mut said {
            if let Block::Text(text) = block
                && !text.trim().is_empty()
            {
                *text = Cow::Owned(format!("<system>\n{text}\n</system>"));
            }
        }
        Ok(self.passage(said, message))
    }

    fn assistant<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let mut passage = Passage::new(self.model);
        if self.model.family == Family::Claude {
            let thoughts = message.thinking_blocks.iter().flatten();
            passage.blocks.extend(thoughts.filter_map(reasoning));
        }
        passage.say_all(self.read(number, message, Speaker::Assistant)?);
        if let Some(refusal) = &message.refusal {
            passage.say(Block::text(&**refusal), None);
        }
        for (index, call) in message.tool_calls.iter().flatten().enumerate() {
            passage.blocks.extend(self.call(number, index, call)?);
        }
        if let Some(function) = &message.function_call {
            passage.blocks.extend(self.function(&function.name, function));
        }
        passage.mark(message.cache_control.as_ref());
        Ok(passage.blocks)
    }

    fn call<'a>(
        &mut self,
        number: usize,
        index: usize,
        call: &'a ToolCall<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let function = call.function.as_ref().ok_or_else(|| {
            let param = format!("messages[{number}].tool_calls[{index}]");
            Error::unsupported(param, "only calls of functions can be sent: leave the others out")
        })?;
        Ok(self.function(&call.id, function))
    }

    fn function<'a>(&mut self, id: &'a str, function: &'a Function<'a>) -> Vec<Block<'a>> {
        match self.history {
            ToolHistory::Text => vec![history::tell_call(id, function)],
            ToolHistory::Blocks => {
                let name = self.names.alias(&function.name);
                history::calls(id, &name, &function.arguments).collect()
            }
        }
    }

    fn tool<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
    ) -> Result<Vec<Block<'a>>, Error> {
        let (id, member) = match &*message.role {
            "tool" => (&message.tool_call_id, "tool_call_id"),
            // The older form, which knows a call by its function alone.
            _ => (&message.name, "name"),
        };
        let why = "the message does not say which call it answers: set this member";
        let id = id.as_deref().ok_or_else(|| wrong(number, member, why))?;
        self.result(number, message, id)
    }

    /// A tool's result. What a result cannot hold stands beside it, and so do cache points.
    fn result<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
        id: &'a str,
    ) -> Result<Vec<Block<'a>>, Error> {
        let (mut content, mut beside, mut mark) = (Vec::new(), Vec::new(), None);
        for (block, part_mark) in self.read(number, message, Speaker::Tool)? {
            mark = part_mark.or(mark);
            if self.fits_a_result(&block) {
                content.push(block);
            } else {
                content.push(Block::text(ATTACHED));
                beside.push(block);
            }
        }
        content.retain(|block| !block.is_blank());
        let mut passage = Passage::new(self.model);
        match self.history {
            ToolHistory::Blocks => passage.blocks.push(history::result(id, content)),
            ToolHistory::Text => passage.blocks.extend(history::tell_result(id, content)),
        }
        passage.mark(message.cache_control.as_ref().or(mark));
        passage.blocks.extend(beside);
        Ok(passage.blocks)
    }

    fn fits_a_result(&self, block: &Block<'_>) -> bool {
        match block {
            Block::Text(_) => true,
            Block::Image(_) => self.model.abilities.tool_result_images,
            _ => false,
        }
    }

    fn read_required<'a>(
        &mut self,
        number: usize,
        message: &'a Message<'a>,
        speaker: Speaker,
    ) -> Result<Vec<Marked<'a>>, Error> {
        if message.content.is_none() {
            return Err(wrong(number, "content", "the message has no content: give it some"));
        }
        self.read(number, message, speaker)
    }

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

    fn passage<'a>(&self, said: Vec<Marked<'a>>, message: &'a Message<'a>) -> Vec<Block<'a>> {
        let mut passage = Passage::new(self.model);
        passage.say_all(said);
        passage.mark(message.cache_control.as_ref());
        passage.blocks
    }
}

fn wrong(number: usize, member: &str, why: &str) -> Error {
    Error::invalid_param(format!("messages[{number}].{member}"), why)
}

/// Reasoning that the model can check; what is not signed it refuses.
fn reasoning<'a>(thought: &'a ThinkingBlock<'a>) -> Option<Block<'a>> {
    let given = |text: &'a Option<_>| text.as_deref().filter(|text: &&str| !text.is_empty());
    let reasoning = match &*thought.kind {
        "redacted_thinking" => Reasoning::RedactedContent(Cow::Borrowed(given(&thought.data)?)),
        _ => Reasoning::ReasoningText {
            signature: Some(Cow::Borrowed(given(&thought.signature)?)),
            text: Cow::Borrowed(thought.thinking.as_deref().unwrap_or_default()),
        },
    };
    Some(Block::ReasoningContent(reasoning))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::converse::sample;

    /// The blocks of the message, converted for `model`.
    fn blocks(message: &Value, model: &Model, history: ToolHistory) -> Value {
        let text = message.to_string();
        let message: Message<'_> = serde_json::from_str(&text).unwrap();
        let mut names = Names::default();
        let mut reader = Reader { model, names: &mut names, history, titles: Titles::default() };
        serde_json::to_value(reader.turn(0, &message).unwrap().content).unwrap()
    }

    #[track_caller]
    fn assert_blocks(message: &Value, expected: &Value) {
        let model = sample::model(Family::Claude);
        assert_eq!(blocks(message, &model, ToolHistory::Blocks), *expected, "{message}");
    }

    #[test]
    fn calls_in_either_form_become_tool_uses() {
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
    fn only_signed_reasoning_goes_back_and_only_to_claude() {
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
    fn files_stand_in_a_result_or_beside_it() {
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
            model.abilities.tool_result_images = images;
            assert_eq!(blocks(&message, &model, history), expected, "{images} {history:?}");
        }
    }

    #[test]
    fn calls_are_told_as_they_were_written() {
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
