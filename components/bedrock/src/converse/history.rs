//! Tool calls and results of earlier turns: paired, or told as text.
//!
//! Bedrock wants every call answered in the turn right after it, and nothing answered that was not
//! called. Clients know calls by ids of their own, which they sometimes repeat from turn to turn, so
//! a result belongs to the last call before it that has its id.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem;

use serde_json::value::RawValue;

use crate::converse::content::split_text;
use crate::converse::ids::Ids;
use crate::converse::{Block, Json, ToolResult, ToolUse, Turn};
use crate::model::Family;
use crate::openai::Function;

/// Objects in one call's arguments that are taken for calls of their own.
const MOST_OBJECTS: usize = 16;

/// What stands for a result that never came.
const UNANSWERED: &str = "(no result)";
/// What stands for a result that says nothing, which some models refuse.
const EMPTY: &str = "(empty)";

/// A call of `function` as blocks, with the client's id.
///
/// Some models have written several objects as one call's arguments; each of them is a call, and the
/// result goes with the first.
pub(crate) fn calls<'a>(
    id: &'a str,
    name: &Cow<'a, str>,
    arguments: &'a str,
) -> impl Iterator<Item = Block<'a>> {
    inputs(arguments).into_iter().enumerate().map(move |(index, input)| {
        // No valid id has a `#`, so that no result of another call is taken for this one's.
        let id = match index {
            0 => Cow::Borrowed(id),
            _ => Cow::Owned(format!("{id}#{}", index + 1)),
        };
        Block::ToolUse(ToolUse { id, name: name.clone(), input })
    })
}

/// The objects that `arguments` consist of; an empty one if they are none.
fn inputs(arguments: &str) -> Vec<Json<'_>> {
    let values = serde_json::Deserializer::from_str(arguments).into_iter::<&RawValue>();
    let values: Result<Vec<_>, _> = values.collect();
    match values.as_deref() {
        Ok([value]) => vec![input(value)],
        Ok(objects @ [_, ..])
            if objects.len() <= MOST_OBJECTS && objects.iter().all(|value| is_object(value)) =>
        {
            objects.iter().map(|object| Json::Given(object)).collect()
        }
        _ => vec![Json::empty_object()],
    }
}

fn input(value: &RawValue) -> Json<'_> {
    match value.get() {
        "null" => Json::empty_object(),
        _ if is_object(value) => Json::Given(value),
        other => Json::from_text(format!(r#"{{"value":{other}}}"#)),
    }
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// The result of the call that the client knows as `id`; `content` must have nothing blank.
pub(crate) fn result<'a>(id: &'a str, mut content: Vec<Block<'a>>) -> Block<'a> {
    if content.is_empty() {
        content.push(Block::text(EMPTY));
    }
    Block::ToolResult(ToolResult { id: Cow::Borrowed(id), content })
}

/// A call as text.
pub(crate) fn tell_call<'a>(id: &str, function: &Function<'_>) -> Block<'a> {
    Block::text(format!("[tool call {id}: {}({})]", &*function.name, &*function.arguments))
}

/// A result as text, with its images behind it.
pub(crate) fn tell_result<'a>(id: &str, content: Vec<Block<'a>>) -> Vec<Block<'a>> {
    let (text, mut blocks) = split_text(content);
    let text = if text.is_empty() { EMPTY } else { &text };
    blocks.insert(0, Block::text(format!("[tool result for {id}: {text}]")));
    blocks
}

/// Pairs the calls and the results in `turns`, whose roles must alternate, and gives both ids that
/// Bedrock takes. Calls of the last turn stay unanswered.
///
/// Results stand behind the other blocks of their turn afterwards, and points behind their block.
pub(crate) fn pair(turns: &mut [Turn<'_>], family: Family) {
    let mut pairing = Pairing { ids: Ids::new(family), calls: Vec::new(), latest: BTreeMap::new() };
    for (number, turn) in turns.iter_mut().enumerate() {
        turn.content = pairing.take(number, mem::take(&mut turn.content));
    }
    for call in pairing.calls {
        if let Some(turn) = turns.get_mut(call.turn + 1) {
            turn.content.extend(call.answer());
        }
    }
}

struct Pairing<'a> {
    ids: Ids<'a>,
    calls: Vec<Call<'a>>,
    /// The last call of each of the client's ids.
    latest: BTreeMap<Cow<'a, str>, usize>,
}

struct Call<'a> {
    turn: usize,
    /// The id that goes out.
    id: Cow<'a, str>,
    /// The result and its cache points.
    answer: Vec<Block<'a>>,
}

/// Where a block goes, and the cache points behind it.
#[derive(Clone, Copy)]
enum Place {
    Here,
    With(usize),
    Nowhere,
}

// === impl Pairing ===

impl<'a> Pairing<'a> {
    /// Takes the results out of `blocks`, the content of the turn `number`.
    fn take(&mut self, number: usize, blocks: Vec<Block<'a>>) -> Vec<Block<'a>> {
        let mut kept = Vec::with_capacity(blocks.len());
        let mut place = Place::Here;
        for block in blocks {
            match block {
                Block::ToolUse(call) => place = self.take_call(number, call, &mut kept),
                Block::ToolResult(result) => place = self.take_result(result, &mut kept),
                Block::CachePoint(_) => self.put(block, place, &mut kept),
                _ => {
                    place = Place::Here;
                    kept.push(block);
                }
            }
        }
        kept
    }

    /// Keeps `call` unless it comes for the second time in the turn `number`.
    fn take_call(&mut self, number: usize, call: ToolUse<'a>, kept: &mut Vec<Block<'a>>) -> Place {
        let latest = self.latest.get(&call.id).and_then(|index| self.calls.get(*index));
        if latest.is_some_and(|latest| latest.turn == number) {
            return Place::Nowhere;
        }
        let id = self.ids.mint(&call.id);
        self.latest.insert(call.id, self.calls.len());
        self.calls.push(Call { turn: number, id: id.clone(), answer: Vec::new() });
        kept.push(Block::ToolUse(ToolUse { id, ..call }));
        Place::Here
    }

    /// Hands `result` to its call unless that has one; without a call it is told as text.
    fn take_result(&mut self, result: ToolResult<'a>, kept: &mut Vec<Block<'a>>) -> Place {
        let index = self.latest.get(&result.id).copied();
        let call = index.and_then(|index| Some((index, self.calls.get_mut(index)?)));
        match call {
            None => {
                kept.extend(tell_result(&result.id, result.content));
                Place::Here
            }
            Some((_, call)) if !call.answer.is_empty() => Place::Nowhere,
            Some((index, call)) => {
                let id = call.id.clone();
                call.answer.push(Block::ToolResult(ToolResult { id, ..result }));
                Place::With(index)
            }
        }
    }

    fn put(&mut self, block: Block<'a>, place: Place, kept: &mut Vec<Block<'a>>) {
        match place {
            Place::Here => kept.push(block),
            Place::With(index) => {
                if let Some(call) = self.calls.get_mut(index) {
                    call.answer.push(block);
                }
            }
            Place::Nowhere => {}
        }
    }
}

// === impl Call ===

impl<'a> Call<'a> {
    fn answer(self) -> Vec<Block<'a>> {
        if !self.answer.is_empty() {
            return self.answer;
        }
        let content = vec![Block::text(UNANSWERED)];
        vec![Block::ToolResult(ToolResult { id: self.id, content })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::{CachePoint, Media, Role, Source};

    #[test]
    fn arguments_become_objects() {
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
            let inputs = inputs(arguments);
            let found: Vec<_> = inputs.iter().map(Json::as_str).collect();
            assert_eq!(found, expected, "{arguments}");
        }
    }

    #[test]
    fn objects_in_one_are_calls_with_ids_of_their_own() {
        let calls: Vec<_> = calls("a", &Cow::Borrowed("f"), "{}{}").collect();
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
    fn arguments_are_not_copied() {
        let arguments = r#" {"a": 1}"#;
        let inputs = inputs(arguments);
        assert!(matches!(inputs.as_slice(), [Json::Given(_)]), "{inputs:?}");
    }

    /// Turns in short: the assistant's where there are calls `+id`, with results `-id`, cache points
    /// `*` and texts.
    fn turns<'a>(short: &[&'a str]) -> Vec<Turn<'a>> {
        let turn = |(index, words): (usize, &&'a str)| Turn {
            role: if index % 2 == 0 { Role::Assistant } else { Role::User },
            content: words.split_whitespace().map(block).collect(),
        };
        short.iter().enumerate().map(turn).collect()
    }

    fn block(word: &str) -> Block<'_> {
        match word.split_at(1) {
            ("+", id) => calls(id, &Cow::Borrowed("f"), "").next().unwrap(),
            ("-", id) => result(id, vec![Block::text("r")]),
            ("*", _) => Block::CachePoint(CachePoint { kind: "default", ttl: None }),
            _ => Block::text(word),
        }
    }

    /// The inverse of [`turns`], with `?id` for results that never came.
    fn short(turns: &[Turn<'_>]) -> Vec<String> {
        let word = |block: &Block<'_>| match block {
            Block::ToolUse(call) => format!("+{}", call.id),
            Block::ToolResult(result) if result.content == [Block::text(UNANSWERED)] => {
                format!("?{}", result.id)
            }
            Block::ToolResult(result) => format!("-{}", result.id),
            Block::Text(text) => text.to_string(),
            _ => "*".to_owned(),
        };
        let words = |turn: &Turn<'_>| turn.content.iter().map(word).collect::<Vec<_>>().join(" ");
        turns.iter().map(words).collect()
    }

    #[test]
    fn calls_find_their_results() {
        let [again, third] = repeats(Ids::new(Family::Claude), "a");
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

    /// The ids of the second and the third call with `id`.
    fn repeats(mut ids: Ids<'static>, id: &'static str) -> [String; 2] {
        let mut mint = || ids.mint(&Cow::Borrowed(id)).into_owned();
        mint();
        [mint(), mint()]
    }

    #[test]
    fn results_are_told_with_their_images() {
        let source = Source::Bytes(Cow::Borrowed("AAAA"));
        let image = Block::Image(Media { format: "png", source });
        let content = vec![Block::text("a"), image.clone(), Block::text("b")];
        assert_eq!(
            tell_result("1", content),
            [Block::text("[tool result for 1: a\nb]"), image.clone()]
        );
        assert_eq!(
            tell_result("1", vec![image.clone()]),
            [Block::text("[tool result for 1: (empty)]"), image]
        );
    }
}
