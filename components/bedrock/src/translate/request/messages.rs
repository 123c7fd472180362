//! The translation of messages into turns: the system prompt separate, roles alternating, nothing
//! blank.

#[cfg(test)]
pub(crate) mod properties;

use std::borrow::Cow;
use std::mem;

use gateway::Error;

use crate::catalog::model::Model;
use crate::converse::request::{Block, Role, Turn};
use crate::openai::request::Message;
use crate::translate::request::tool_names::ToolNames;
use crate::translate::request::tool_pairing::ToolHistory;
use crate::translate::request::turn::{self, Reader};
use crate::translate::request::{cache, tool_pairing};

/// A conversation in the form of Converse.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Conversation<'a> {
    pub(crate) system: Vec<Block<'a>>,
    pub(crate) turns: Vec<Turn<'a>>,
}

/// The text of an empty turn, of a turn that has documents but no text, and of the user's turn before
/// a conversation that the assistant starts: Bedrock rejects missing text and blank text.
const PLACEHOLDER: &str = ".";

/// Converts `messages` for `model`.
///
/// # Errors
/// A client error that names the message and the part at fault.
pub(crate) fn convert<'a>(
    messages: &'a [Message<'a>],
    model: &Model,
    names: &mut ToolNames,
    history: ToolHistory,
) -> Result<Conversation<'a>, Error> {
    if messages.is_empty() {
        return Err(Error::invalid_param("messages", "no messages: send at least one"));
    }
    let mut reader = Reader::new(model, names, history);
    let (mut system, mut turns) = (Vec::new(), Vec::new());
    for (number, message) in messages.iter().enumerate() {
        if turn::is_instruction(message) && turns.is_empty() {
            system.extend(reader.instruct(number, message)?);
        } else {
            turns.push(reader.turn(number, message)?);
        }
    }
    let mut turns = alternate(turns);
    // Bedrock requires a user turn, so instructions alone become one.
    if turns.is_empty() {
        turns.push(Turn { role: Role::User, content: mem::take(&mut system) });
    }
    if turns.first().is_some_and(|first| first.role == Role::Assistant) {
        turns.insert(0, Turn { role: Role::User, content: vec![Block::text(PLACEHOLDER)] });
    }
    // Pairing requires alternating roles and may leave blocks out of order, so it runs between
    // `alternate` and `finish`.
    if history == ToolHistory::Blocks {
        tool_pairing::pair(&mut turns, model.family);
    }
    turns.iter_mut().for_each(finish);
    close_prefill(&mut turns, messages, model)?;
    Ok(Conversation { system, turns })
}

/// Makes the roles of `turns` alternate, and drops assistant turns without content.
fn alternate(turns: Vec<Turn<'_>>) -> Vec<Turn<'_>> {
    // Merged before they are dropped: a message with only reasoning may belong to the tool call in the
    // next message.
    let mut turns = merge(turns);
    turns.retain(|turn| turn.role == Role::User || turn.content.iter().any(has_content));
    merge(turns)
}

/// Checks whether `block` has content of its own: reasoning and cache points do not fill a turn.
fn has_content(block: &Block<'_>) -> bool {
    !matches!(block, Block::ReasoningContent(_) | Block::CachePoint(_))
}

/// Merges neighbouring turns of the same role, because Bedrock rejects them.
fn merge(turns: Vec<Turn<'_>>) -> Vec<Turn<'_>> {
    let mut merged: Vec<Turn<'_>> = Vec::with_capacity(turns.len());
    for turn in turns {
        match merged.last_mut() {
            Some(last) if last.role == turn.role => last.content.extend(turn.content),
            _ => merged.push(turn),
        }
    }
    merged
}

/// Orders the blocks of a turn, and adds text where Bedrock requires some.
fn finish(turn: &mut Turn<'_>) {
    arrange(&mut turn.content);
    let has_text = turn.content.iter().any(Block::is_text);
    let has_document = turn.content.iter().any(|block| matches!(block, Block::Document(_)));
    if turn.content.is_empty() || has_document && !has_text {
        // Before trailing cache points, because a point must follow the block that it caches.
        let end = turn.content.iter().rposition(|block| !cache::is_point(block));
        turn.content.insert(end.map_or(0, |last| last + 1), Block::text(PLACEHOLDER));
    }
}

/// Sorts blocks into the order that Bedrock requires: tool results first, calls last, reasoning
/// before text. Cache points stay behind their block.
fn arrange(blocks: &mut Vec<Block<'_>>) {
    let mut ranks = [const { Vec::new() }; 3];
    let mut rank = 0;
    for block in mem::take(blocks) {
        rank = rank_of(&block).unwrap_or(rank);
        if let Some(ranked) = ranks.get_mut(rank) {
            ranked.push(block);
        }
    }
    blocks.extend(ranks.into_iter().flatten());
}

/// Returns the place of `block` in the order of [`arrange`]; none for a cache point, which follows its
/// block.
fn rank_of(block: &Block<'_>) -> Option<usize> {
    match block {
        Block::ToolResult(_) | Block::ReasoningContent(_) => Some(0),
        Block::ToolUse(_) => Some(2),
        Block::CachePoint(_) => None,
        _ => Some(1),
    }
}

/// Rejects an assistant turn at the end if the model cannot continue it, and trims its text
/// otherwise.
fn close_prefill(
    turns: &mut [Turn<'_>],
    messages: &[Message<'_>],
    model: &Model,
) -> Result<(), Error> {
    let Some(Turn { role: Role::Assistant, content }) = turns.last_mut() else { return Ok(()) };
    if content.iter().any(|block| matches!(block, Block::ToolUse(_))) {
        // Calls without results, for which Bedrock has the clearer error message.
        return Ok(());
    }
    if !model.capabilities.prefill {
        let number = messages.iter().rposition(|message| &*message.role == "assistant");
        return Err(Error::unsupported(
            format!("messages[{}]", number.unwrap_or_default()),
            "this model cannot continue an assistant message: end with a user message",
        ));
    }
    // A joined text ends with a bracket.
    if let Some(Block::Text(text)) = content.iter_mut().rev().find(|block| block.is_text()) {
        trim_end(text);
    }
    Ok(())
}

/// Trims trailing white space, which Bedrock rejects in a text that the model is to continue.
fn trim_end(text: &mut Cow<'_, str>) {
    let length = text.trim_end().len();
    match text {
        Cow::Borrowed(text) => *text = text.get(..length).unwrap_or(text),
        Cow::Owned(text) => text.truncate(length),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::capabilities::Family;
    use crate::catalog::sample;
    use crate::openai::request::sample::messages as messages_of;

    /// Returns the conversation as `[system, messages]`, or the error's `param`.
    fn converted(messages: &Value, model: &Model, history: ToolHistory) -> Result<Value, String> {
        let text = messages.to_string();
        let messages = messages_of(&text);
        match convert(&messages, model, &mut ToolNames::default(), history) {
            Ok(Conversation { system, turns }) => Ok(json!([system, turns])),
            Err(error) => Err(error.param().unwrap().to_owned()),
        }
    }

    fn claude() -> Model {
        sample::model(Family::Claude)
    }

    #[track_caller]
    fn assert_turns(messages: &Value, system: &Value, turns: &Value) {
        let found = converted(messages, &claude(), ToolHistory::Blocks).unwrap();
        assert_eq!(found, json!([system, turns]), "{messages}");
    }

    fn system(content: impl Into<Value>) -> Value {
        json!({"role": "system", "content": content.into()})
    }

    fn user(content: impl Into<Value>) -> Value {
        json!({"role": "user", "content": content.into()})
    }

    fn assistant(content: impl Into<Value>) -> Value {
        json!({"role": "assistant", "content": content.into()})
    }

    fn calling(ids: &[&str]) -> Value {
        let call = |id: &&str| json!({"id": id, "function": {"name": "f", "arguments": "{}"}});
        json!({"role": "assistant", "content": null, "tool_calls": ids.iter().map(call).collect::<Vec<_>>()})
    }

    fn tool(id: &str, content: impl Into<Value>) -> Value {
        json!({"role": "tool", "tool_call_id": id, "content": content.into()})
    }

    fn text(text: &str) -> Value {
        json!({"text": text})
    }

    fn call(id: &str) -> Value {
        json!({"toolUse": {"toolUseId": id, "name": "f", "input": {}}})
    }

    fn result(id: &str, said: &str) -> Value {
        json!({"toolResult": {"toolUseId": id, "content": [{"text": said}]}})
    }

    fn point() -> Value {
        json!({"cachePoint": {"type": "default"}})
    }

    #[test]
    fn convert_with_leading_instructions_makes_a_system_prompt() {
        let developer = json!({"role": "developer", "content": [
            {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": " "},
        ]});
        assert_turns(
            &json!([system("a"), developer, system(""), user("hi")]),
            &json!([text("a"), text("b"), point()]),
            &json!([user([text("hi")])]),
        );
    }

    #[test]
    fn convert_with_instructions_alone_makes_a_user_turn() {
        assert_turns(&json!([system("a")]), &json!([]), &json!([user([text("a")])]));
        assert_turns(&json!([system("a"), assistant("")]), &json!([]), &json!([user([text("a")])]));
        assert_turns(&json!([system(" ")]), &json!([]), &json!([user([text(".")])]));
    }

    #[test]
    fn convert_with_later_instructions_keeps_calls_and_results_together() {
        assert_turns(
            &json!([user("a"), calling(&["1"]), system("b"), tool("1", "r"), system("c")]),
            &json!([]),
            &json!([
                user([text("a")]),
                assistant([call("1")]),
                user([
                    result("1", "r"),
                    text("<system>\nb\n</system>"),
                    text("<system>\nc\n</system>"),
                ]),
            ]),
        );
    }

    #[test]
    fn convert_with_repeated_roles_merges_turns_and_drops_blank_ones() {
        for (messages, turns) in [
            (json!([user("a"), user("b")]), json!([user([text("a"), text("b")])])),
            (json!([user("")]), json!([user([text(".")])])),
            (json!([user(json!([]))]), json!([user([text(".")])])),
            (json!([user("a"), user(" ")]), json!([user([text("a")])])),
            (json!([user("a"), assistant(""), user("b")]), json!([user([text("a"), text("b")])])),
            (
                json!([
                    user("a"),
                    assistant(Value::Null),
                    assistant("b"),
                    assistant("c"),
                    user("d")
                ]),
                json!([user([text("a")]), assistant([text("b"), text("c")]), user([text("d")])]),
            ),
            (
                json!([assistant("a"), user("b")]),
                json!([user([text(".")]), assistant([text("a")]), user([text("b")])]),
            ),
            (
                json!([user("a"), calling(&["1", "2"]), tool("1", "r"), tool("2", ""), user("b")]),
                json!([
                    user([text("a")]),
                    assistant([call("1"), call("2")]),
                    user([result("1", "r"), result("2", "(empty)"), text("b")]),
                ]),
            ),
        ] {
            assert_turns(&messages, &json!([]), &turns);
        }
    }

    #[test]
    fn convert_with_prefill_trims_trailing_space() {
        assert_turns(
            &json!([user("a"), assistant("b \n")]),
            &json!([]),
            &json!([user([text("a")]), assistant([text("b")])]),
        );
    }

    #[test]
    fn convert_with_prefill_for_a_model_without_it_is_rejected() {
        let mut model = claude();
        model.capabilities.prefill = false;
        for (messages, expected) in [
            (json!([user("a"), assistant("b")]), Err("messages[1]")),
            (json!([user("a"), assistant("b"), assistant("")]), Err("messages[2]")),
            (json!([user("a"), calling(&["1"])]), Ok(())),
            (json!([user("a"), assistant("b"), user("")]), Ok(())),
        ] {
            let found = converted(&messages, &model, ToolHistory::Blocks).map(|_| ());
            assert_eq!(found, expected.map_err(str::to_owned), "{messages}");
        }
    }

    #[test]
    fn convert_with_documents_adds_text() {
        let part = json!({"type": "file", "file": {"file_data": "AAAA", "filename": "a.txt"}});
        let mut marked = part.clone();
        marked["cache_control"] = json!({"type": "ephemeral"});
        let document = |name| {
            let source = json!({"bytes": "AAAA"});
            json!({"document": {"format": "txt", "name": name, "source": source}})
        };
        for (parts, blocks) in [
            (json!([part]), json!([document("a"), text(".")])),
            (json!([part, marked]), json!([document("a"), document("a-2"), text("."), point()])),
            (json!([part, {"type": "text", "text": "b"}]), json!([document("a"), text("b")])),
        ] {
            assert_turns(&json!([user(parts)]), &json!([]), &json!([user(blocks)]));
        }
    }

    #[test]
    fn convert_with_malformed_messages_names_them() {
        let other_call = json!({"role": "assistant", "tool_calls": [{"id": "1", "custom": {}}]});
        for (message, expected) in [
            (json!({"role": "critic", "content": "a"}), "messages[1].role"),
            (json!({"role": "user"}), "messages[1].content"),
            (json!({"role": "system", "content": null}), "messages[1].content"),
            (json!({"role": "tool", "content": "a"}), "messages[1].tool_call_id"),
            (json!({"role": "function", "content": "a"}), "messages[1].name"),
            (user([json!({"type": "thought"})]), "messages[1].content[0]"),
            (other_call, "messages[1].tool_calls[0]"),
        ] {
            let found = converted(&json!([user("a"), message]), &claude(), ToolHistory::Blocks);
            assert_eq!(found, Err(expected.to_owned()), "{message}");
        }
        let found = converted(&json!([]), &claude(), ToolHistory::Blocks);
        assert_eq!(found, Err("messages".to_owned()));
    }
}
