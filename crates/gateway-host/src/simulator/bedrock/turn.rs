//! The simulated model's turn, which depends only on the request.

use serde_json::{Value, json};

use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::instance::instance;
use crate::simulator::bedrock::last_turn::LastTurn;
use crate::simulator::bedrock::request::{Request, has};

/// A turn of the model.
pub(crate) struct Turn {
    pub(crate) blocks: Vec<Block>,
    pub(crate) stop_reason: String,
}

/// A content block of a turn.
pub(crate) enum Block {
    /// Reasoning with a signature.
    Thought,
    /// Reasoning that is encrypted.
    Redacted,
    /// Text.
    Text(String),
    /// Text with a source on the web.
    Cited(String),
    /// A tool call.
    Call { id: String, name: String, input: Value },
}

impl Turn {
    /// Creates the turn that follows a request: a thought if thinking is on, and then tool calls or
    /// a text. The word `aloud` in the user's message asks for both.
    pub(crate) fn new(request: &Request<'_>, fault: &Fault) -> Self {
        let last_turn = LastTurn::new(request);
        let calls = calls(request, &last_turn);
        let is_call = !calls.is_empty();
        let mut blocks = Vec::new();
        if fault.is_redacted {
            blocks.push(Block::Redacted);
        }
        if thinks(request) {
            blocks.push(Block::Thought);
        }
        if is_call && last_turn.text.contains("aloud") {
            blocks.push(Block::Text("Let me look.".to_owned()));
        }
        blocks.extend(calls);
        if !is_call {
            let text = formatted(request).unwrap_or_else(|| last_turn.repeat());
            blocks.push(if fault.has_citations { Block::Cited(text) } else { Block::Text(text) });
        }
        let usual = if is_call { "tool_use" } else { "end_turn" };
        let stop_reason = fault.stop_reason.clone().unwrap_or_else(|| usual.to_owned());
        Self { blocks, stop_reason }
    }
}

/// Builds the token usage. A request with cache points reports that its prefix was written to the
/// cache.
pub(crate) fn usage(request: &Request<'_>) -> Value {
    if request.cache_points() == 0 {
        return json!({"inputTokens": 14, "outputTokens": 12, "totalTokens": 26});
    }
    json!({
        "inputTokens": 16,
        "outputTokens": 9,
        "totalTokens": 2412,
        "cacheReadInputTokens": 0,
        "cacheWriteInputTokens": 2387,
    })
}

/// Checks whether one of the fields in which models expect it asks for reasoning.
fn thinks(request: &Request<'_>) -> bool {
    let is_on = |field: &Value| {
        let mode = field.as_str().or_else(|| field["type"].as_str().or(field["effort"].as_str()));
        mode.is_some_and(|mode| !matches!(mode, "disabled" | "none"))
    };
    ["thinking", "reasoningConfig", "reasoning_config", "reasoning_effort", "reasoning"]
        .iter()
        .any(|name| is_on(request.model_field(name)))
}

/// Generates the text for a request with a response format.
fn formatted(request: &Request<'_>) -> Option<String> {
    let format = request.body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema")?;
    let schema: Value = serde_json::from_str(format.as_str()?).ok()?;
    Some(instance(&schema).to_string())
}

/// Chooses the tools to call: the one that is forced by name, or otherwise the first one unless the
/// last turn has results. If some call is forced after a result, it is the last tool, as if that
/// one held the final output. A message that asks for both tools calls the second one too, without
/// input.
fn calls(request: &Request<'_>, last_turn: &LastTurn) -> Vec<Block> {
    let tools: Vec<&Value> = request.tools().collect();
    let named = &request.tool_choice()["tool"]["name"];
    let first = match &last_turn.result {
        _ if named.is_string() => tools.iter().find(|tool| tool["name"] == *named),
        Some(_) if request.is_forced() => tools.last(),
        Some(_) => None,
        None => tools.first(),
    };
    let Some(first) = first else {
        return Vec::new();
    };
    let number = 1 + request.blocks().filter(|placed| has(placed.block, "toolUse")).count();
    let mut calls = vec![call(number, first, input(request, first, tools.len() == 1))];
    let text = &last_turn.text;
    let is_parallel = text.contains("both tools") || text.contains("parallel");
    let may = request.model_field("tool_choice")["disable_parallel_tool_use"] != true;
    if let Some(second) = tools.get(1).filter(|_| is_parallel && may && named.is_null()) {
        calls.push(call(number + 1, second, json!({})));
    }
    calls
}

/// Builds the call with a number, which makes its ID unique in the conversation.
fn call(number: usize, tool: &Value, input: Value) -> Block {
    let name = tool["name"].as_str().unwrap_or_default().to_owned();
    Block::Call { id: format!("tooluse_simulated{number}"), name, input }
}

/// Generates the input of a call: a city, or a value for the whole schema if the call is forced,
/// the tool only gives the output its format, or it takes no city.
fn input(request: &Request<'_>, tool: &Value, is_only: bool) -> Value {
    let schema = &tool["inputSchema"]["json"];
    let properties = schema["properties"].as_object();
    let takes_city = properties
        .is_none_or(|properties| properties.is_empty() || properties.contains_key("city"));
    let is_shape = is_only && tool["name"].as_str().is_some_and(|name| name.contains("json"));
    if request.is_forced() || is_shape || !takes_city {
        return instance(schema);
    }
    json!({"city": "Paris"})
}
