//! Properties of the conversation that any list of messages becomes.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::catalog::capabilities::Family;
use crate::catalog::sample;
use crate::openai::request::sample::messages as messages_of;

const TEXTS: [&str; 6] = ["", " ", "\n\t", "a", "b \n", " c"];
const IDS: [&str; 6] = ["a", "b", "call_1", "no good", "", "a#2"];
const ARGUMENTS: [&str; 6] = ["", "{}", "{}{}", "[1]", "{", r#"{"x":" "}"#];

fn text() -> impl Strategy<Value = &'static str> {
    select(TEXTS.as_slice())
}

fn id() -> impl Strategy<Value = &'static str> {
    select(IDS.as_slice())
}

fn mark() -> impl Strategy<Value = Value> {
    select(vec![Value::Null, Value::Null, json!({"type": "ephemeral"})])
}

fn text_part() -> impl Strategy<Value = Value> {
    (text(), mark())
        .prop_map(|(text, mark)| json!({"type": "text", "text": text, "cache_control": mark}))
}

fn file_part() -> impl Strategy<Value = Value> {
    let data = select(vec![
        "data:image/png;base64,AAAA",
        "data:text/plain;base64,AAAA",
        "data:application/pdf;base64,AAAA",
    ]);
    let filename = select(vec![None, Some("a.txt"), Some("a"), Some("a-2.md")]);
    (data, filename, mark()).prop_map(|(data, filename, mark)| {
        let file = json!({"file_data": data, "filename": filename});
        json!({"type": "file", "file": file, "cache_control": mark})
    })
}

fn texts() -> impl Strategy<Value = Value> {
    prop_oneof![text().prop_map(Value::from), vec(text_part(), 0..3).prop_map(Value::from)]
}

fn content() -> impl Strategy<Value = Value> {
    let parts = vec![text_part().boxed(), file_part().boxed()];
    prop_oneof![texts(), vec(proptest::strategy::Union::new(parts), 0..4).prop_map(Value::from)]
}

fn call() -> impl Strategy<Value = Value> {
    (id(), select(ARGUMENTS.as_slice())).prop_map(|(id, arguments)| {
        json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}})
    })
}

fn assistant() -> impl Strategy<Value = Value> {
    let thought = json!({"type": "thinking", "thinking": "hm", "signature": "s"});
    let reasoning = select(vec![json!([]), json!([thought]), json!([{"type": "thinking"}])]);
    let old_call = select(vec![Value::Null, Value::Null, json!({"name": "f"})]);
    let content = prop_oneof![Just(Value::Null), texts()];
    let calls = vec(call(), 0..3);
    (content, calls, old_call, reasoning, mark()).prop_map(
        |(content, calls, old_call, reasoning, mark)| {
            json!({
                "role": "assistant", "content": content, "tool_calls": calls,
                "function_call": old_call, "thinking_blocks": reasoning, "cache_control": mark,
            })
        },
    )
}

pub(crate) fn message() -> impl Strategy<Value = Value> {
    let system = select(vec!["system", "developer"]);
    prop_oneof![
        1 => (system, texts()).prop_map(|(role, content)| json!({"role": role, "content": content})),
        2 => (content(), mark()).prop_map(|(content, mark)| {
            json!({"role": "user", "content": content, "cache_control": mark})
        }),
        3 => assistant(),
        3 => (id(), content(), mark()).prop_map(|(id, content, mark)| {
            json!({
                "role": "tool", "tool_call_id": id, "content": content, "cache_control": mark,
            })
        }),
        1 => texts().prop_map(|content| json!({"role": "function", "name": "f", "content": content})),
    ]
}

fn ids<'t>(turn: &'t Turn<'_>) -> (Vec<&'t str>, Vec<&'t str>) {
    let (mut calls, mut results) = (Vec::new(), Vec::new());
    for block in &turn.content {
        match block {
            Block::ToolUse(call) => calls.push(&*call.id),
            Block::ToolResult(result) => results.push(&*result.id),
            _ => {}
        }
    }
    (calls, results)
}

/// Asserts that every call has its result in the next turn, if there is one, and that no id
/// repeats.
fn assert_paired(turns: &[Turn<'_>]) {
    let mut open = Vec::new();
    let mut all = BTreeSet::new();
    for turn in turns {
        let (calls, results) = ids(turn);
        assert_eq!(results, open, "{turns:?}");
        assert!(calls.iter().all(|id| all.insert((*id).to_owned())), "{turns:?}");
        assert!(turn.role == Role::Assistant || calls.is_empty(), "{turns:?}");
        open = calls;
    }
}

fn assert_sound(turn: &Turn<'_>) {
    let is_document = |block: &Block<'_>| matches!(block, Block::Document(_));
    let is_text = Block::is_text;
    assert!(!turn.content.is_empty());
    assert!(!turn.content.iter().any(Block::is_blank), "{turn:?}");
    assert!(turn.content.first().is_some_and(|block| !cache::is_point(block)), "{turn:?}");
    assert!(turn.content.iter().any(is_text) || !turn.content.iter().any(is_document), "{turn:?}");
    assert!(turn.role == Role::User || turn.content.iter().any(has_content), "{turn:?}");
    for block in &turn.content {
        if let Block::ToolResult(result) = block {
            assert!(!result.content.is_empty() && !result.content.iter().any(Block::is_blank));
        }
    }
}

proptest! {
    #[test]
    fn convert_of_any_messages_makes_a_valid_conversation(
        messages in vec(message(), 1..10),
        family in select(vec![Family::Claude, Family::Mistral, Family::Nova]),
        history in select(vec![ToolHistory::Blocks, ToolHistory::Text]),
        tool_result_images: bool,
    ) {
        let json = Value::from(messages).to_string();
        let messages = messages_of(&json);
        let mut model = sample::model(family);
        model.capabilities.tool_result_images = tool_result_images;
        let Conversation { system, turns } =
            convert(&messages, &model, &mut ToolNames::default(), history).unwrap();
        prop_assert!(turns.first().is_some_and(|first| first.role == Role::User));
        prop_assert!(!system.iter().any(Block::is_blank));
        prop_assert!(turns.windows(2).all(|pair| pair[0].role != pair[1].role));
        turns.iter().for_each(assert_sound);
        assert_paired(&turns);
        let has_tools = turns.iter().any(|turn| ids(turn) != (Vec::new(), Vec::new()));
        prop_assert!(!has_tools || history == ToolHistory::Blocks);
        let names: Vec<_> = turns.iter().flat_map(|turn| &turn.content).filter_map(|block| match block {
            Block::Document(document) => Some(&document.name),
            _ => None,
        }).collect();
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
