//! What models of one vendor or another do not take. Claude has its own file.

use serde_json::Value;

use crate::simulator::bedrock::request::{Request, has, list};
use crate::simulator::bedrock::rules::{Rule, extraneous};

pub(super) const RULES: [Rule; 6] = [
    nova_has_cached_tools,
    llama_has_tool_choice,
    mistral_has_named_tool,
    mistral_has_odd_id,
    qwen_has_stop_sequences,
    other_has_reasoning,
];

fn nova_has_cached_tools(request: &Request<'_>) -> Option<String> {
    let tools = list(&request.body["toolConfig"]["tools"]);
    let index = tools.iter().position(|tool| has(tool, "cachePoint"))?;
    (request.model.is_of("amazon.nova"))
        .then(|| extraneous(&format!("/toolConfig/tools/{index}"), "cachePoint"))
}

fn llama_has_tool_choice(request: &Request<'_>) -> Option<String> {
    let choice = request.tool_choice().as_object()?.keys().next()?;
    request.model.is_of("meta.").then(|| unsupported(&format!("toolConfig.toolChoice.{choice}")))
}

fn mistral_has_named_tool(request: &Request<'_>) -> Option<String> {
    let is_named = request.model.is_of("mistral.") && has(request.tool_choice(), "tool");
    is_named.then(|| unsupported("toolConfig.toolChoice.tool"))
}

fn mistral_has_odd_id(request: &Request<'_>) -> Option<String> {
    if !request.model.is_of("mistral.") {
        return None;
    }
    let odd = request.blocks().find(|placed| {
        let id = |kind: &str| placed.block[kind]["toolUseId"].as_str();
        id("toolUse").or_else(|| id("toolResult")).is_some_and(is_odd)
    })?;
    Some(format!(
        "The model returned the following errors: Tool call id at {} must be a-z, A-Z, 0-9, with \
         a length of 9.",
        odd.path()
    ))
}

fn is_odd(id: &str) -> bool {
    id.len() != 9 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn qwen_has_stop_sequences(request: &Request<'_>) -> Option<String> {
    let has_any =
        request.inference("stopSequences").as_array().is_some_and(|list| !list.is_empty());
    (has_any && request.model.is_of("qwen.")).then(|| unsupported("stopSequences"))
}

/// Reasoning goes back to Claude only. An ARN does not tell whose model it names.
fn other_has_reasoning(request: &Request<'_>) -> Option<String> {
    const OTHERS: [&str; 5] = ["amazon.", "deepseek.", "meta.", "mistral.", "openai."];
    let is_other = OTHERS.iter().any(|vendor| request.model.is_of(vendor));
    let replays = |block: &Value| has(block, "reasoningContent");
    let placed = request.blocks().find(|placed| is_other && replays(placed.block))?;
    Some(unsupported(&format!("{}.reasoningContent", placed.path())))
}

fn unsupported(field: &str) -> String {
    format!("This model does not support the {field} field. Remove {field} and try again.")
}
