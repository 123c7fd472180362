//! Requests beside what becomes of them, in `golden/requests`, and what holds for any of them.

use gateway_host::simulator::bedrock::refusal;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::converse::golden::cases;
use crate::converse::messages::properties::message;

/// The body for a request that is asked of `model`, or the error.
fn built(body: &str, model: &str, degraded: Degraded) -> Result<Value, Error> {
    let request = ChatRequest::parse(body.as_bytes())?;
    let (converse, _) = build(&request, &Model::of(model), degraded)?;
    Ok(serde_json::to_value(converse).unwrap())
}

fn told(outcome: Result<Value, Error>) -> String {
    match outcome {
        Ok(body) => serde_json::to_string_pretty(&body).unwrap(),
        Err(error) => format!("{} at {:?}: {error}", error.shape().code, error.param()),
    }
}

/// What the second try leaves out, by the names of a golden file.
fn degraded(case: &Value) -> Degraded {
    let is_left_out = |name: &str| case["without"] == name;
    Degraded {
        output_config: is_left_out("output_config"),
        sampling: is_left_out("sampling"),
        top_p: is_left_out("top_p"),
        stop_sequences: is_left_out("stop_sequences"),
        tool_choice: is_left_out("tool_choice"),
    }
}

#[test]
fn every_request_becomes_one_that_bedrock_takes() {
    let mut count = 0;
    for (name, case) in cases("requests") {
        let model = case["request"]["model"].as_str().unwrap();
        let outcome = built(&case["request"].to_string(), model, degraded(&case));
        if let Ok(body) = &outcome {
            assert_eq!(refusal(model, body), None, "{name}: {body}");
        }
        insta::with_settings!({
            snapshot_path => "../../../golden/requests",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name.as_str(), told(outcome));
        });
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[test]
fn the_exchange_knows_what_the_answer_needs() {
    let schema =
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}});
    let tools = json!([{"type": "function", "function": {"name": "a.b"}}]);
    for (members, include_usage, json_tool) in [
        (json!({}), false, None),
        (json!({"stream_options": {"include_usage": true}}), true, None),
        (json!({"response_format": schema}), false, Some(JsonTool { is_wrapped: true })),
        (json!({"response_format": schema, "tool_choice": "required"}), false, None),
    ] {
        let mut body = json!({"model": "mine", "messages": [{"role": "user", "content": "a"}], "tools": tools});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let body = body.to_string();
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        let model = Model::of("amazon.nova-pro-v1:0");
        let (converse, exchange) = build(&request, &model, Degraded::default()).unwrap();
        let found = (exchange.include_usage, exchange.json_tool, exchange.model.as_str());
        assert_eq!(found, (include_usage, json_tool, "mine"), "{members}");
        let ToolEntry::ToolSpec(spec) = &converse.tool_config.unwrap().tools[0] else { panic!() };
        assert_eq!(exchange.names.original(&spec.name), "a.b");
    }
}

const MODELS: [&str; 13] = [
    "amazon.nova-pro-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "anthropic.claude-3-7-sonnet-20250219-v1:0",
    "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic.claude-sonnet-4-6",
    "global.anthropic.claude-opus-4-7",
    "anthropic.claude-opus-5-5",
    "meta.llama3-1-70b-instruct-v1:0",
    "mistral.mistral-large-2407-v1:0",
    "deepseek.v3-v1:0",
    "openai.gpt-oss-120b-1:0",
    "qwen.qwen3-32b-v1:0",
    "cohere.command-text-v14",
];

/// What only the client can mend: how the conversation begins and ends, and how much is in it.
const CLIENTS: [&str; 4] = [
    "A conversation must start with a user message",
    "Expected toolResult blocks",
    "more than the maximum",
    "final assistant content",
];

fn tool() -> impl Strategy<Value = Value> {
    let name = select(vec!["f", "g", "a.b", "tool with spaces", JSON_TOOL]);
    let parameters = select(vec![
        Value::Null,
        json!({}),
        json!({"type": "object", "properties": {"city": {"type": "string"}}}),
    ]);
    let mark = select(vec![Value::Null, json!({"type": "ephemeral", "ttl": "1h"})]);
    (name, parameters, any::<bool>(), mark).prop_map(|(name, parameters, strict, mark)| {
        let function =
            json!({"name": name, "description": "", "parameters": parameters, "strict": strict});
        json!({"type": "function", "function": function, "cache_control": mark})
    })
}

fn choice() -> impl Strategy<Value = Value> {
    let function = json!({"type": "function", "function": {"name": "f"}});
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function]}});
    select(vec![json!(null), json!("auto"), json!("none"), json!("required"), function, allowed])
}

fn format() -> impl Strategy<Value = Value> {
    let schema = |schema: Value| json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    select(vec![
        Value::Null,
        json!({"type": "json_object"}),
        schema(json!({"type": "object", "properties": {"a": {"type": "object"}}})),
        schema(json!({"type": "array", "items": {"type": "object"}})),
        schema(json!({"type": "object", "additionalProperties": {"type": "string"}})),
    ])
}

fn limits() -> impl Strategy<Value = Value> {
    let effort =
        select(vec![json!(null), json!("none"), json!("low"), json!("high"), json!("max")]);
    let max_tokens = select(vec![json!(null), json!(1), json!(1500), json!(9000)]);
    let level = select(vec![json!(null), json!(0), json!(0.5), json!(0.99)]);
    let top_k = select(vec![json!(null), json!(5)]);
    (effort, max_tokens, level.clone(), level, top_k, any::<bool>()).prop_map(
        |(effort, max_tokens, temperature, top_p, top_k, parallel)| {
            json!({
                "reasoning_effort": effort, "max_tokens": max_tokens, "temperature": temperature,
                "top_p": top_p, "top_k": top_k, "parallel_tool_calls": parallel,
            })
        },
    )
}

proptest! {
    #[test]
    fn any_request_is_refused_here_or_taken_there(
        messages in vec(message(), 1..8),
        mut tools in vec(tool(), 0..3),
        choice in choice(),
        format in format(),
        limits in limits(),
        metadata in select(vec![json!(null), json!({"a b": "ü", "": "x"})]),
        model in select(MODELS.as_slice()),
    ) {
        tools.sort_by_key(|tool| tool["function"]["name"].to_string());
        tools.dedup_by_key(|tool| tool["function"]["name"].to_string());
        let mut body = json!({
            "model": model, "messages": messages, "tools": tools, "tool_choice": choice,
            "response_format": format, "metadata": metadata,
        });
        body.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        match built(&body.to_string(), model, Degraded::default()) {
            Err(error) => prop_assert!(error.shape().status == 400, "{} {error}", body),
            Ok(converse) => if let Some(message) = refusal(model, &converse) {
                let is_clients = CLIENTS.iter().any(|known| message.contains(known));
                prop_assert!(is_clients, "{}\n{}\n{}", message, body, converse);
            }
        }
    }
}
