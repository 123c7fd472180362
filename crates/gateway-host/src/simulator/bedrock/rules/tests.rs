//! Tables of requests with a valid shape, and of the rule that each of them breaks.

use serde_json::{Value, json};

use super::violation;
use crate::simulator::bedrock::model::Model;
use crate::simulator::bedrock::request::Request;
use crate::simulator::bedrock::schema;

const NOVA: &str = "amazon.nova-lite-v1:0";
const HAIKU: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const SONNET: &str = "anthropic.claude-sonnet-4-6";
const OPUS: &str = "global.anthropic.claude-opus-4-7";
const LLAMA: &str = "us.meta.llama3-1-70b-instruct-v1:0";
const MISTRAL: &str = "mistral.mistral-large-2407-v1:0";
const LLAMA_4: &str = "meta.llama4-scout-17b-instruct-v1:0";
const MISTRAL_7B: &str = "mistral.mistral-7b-instruct-v0:2";
const GROK: &str = "xai.grok-4.6";
const QWEN: &str = "qwen.qwen3-32b-v1:0";

/// Returns the message for a request that the schema allows; empty if it breaks no rule.
fn outcome(model: &str, body: &Value) -> String {
    if let Err(exception) = schema::CONVERSE.check(body) {
        panic!("{body}: {}", exception.message);
    }
    let model = Model::read(model).unwrap();
    violation(&Request { body, model: &model, is_stream: false }).unwrap_or_default()
}

fn assert_outcomes(cases: impl IntoIterator<Item = (&'static str, Value, &'static str)>) {
    for (model, body, expected) in cases {
        let message = outcome(model, &body);
        let is_expected =
            if expected.is_empty() { message.is_empty() } else { message.contains(expected) };
        assert!(is_expected, "{model} {body}\nexpected {expected}\ngot {message}");
    }
}

fn user(blocks: &Value) -> Value {
    json!({"role": "user", "content": blocks})
}

fn assistant(blocks: &Value) -> Value {
    json!({"role": "assistant", "content": blocks})
}

fn text(text: &str) -> Value {
    json!({"text": text})
}

fn hello() -> Value {
    user(&json!([{"text": "hello"}]))
}

fn tools() -> Value {
    let schema = json!({"json": {"type": "object"}});
    json!({"tools": [{"toolSpec": {"name": "weather", "inputSchema": schema}}]})
}

fn call(id: &str) -> Value {
    json!({"toolUse": {"toolUseId": id, "name": "weather", "input": {}}})
}

fn result(id: &str) -> Value {
    json!({"toolResult": {"toolUseId": id, "content": [{"text": "sunny"}]}})
}

fn messages(messages: &Value) -> Value {
    json!({"messages": messages})
}

/// Builds a conversation that has called tools.
fn called(messages: &Value) -> Value {
    json!({"messages": messages, "toolConfig": tools()})
}

/// Builds a conversation of one message, with additional `fields`.
fn beginning(fields: &Value) -> Value {
    let mut body = messages(&json!([hello()]));
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn violation_conversation_out_of_order_is_reported() {
    let point = json!({"cachePoint": {"type": "default"}});
    let points =
        |count: usize| user(&json!([vec![text("a")], vec![point.clone(); count]].concat()));
    let lasting = |first: Option<&str>, second: Option<&str>| {
        let point = |ttl: Option<&str>| match ttl {
            Some(ttl) => json!({"cachePoint": {"type": "default", "ttl": ttl}}),
            None => point.clone(),
        };
        let mut body = messages(&json!([user(&json!([text("a"), point(second)]))]));
        body["system"] = json!([text("b"), point(first)]);
        body
    };
    assert_outcomes([
        (NOVA, messages(&json!([hello()])), ""),
        (NOVA, messages(&json!([hello(), assistant(&json!([text("Well,")]))])), ""),
        (
            NOVA,
            messages(&json!([assistant(&json!([text("a")]))])),
            "must start with a user message",
        ),
        (NOVA, messages(&json!([hello(), hello()])), "must alternate"),
        (
            NOVA,
            messages(&json!([user(&json!([text(" \n")]))])),
            "The text field in the ContentBlock object at messages.0.content.0 is blank.",
        ),
        (NOVA, beginning(&json!({"system": [{"text": " "}]})), "object at system.0 is blank"),
        (NOVA, messages(&json!([hello(), assistant(&json!([text("a ")]))])), "trailing whitespace"),
        (SONNET, messages(&json!([hello(), assistant(&json!([text("a")]))])), "prefill"),
        (HAIKU, messages(&json!([points(4)])), ""),
        (HAIKU, messages(&json!([points(5)])), "A maximum of 4 blocks"),
        (HAIKU, lasting(None, Some("1h")), "must not come after"),
        (HAIKU, lasting(Some("1h"), None), ""),
        (
            NOVA,
            beginning(&json!({"guardrailConfig": {"streamProcessingMode": "sync"}})),
            "extraneous key [streamProcessingMode]",
        ),
    ]);
}

#[test]
fn violation_tools_out_of_order_are_reported() {
    let (ask, reply) = (assistant(&json!([call("a")])), user(&json!([result("a")])));
    let both = assistant(&json!([call("a"), call("b")]));
    assert_outcomes([
        (HAIKU, called(&json!([hello(), ask, reply])), ""),
        (HAIKU, called(&json!([hello(), both, user(&json!([result("b"), result("a")]))])), ""),
        (HAIKU, messages(&json!([hello(), ask, reply])), "The toolConfig field must be defined"),
        (
            HAIKU,
            called(&json!([hello(), both, reply])),
            "Expected toolResult blocks at messages.2.content for the following Ids: b",
        ),
        (HAIKU, called(&json!([hello(), ask, hello()])), "for the following Ids: a"),
        (HAIKU, called(&json!([hello(), ask])), "Expected toolResult blocks at messages.2.content"),
        (HAIKU, called(&json!([reply])), "messages.0.content exceeds the number of toolUse"),
        (
            HAIKU,
            called(&json!([hello(), ask, user(&json!([result("a"), result("a")]))])),
            "toolResult blocks at messages.2.content contain duplicate Ids: a",
        ),
        (
            HAIKU,
            called(&json!([hello(), ask, reply, ask, reply])),
            "toolUse blocks in messages contain duplicate Ids: a",
        ),
        (
            HAIKU,
            called(&json!([user(&json!([call("a")]))])),
            "toolUse block is not allowed in a user",
        ),
        (
            HAIKU,
            beginning(&json!({"toolConfig":
                {"tools": [{"cachePoint": {"type": "default"}}], "toolChoice": {"auto": {}}}})),
            "has no such tool",
        ),
        (
            HAIKU,
            beginning(&json!({"toolConfig":
                {"tools": tools()["tools"], "toolChoice": {"tool": {"name": "other"}}}})),
            "has no such tool",
        ),
        (
            HAIKU,
            beginning(&json!({"toolConfig":
                {"tools": [tools()["tools"][0], tools()["tools"][0]]}})),
            "duplicate tool name weather",
        ),
    ]);
}

#[test]
fn violation_media_out_of_place_are_reported() {
    let image = json!({"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}});
    let document = |name: &str| json!({"document": {"format": "pdf", "name": name, "source": {"bytes": "iVBORw0KGgo="}}});
    let documents = |count: usize| -> Vec<Value> {
        let named = (0..count).map(|number| document(&format!("d{number}")));
        std::iter::once(text("read")).chain(named).collect()
    };
    assert_outcomes([
        (NOVA, messages(&json!([user(&json!(vec![image.clone(); 20]))])), ""),
        (NOVA, messages(&json!([user(&json!(vec![image.clone(); 21]))])), "the maximum of 20"),
        (NOVA, messages(&json!([user(&json!(documents(5)))])), ""),
        (NOVA, messages(&json!([user(&json!(documents(6)))])), "the maximum of 5"),
        (NOVA, messages(&json!([user(&json!([document("a")]))])), "a document, but no text"),
        (
            NOVA,
            messages(&json!([user(&json!([text("a"), document("a"), document("a")]))])),
            "Messages can not contain duplicate document names.",
        ),
        (
            NOVA,
            messages(&json!([hello(), assistant(&json!([image])), hello()])),
            "messages.1.content.0 is of type image",
        ),
    ]);
}

#[test]
fn violation_vendor_rule_is_reported() {
    let choice = |choice: Value| {
        beginning(&json!({"toolConfig": {"tools": tools()["tools"], "toolChoice": choice}}))
    };
    let shaped = |schema: Value| {
        let spec = json!({"name": "weather", "inputSchema": {"json": schema}});
        beginning(&json!({"toolConfig": {"tools": [{"toolSpec": spec}]}}))
    };
    let cached = json!({"tools": [tools()["tools"][0], {"cachePoint": {"type": "default"}}]});
    let stops = beginning(&json!({"inferenceConfig": {"stopSequences": ["x"]}}));
    let with_id = |id: &str| {
        called(&json!([hello(), assistant(&json!([call(id)])), user(&json!([result(id)]))]))
    };
    let thought =
        json!({"reasoningContent": {"reasoningText": {"text": "a", "signature": "c2ln"}}});
    let replay = messages(&json!([hello(), assistant(&json!([thought, text("a")])), hello()]));
    assert_outcomes([
        (HAIKU, beginning(&json!({"toolConfig": cached})), ""),
        (NOVA, beginning(&json!({"toolConfig": cached})), "#/toolConfig/tools/1: extraneous key"),
        (NOVA, shaped(json!({"type": "object", "properties": {}, "required": []})), ""),
        (NOVA, shaped(json!({"type": "object", "$defs": {}})), "extraneous key [$defs]"),
        (
            NOVA,
            shaped(json!({"type": "object", "properties": {"a": {"items": {"$ref": "#"}}}})),
            "extraneous key [$ref]",
        ),
        (HAIKU, shaped(json!({"type": "object", "$defs": {}})), ""),
        (NOVA, choice(json!({"any": {}})), ""),
        (LLAMA, choice(json!({"any": {}})), "does not support the toolConfig.toolChoice.any"),
        (MISTRAL, choice(json!({"any": {}})), ""),
        (MISTRAL, choice(json!({"tool": {"name": "weather"}})), "toolConfig.toolChoice.tool"),
        (MISTRAL, with_id("abcDEF123"), ""),
        (MISTRAL, with_id("tooluse_1"), "length of 9"),
        (NOVA, stops.clone(), ""),
        (QWEN, stops, "does not support the stopSequences field"),
        (HAIKU, replay.clone(), ""),
        (NOVA, replay, "does not support the messages.1.content.0.reasoningContent field"),
    ]);
}

#[test]
fn violation_narrower_conversation_is_reported() {
    let system = beginning(&json!({"system": [{"text": "Be brief."}]}));
    let turns =
        |call: Value, result: Value| called(&json!([hello(), assistant(&call), user(&result)]));
    let apart = turns(json!([call("abcDEF123")]), json!([result("abcDEF123")]));
    let calls = turns(json!([text("a"), call("a")]), json!([result("a")]));
    let results = turns(json!([call("a")]), json!([result("a"), text("a")]));
    let image = json!({"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}});
    let seen = json!({"toolResult": {"toolUseId": "abcDEF123", "content": [image]}});
    let seen = turns(json!([call("abcDEF123")]), json!([seen]));
    let sampled = |field: &str| beginning(&json!({"inferenceConfig": {field: 0.5}}));
    assert_outcomes([
        (MISTRAL, system.clone(), ""),
        (MISTRAL_7B, system, "doesn't support system messages"),
        (LLAMA, apart, ""),
        (LLAMA, calls.clone(), "messages.1.content: Conversation blocks and tool use blocks"),
        (LLAMA_4, results.clone(), "messages.2.content: Conversation blocks and tool result"),
        (HAIKU, calls, ""),
        (HAIKU, results, ""),
        (LLAMA_4, seen.clone(), ""),
        (MISTRAL, seen, "messages.2.content.0.toolResult.content.image"),
        (GROK, sampled("temperature"), "does not support the temperature field"),
        (GROK, sampled("topP"), "does not support the topP field"),
        (QWEN, sampled("topP"), ""),
    ]);
}

#[test]
fn violation_streamed_tools_are_reported_for_models_that_cannot() {
    let body = called(&json!([hello()]));
    for (model, is_stream, is_refused) in
        [(LLAMA, true, true), (LLAMA, false, false), (LLAMA_4, true, false), (NOVA, true, false)]
    {
        let model = Model::read(model).unwrap();
        let message = violation(&Request { body: &body, model: &model, is_stream });
        assert_eq!(message.is_some(), is_refused, "{model:?} {is_stream}: {message:?}");
    }
}

#[test]
fn violation_claude_thinking_is_reported() {
    let thinking = |budget: u64, fields: Value| {
        let mut body = beginning(&fields);
        body["additionalModelRequestFields"]["thinking"] =
            json!({"type": "enabled", "budget_tokens": budget});
        body
    };
    let adaptive = json!({"thinking": {"type": "adaptive"}});
    let forced = json!({"tools": tools()["tools"], "toolChoice": {"any": {}}});
    let mut looping =
        called(&json!([hello(), assistant(&json!([call("a")])), user(&json!([result("a")]))]));
    looping["additionalModelRequestFields"] =
        json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    let unsigned = json!({"reasoningContent": {"reasoningText": {"text": "a"}}});
    assert_outcomes([
        (HAIKU, thinking(1024, json!({"inferenceConfig": {"maxTokens": 1025}})), ""),
        (HAIKU, thinking(1024, json!({"inferenceConfig": {"temperature": 1}})), ""),
        (HAIKU, thinking(1023, json!({})), "greater than or equal to 1024"),
        (
            HAIKU,
            thinking(1024, json!({"inferenceConfig": {"maxTokens": 1024}})),
            "`max_tokens` must be greater",
        ),
        (
            HAIKU,
            thinking(1024, json!({"inferenceConfig": {"temperature": 0.5}})),
            "`temperature` may only be set to 1",
        ),
        (HAIKU, thinking(1024, json!({"inferenceConfig": {"topP": 0.5}})), "`top_p` must be"),
        (
            HAIKU,
            thinking(1024, json!({"additionalModelRequestFields": {"top_k": 5}})),
            "`top_k` must be unset",
        ),
        (HAIKU, thinking(1024, json!({"toolConfig": forced})), "Thinking may not be enabled"),
        (HAIKU, looping, "messages.1.content.0.type: Expected `thinking`"),
        (HAIKU, beginning(&json!({"additionalModelRequestFields": adaptive})), "adaptive thinking"),
        (SONNET, beginning(&json!({"additionalModelRequestFields": adaptive})), ""),
        (OPUS, thinking(1024, json!({})), "\"thinking.type.enabled\" is not supported"),
        (
            OPUS,
            beginning(&json!({"additionalModelRequestFields": {"thinking": {"type": "disabled"}}})),
            "\"thinking.type.disabled\" is not supported",
        ),
        (
            HAIKU,
            messages(&json!([hello(), assistant(&json!([unsigned, text("a")])), hello()])),
            "messages.1.content.0.thinking.signature",
        ),
        (NOVA, thinking(1, json!({})), ""),
    ]);
}

#[test]
fn violation_claude_field_is_reported() {
    let sampled = |fields: Value| beginning(&json!({"inferenceConfig": fields}));
    let formatted = |schema: &str| {
        let structure = json!({"jsonSchema": {"schema": schema}});
        let format = json!({"type": "json_schema", "structure": structure});
        beginning(&json!({"outputConfig": {"textFormat": format}}))
    };
    let closed = r#"{"type":"object","properties":{},"additionalProperties":false}"#;
    let open_items = r#"{"type":"array","items":{"type":"object"}}"#;
    let mut strict = tools();
    strict["tools"][0]["toolSpec"]["strict"] = json!(true);
    let open = strict.clone();
    let schema = &mut strict["tools"][0]["toolSpec"]["inputSchema"]["json"];
    schema["additionalProperties"] = json!(false);
    let mut bounded = strict.clone();
    bounded["tools"][0]["toolSpec"]["inputSchema"]["json"]["properties"] =
        json!({"a": {"type": "integer", "minimum": 1}});
    let many: Vec<Value> = (0..21)
        .map(|number| {
            let mut tool = strict["tools"][0].clone();
            tool["toolSpec"]["name"] = json!(format!("t{number}"));
            tool
        })
        .collect();
    assert_outcomes([
        (HAIKU, sampled(json!({"temperature": 0.5})), ""),
        (HAIKU, sampled(json!({"topP": 0.5})), ""),
        (HAIKU, sampled(json!({"temperature": 0.5, "topP": 0.5})), "cannot both be specified"),
        (NOVA, sampled(json!({"temperature": 0.5, "topP": 0.5})), ""),
        (OPUS, sampled(json!({"temperature": 1})), "temperature is deprecated for this model"),
        (OPUS, sampled(json!({"topP": 1})), "top_p is deprecated for this model"),
        (HAIKU, sampled(json!({"maxTokens": 64_000})), ""),
        (HAIKU, sampled(json!({"maxTokens": 64_001})), "exceeds the model limit of 64000"),
        (OPUS, sampled(json!({"maxTokens": 128_000})), ""),
        (HAIKU, formatted(closed), ""),
        (HAIKU, formatted(open_items), "'additionalProperties' must be explicitly set to false"),
        (HAIKU, formatted("{"), "not valid JSON"),
        (HAIKU, formatted(r##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"null"}}}"##), ""),
        (
            HAIKU,
            formatted(r##"{"$defs":{"A":{"items":{"$ref":"#/$defs/A"}}}}"##),
            "Circular reference",
        ),
        (HAIKU, formatted(r#"{"format":"color"}"#), "property 'format' is not supported"),
        (HAIKU, formatted(r#"{"pattern":"(?!a)"}"#), "property 'pattern' is not supported"),
        (OPUS, formatted(closed), "output_config.format: Extra inputs are not permitted"),
        (HAIKU, beginning(&json!({"toolConfig": strict})), ""),
        (HAIKU, beginning(&json!({"toolConfig": open})), "tools.0.custom: For 'object' type"),
        (HAIKU, beginning(&json!({"toolConfig": bounded})), "property 'minimum' is not supported"),
        (HAIKU, beginning(&json!({"toolConfig": {"tools": many[..20]}})), ""),
        (HAIKU, beginning(&json!({"toolConfig": {"tools": many}})), "Too many strict tools (21)"),
        (OPUS, beginning(&json!({"toolConfig": strict})), "tools.0.custom.strict: Extra inputs"),
    ]);
}
