//! Tool calls and results of earlier turns: paired, or written as text.
//!
//! Bedrock requires a result for every call in the turn right after it, and rejects results without
//! a call. Clients use ids of their own, which they sometimes repeat from turn to turn, so a result
//! belongs to the last call before it that has its id.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem;

use serde_json::value::RawValue;

use crate::catalog::capabilities::Family;
use crate::converse::request::{Block, Json, ToolResult, ToolUse, Turn};
use crate::openai::request::Function;
use crate::translate::request::content::split_text;
use crate::translate::request::tool_ids::ToolIds;

/// How the tool calls and results of earlier turns are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ToolHistory {
    /// As blocks: the request offers tools.
    Blocks,
    /// As text: Bedrock rejects such blocks in a request without tools.
    Text,
}

/// The most objects in one call's arguments that are split into separate calls: without a bound, a
/// short text could become thousands of calls.
pub(crate) const MOST_OBJECTS: usize = 16;

/// The text of a result that is missing.
const MISSING: &str = "(no result)";
/// The text of an empty result, which some models reject.
const EMPTY: &str = "(empty)";

/// Translates a call of the tool `name` into blocks with the client's id.
///
/// Some models write several objects as the arguments of one call. Each object becomes a call of
/// its own, and the result belongs to the first one. Arguments of more than `most` objects are
/// treated as invalid.
pub(crate) fn calls<'a>(
    id: &'a str,
    name: &Cow<'a, str>,
    arguments: &'a str,
    most: usize,
) -> impl Iterator<Item = Block<'a>> {
    inputs(arguments, most).into_iter().enumerate().map(move |(index, input)| {
        // No valid id contains a `#`, so no result of another call can match this one.
        let id = match index {
            0 => Cow::Borrowed(id),
            _ => Cow::Owned(format!("{id}#{}", index + 1)),
        };
        Block::ToolUse(ToolUse { id, name: name.clone(), input })
    })
}

/// Splits `arguments` into the objects that they consist of, at most `most`; an empty object if they
/// are invalid.
fn inputs(arguments: &str, most: usize) -> Vec<Json<'_>> {
    let values = serde_json::Deserializer::from_str(arguments).into_iter::<&RawValue>();
    // One more than are accepted, so that a long list is not collected.
    let values: Result<Vec<_>, _> = values.take(most.max(1) + 1).collect();
    match values.as_deref() {
        Ok([value]) => vec![input(value)],
        Ok(objects @ [_, ..])
            if objects.len() <= most && objects.iter().all(|value| is_object(value)) =>
        {
            objects.iter().map(|object| Json::Given(object)).collect()
        }
        _ => vec![Json::empty_object()],
    }
}

/// Returns `value` as a tool's input, which must be an object.
fn input(value: &RawValue) -> Json<'_> {
    match value.get() {
        "null" => Json::empty_object(),
        _ if is_object(value) => Json::Given(value),
        _ => Json::Wrapped { value },
    }
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// Creates the result of the client's call `id`; `content` must not contain blank text.
pub(crate) fn result<'a>(id: &'a str, mut content: Vec<Block<'a>>) -> Block<'a> {
    if content.is_empty() {
        content.push(Block::text(EMPTY));
    }
    Block::ToolResult(ToolResult { id: Cow::Borrowed(id), content })
}

/// Writes a call as text.
pub(crate) fn call_as_text<'a>(id: &'a str, function: &'a Function<'a>) -> Block<'a> {
    let Function { name, arguments } = function;
    let pieces = ["[tool call ", id, ": ", name, "(", arguments, ")]"];
    Block::Joined(pieces.map(Cow::Borrowed).into())
}

/// Writes a result as text, followed by its images.
pub(crate) fn result_as_text<'a>(id: Cow<'a, str>, content: Vec<Block<'a>>) -> Vec<Block<'a>> {
    let (texts, mut blocks) = split_text(content);
    let mut pieces = vec!["[tool result for ".into(), id];
    for (index, text) in texts.into_iter().enumerate() {
        pieces.extend([if index == 0 { ": " } else { "\n" }.into(), text]);
    }
    if pieces.len() == 2 {
        pieces.extend([": ".into(), EMPTY.into()]);
    }
    pieces.push("]".into());
    blocks.insert(0, Block::Joined(pieces));
    blocks
}

/// Pairs the calls and results in `turns`, whose roles must alternate, and gives both of them ids
/// that are valid for Bedrock. Calls of the last turn keep no result.
///
/// Afterwards, results follow the other blocks of their turn, and cache points follow their block.
pub(crate) fn pair(turns: &mut [Turn<'_>], family: Family) {
    let mut pairing =
        Pairing { ids: ToolIds::new(family), calls: Vec::new(), latest: BTreeMap::new() };
    for (number, turn) in turns.iter_mut().enumerate() {
        turn.content = pairing.take(number, mem::take(&mut turn.content));
    }
    for call in pairing.calls {
        if let Some(turn) = turns.get_mut(call.turn + 1) {
            turn.content.extend(call.into_result());
        }
    }
}

/// The calls so far, and the results that belong to them.
struct Pairing<'a> {
    ids: ToolIds<'a>,
    calls: Vec<Call<'a>>,
    /// The index of the last call for each of the client's ids.
    latest: BTreeMap<Cow<'a, str>, usize>,
}

/// A call and its result.
struct Call<'a> {
    turn: usize,
    /// The id that is sent.
    id: Cow<'a, str>,
    /// The result and its cache points.
    result: Vec<Block<'a>>,
}

/// Where a block is kept, and the cache points that follow it.
#[derive(Clone, Copy)]
enum Slot {
    /// In the turn that it is in.
    Here,
    /// With the result of this call.
    With(usize),
    /// Nowhere: the block is a duplicate.
    Nowhere,
}

// === impl Pairing ===

impl<'a> Pairing<'a> {
    /// Takes the results out of `blocks`, the content of turn `number`.
    fn take(&mut self, number: usize, blocks: Vec<Block<'a>>) -> Vec<Block<'a>> {
        let mut kept = Vec::with_capacity(blocks.len());
        let mut place = Slot::Here;
        for block in blocks {
            match block {
                Block::ToolUse(call) => place = self.take_call(number, call, &mut kept),
                Block::ToolResult(result) => place = self.take_result(result, &mut kept),
                Block::CachePoint(_) => self.put(block, place, &mut kept),
                _ => {
                    place = Slot::Here;
                    kept.push(block);
                }
            }
        }
        kept
    }

    /// Keeps `call` unless turn `number` already has a call with its id.
    fn take_call(&mut self, number: usize, call: ToolUse<'a>, kept: &mut Vec<Block<'a>>) -> Slot {
        let latest = self.latest.get(&call.id).and_then(|index| self.calls.get(*index));
        if latest.is_some_and(|latest| latest.turn == number) {
            return Slot::Nowhere;
        }
        let id = self.ids.mint(&call.id);
        self.latest.insert(call.id, self.calls.len());
        self.calls.push(Call { turn: number, id: id.clone(), result: Vec::new() });
        kept.push(Block::ToolUse(ToolUse { id, ..call }));
        Slot::Here
    }

    /// Adds `result` to its call unless that call has one; without a call, it becomes text.
    fn take_result(&mut self, result: ToolResult<'a>, kept: &mut Vec<Block<'a>>) -> Slot {
        let index = self.latest.get(&result.id).copied();
        let call = index.and_then(|index| Some((index, self.calls.get_mut(index)?)));
        match call {
            None => {
                kept.extend(result_as_text(result.id, result.content));
                Slot::Here
            }
            Some((_, call)) if !call.result.is_empty() => Slot::Nowhere,
            Some((index, call)) => {
                let id = call.id.clone();
                call.result.push(Block::ToolResult(ToolResult { id, ..result }));
                Slot::With(index)
            }
        }
    }

    /// Puts a cache point where its block was kept.
    fn put(&mut self, block: Block<'a>, place: Slot, kept: &mut Vec<Block<'a>>) {
        match place {
            Slot::Here => kept.push(block),
            Slot::With(index) => {
                if let Some(call) = self.calls.get_mut(index) {
                    call.result.push(block);
                }
            }
            Slot::Nowhere => {}
        }
    }
}

// === impl Call ===

impl<'a> Call<'a> {
    /// Returns the result, or a placeholder if it is missing: Bedrock requires one for every call.
    fn into_result(self) -> Vec<Block<'a>> {
        if !self.result.is_empty() {
            return self.result;
        }
        let content = vec![Block::text(MISSING)];
        vec![Block::ToolResult(ToolResult { id: self.id, content })]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::converse::request::{CachePoint, Media, Role, Source};

    #[test]
    fn inputs_of_any_arguments_are_objects() {
        for (arguments, expected) in [
            (r#"{"a": 1}"#, vec![r#"{"a": 1}"#]),
            (" {}\n", vec!["{}"]),
            ("", vec!["{}"]),
            ("  ", vec!["{}"]),
            ("null", vec!["{}"]),
            (r#"{"a": "#, vec!["{}"]),
            ("{} x", vec!["{}"]),
            ("[1]", vec![r#"{"value":[1]}"#]),
            (r#""x""#, vec![r#"{"value":"x"}"#]),
            ("1 2", vec!["{}"]),
            (r#"{"a":1}{"b":2} {}"#, vec![r#"{"a":1}"#, r#"{"b":2}"#, "{}"]),
        ] {
            let inputs = inputs(arguments, 16);
            let found: Vec<_> = inputs.iter().map(Json::text).collect();
            assert_eq!(found, expected, "{arguments}");
        }
    }

    #[test]
    fn calls_with_several_objects_have_different_ids() {
        let calls: Vec<_> = calls("a", &Cow::Borrowed("f"), "{}{}", 16).collect();
        let ids: Vec<_> = calls
            .iter()
            .map(|block| match block {
                Block::ToolUse(call) => &*call.id,
                _ => "",
            })
            .collect();
        assert_eq!(ids, ["a", "a#2"]);
    }

    #[test]
    fn inputs_of_one_object_are_not_copied() {
        let arguments = r#" {"a": 1}"#;
        let inputs = inputs(arguments, 16);
        assert!(matches!(inputs.as_slice(), [Json::Given(_)]), "{inputs:?}");
    }

    /// Parses turns in short notation, the assistant first: calls `+id`, results `-id`, cache
    /// points `*` and texts.
    fn turns<'a>(short: &[&'a str]) -> Vec<Turn<'a>> {
        let turn = |(index, words): (usize, &&'a str)| Turn {
            role: if index % 2 == 0 { Role::Assistant } else { Role::User },
            content: words.split_whitespace().map(block).collect(),
        };
        short.iter().enumerate().map(turn).collect()
    }

    fn block(word: &str) -> Block<'_> {
        match word.split_at(1) {
            ("+", id) => calls(id, &Cow::Borrowed("f"), "", 16).next().unwrap(),
            ("-", id) => result(id, vec![Block::text("r")]),
            ("*", _) => Block::CachePoint(CachePoint { kind: "default", ttl: None }),
            _ => Block::text(word),
        }
    }

    /// Formats turns in the notation of [`turns`], with `?id` for missing results.
    fn short(turns: &[Turn<'_>]) -> Vec<String> {
        let word = |block: &Block<'_>| match block {
            Block::ToolUse(call) => format!("+{}", call.id),
            Block::ToolResult(result) if result.content == [Block::text(MISSING)] => {
                format!("?{}", result.id)
            }
            Block::ToolResult(result) => format!("-{}", result.id),
            Block::Text(text) => text.to_string(),
            Block::Joined(pieces) => pieces.concat(),
            _ => "*".to_owned(),
        };
        let words = |turn: &Turn<'_>| turn.content.iter().map(word).collect::<Vec<_>>().join(" ");
        turns.iter().map(words).collect()
    }

    #[test]
    fn pair_matches_calls_with_their_results() {
        let [again, third] = repeats(ToolIds::new(Family::Claude), "a");
        for (given, expected) in [
            (vec!["+a +b", "-b -a"], vec!["+a +b", "-a -b"]),
            (vec!["+a", "x"], vec!["+a", "x ?a"]),
            (vec!["+a"], vec!["+a"]),
            (vec!["x", "y", "+a"], vec!["x", "y", "+a"]),
            (vec!["+a", "x", "y", "-a * z"], vec!["+a", "x -a *", "y", "z"]),
            (vec!["+a +a *", "-a * -a * x"], vec!["+a", "x -a *"]),
            (vec!["x", "-a y"], vec!["x", "[tool result for a: r] y"]),
            (vec!["x", "-a", "+a"], vec!["x", "[tool result for a: r]", "+a"]),
            (
                vec!["+a", "-a", "+a", "-a", "+a", "x"],
                vec![
                    "+a",
                    "-a",
                    &format!("+{again}"),
                    &format!("-{again}"),
                    &format!("+{third}"),
                    &format!("x ?{third}"),
                ],
            ),
        ] {
            let mut turns = turns(&given);
            pair(&mut turns, Family::Claude);
            assert_eq!(short(&turns), expected, "{given:?}");
        }
    }

    /// Returns the ids of the second and the third call with `id`.
    fn repeats(mut ids: ToolIds<'static>, id: &'static str) -> [String; 2] {
        let mut mint = || ids.mint(&Cow::Borrowed(id)).into_owned();
        mint();
        [mint(), mint()]
    }

    #[test]
    fn result_as_text_keeps_images() {
        let source = Source::Bytes("AAAA");
        let image = Block::Image(Media { format: "png", source });
        let content = vec![Block::text("a"), image.clone(), Block::text("b")];
        assert_eq!(
            serde_json::to_value(result_as_text("1".into(), content)).unwrap(),
            json!([{"text": "[tool result for 1: a\nb]"}, image])
        );
        assert_eq!(
            serde_json::to_value(result_as_text("1".into(), vec![image.clone()])).unwrap(),
            json!([{"text": "[tool result for 1: (empty)]"}, image])
        );
    }
}
