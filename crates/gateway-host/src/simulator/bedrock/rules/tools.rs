//! Rules of tools: their names, their calls, and the results that must match the calls.

use serde_json::Value;

use crate::simulator::bedrock::request::{Request, duplicate, has, list, strings};
use crate::simulator::bedrock::rules::Rule;

/// The rules of tools.
pub(super) const RULES: [Rule; 7] = [
    lacks_configuration,
    repeats_name,
    chooses_unknown_tool,
    has_block_of_other_role,
    repeats_call,
    lacks_results,
    has_results_without_calls,
];

/// Checks that a conversation with tool calls declares tools.
fn lacks_configuration(request: &Request<'_>) -> Option<String> {
    let is_of_tool = |block: &Value| has(block, "toolUse") || has(block, "toolResult");
    let needs = request.blocks().any(|placed| is_of_tool(placed.block));
    (needs && !has(request.body, "toolConfig")).then(|| {
        "The toolConfig field must be defined when using toolUse and toolResult content blocks."
            .to_owned()
    })
}

/// Checks that tool names are unique.
fn repeats_name(request: &Request<'_>) -> Option<String> {
    let name = duplicate(&strings(request.tools(), "/name"))?;
    Some(format!("The toolConfig.tools field contains the duplicate tool name {name}."))
}

/// Checks that the tool choice names an offered tool.
fn chooses_unknown_tool(request: &Request<'_>) -> Option<String> {
    let choice = request.tool_choice();
    if choice.is_null() {
        return None;
    }
    let names = strings(request.tools(), "/name");
    let chosen = choice["tool"]["name"].as_str();
    (names.is_empty() || chosen.is_some_and(|name| !names.contains(&name))).then(|| {
        "The toolConfig.toolChoice field is defined, but toolConfig.tools has no such tool."
            .to_owned()
    })
}

/// Checks that calls and thoughts are the assistant's, and results the user's.
fn has_block_of_other_role(request: &Request<'_>) -> Option<String> {
    let (kind, placed) = request.blocks().find_map(|placed| {
        let kinds =
            [("toolUse", "assistant"), ("toolResult", "user"), ("reasoningContent", "assistant")];
        let (kind, _) = kinds
            .into_iter()
            .find(|(kind, role)| has(placed.block, kind) && placed.role != *role)?;
        Some((kind, placed))
    })?;
    Some(format!(
        "A {kind} block is not allowed in a {} message at {}.",
        placed.role,
        placed.path()
    ))
}

/// Checks that call IDs are unique in the conversation, and result IDs in their turn.
fn repeats_call(request: &Request<'_>) -> Option<String> {
    let calls = request.blocks().map(|placed| placed.block);
    if let Some(id) = duplicate(&strings(calls, "/toolUse/toolUseId")) {
        return Some(format!("The toolUse blocks in messages contain duplicate Ids: {id}"));
    }
    request.messages().iter().enumerate().find_map(|(index, message)| {
        let id = duplicate(&results(message))?;
        Some(format!(
            "The toolResult blocks at messages.{index}.content contain duplicate Ids: {id}"
        ))
    })
}

/// Checks that every call has its result in the next turn.
fn lacks_results(request: &Request<'_>) -> Option<String> {
    let messages = request.messages();
    messages.iter().enumerate().find_map(|(index, message)| {
        let next = index + 1;
        let given = messages.get(next).map(results).unwrap_or_default();
        let missing: Vec<&str> =
            calls(message).into_iter().filter(|id| !given.contains(id)).collect();
        (!missing.is_empty()).then(|| {
            let ids = missing.join(", ");
            format!(
                "Expected toolResult blocks at messages.{next}.content for the following Ids: {ids}"
            )
        })
    })
}

/// Checks that every result has its call in the previous turn.
fn has_results_without_calls(request: &Request<'_>) -> Option<String> {
    let messages = request.messages();
    messages.iter().enumerate().find_map(|(index, message)| {
        let before = index.checked_sub(1).and_then(|before| messages.get(before));
        let asked = before.map(calls).unwrap_or_default();
        results(message).iter().any(|id| !asked.contains(id)).then(|| {
            format!(
                "The number of toolResult blocks at messages.{index}.content exceeds the number \
                 of toolUse blocks of previous turn."
            )
        })
    })
}

/// Collects the IDs of a turn's calls, except those of tools that AWS runs itself.
fn calls(message: &Value) -> Vec<&str> {
    let blocks = list(&message["content"]).iter();
    strings(blocks.filter(|block| block["toolUse"]["type"].is_null()), "/toolUse/toolUseId")
}

/// Collects the IDs of a turn's results.
fn results(message: &Value) -> Vec<&str> {
    strings(list(&message["content"]), "/toolResult/toolUseId")
}
