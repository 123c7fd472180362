//! What the model answers: always the same to the same request.

use serde_json::{Value, json};

use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::instance::instance;
use crate::simulator::bedrock::request::{Request, has};
use crate::simulator::bedrock::said::Said;

/// The model's turn.
pub(crate) struct Turn {
    pub(crate) blocks: Vec<Block>,
    pub(crate) stop_reason: String,
}

/// A part of it.
pub(crate) enum Block {
    /// Reasoning with a signature.
    Thought,
    /// Reasoning that only the model can read.
    Redacted,
    Text(String),
    /// Text with a source on the web.
    Cited(String),
    Call {
        id: String,
        name: String,
        input: Value,
    },
}

impl Turn {
    /// Thinks if it may, then calls tools or speaks. `aloud` in what was said makes it do both.
    pub(crate) fn new(request: &Request<'_>, fault: &Fault) -> Self {
        let said = Said::new(request);
        let calls = calls(request, &said);
        let is_call = !calls.is_empty();
        let mut blocks = Vec::new();
        if fault.is_redacted {
            blocks.push(Block::Redacted);
        }
        if thinks(request) {
            blocks.push(Block::Thought);
        }
        if is_call && said.text.contains("aloud") {
            blocks.push(Block::Text("Let me look.".to_owned()));
        }
        blocks.extend(calls);
        if !is_call {
            let text = formatted(request).unwrap_or_else(|| said.answer());
            blocks.push(if fault.has_citations { Block::Cited(text) } else { Block::Text(text) });
        }
        let usual = if is_call { "tool_use" } else { "end_turn" };
        let stop_reason = fault.stop_reason.clone().unwrap_or_else(|| usual.to_owned());
        Self { blocks, stop_reason }
    }
}

/// Tokens; the cache is written wherever a request says that it may be.
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

/// Whether one of the fields that models have for it asks for reasoning.
fn thinks(request: &Request<'_>) -> bool {
    let is_on = |field: &Value| {
        let mode = field.as_str().or_else(|| field["type"].as_str().or(field["effort"].as_str()));
        mode.is_some_and(|mode| !matches!(mode, "disabled" | "none"))
    };
    ["thinking", "reasoningConfig", "reasoning_config", "reasoning_effort", "reasoning"]
        .iter()
        .any(|name| is_on(request.extra(name)))
}

/// The text that a demanded format makes of an answer.
fn formatted(request: &Request<'_>) -> Option<String> {
    let format = request.body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema")?;
    let schema: Value = serde_json::from_str(format.as_str()?).ok()?;
    Some(instance(&schema).to_string())
}

/// Calls the tool that is forced, or the first on offer unless a result is there already. A tool
/// must be called where any is forced: after a result it is the last, as if that were the answer.
/// Where both are asked for, the second tool is called too, without input.
fn calls(request: &Request<'_>, said: &Said) -> Vec<Block> {
    let tools: Vec<&Value> = request.tools().collect();
    let named = &request.tool_choice()["tool"]["name"];
    let first = match &said.result {
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
    let is_parallel = said.text.contains("both tools") || said.text.contains("parallel");
    let may = request.extra("tool_choice")["disable_parallel_tool_use"] != true;
    if let Some(second) = tools.get(1).filter(|_| is_parallel && may && named.is_null()) {
        calls.push(call(number + 1, second, json!({})));
    }
    calls
}

fn call(number: usize, tool: &Value, input: Value) -> Block {
    let name = tool["name"].as_str().unwrap_or_default().to_owned();
    Block::Call { id: format!("tooluse_simulated{number}"), name, input }
}

/// A city, unless the tool must be called, or is one that only gives an answer its shape: then all
/// that its schema has.
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
