//! Tests of a request with every field, and of requests that are invalid in one place each.

use serde_json::{Value, json};

use super::{COHERE_V3, CONVERSE, NOVA, Schema, TITAN_V1, TITAN_V2};

const IMAGE: &str = "iVBORw0KGgo=";

/// Builds a valid request with every field.
fn maximal() -> Value {
    json!({
        "messages": [
            {"role": "user", "content": [
                {"text": "What is this?"},
                {"image": {"format": "png", "source": {"bytes": IMAGE}}},
                {"document": {"format": "pdf", "name": "Report (2) [final]-1",
                    "source": {"bytes": IMAGE}, "context": "c", "citations": {"enabled": true}}},
                {"document": {"format": "txt", "name": "Two", "source": {"content": [{"text": "t"}]}}},
                {"video": {"format": "three_gp",
                    "source": {"s3Location": {"uri": "s3://bucket/a", "bucketOwner": "123456789012"}}}},
                {"audio": {"format": "wav", "source": {"bytes": IMAGE}}},
                {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}},
                {"guardContent": {"text": {"text": "t", "qualifiers": ["query"]}}},
                {"cachePoint": {"type": "default", "ttl": "1h"}},
            ]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
                {"reasoningContent": {"redactedContent": IMAGE}},
                {"citationsContent": {"content": [{"text": "cited"}], "citations": [
                    {"title": "t", "location": {"web": {"url": "https://example.com"}}}]}},
                {"toolUse": {"toolUseId": "a_b.c:d-e", "name": "get-weather_1", "input": {}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "a_b.c:d-e", "status": "success",
                    "content": [{"text": "sunny"}, {"json": {"a": 1}}]}},
            ]},
        ],
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "inferenceConfig": {"maxTokens": 1, "temperature": 0, "topP": 1, "stopSequences": ["x"]},
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "get-weather_1", "description": "d", "strict": true,
                    "inputSchema": {"json": {"type": "object", "properties": {}}}}},
                {"systemTool": {"name": "nova_grounding"}},
                {"cachePoint": {"type": "default"}},
            ],
            "toolChoice": {"tool": {"name": "get-weather_1"}},
        },
        "guardrailConfig": {"guardrailIdentifier": "abc1", "guardrailVersion": "DRAFT",
            "trace": "enabled_full", "streamProcessingMode": "async"},
        "additionalModelRequestFields": {"top_k": 1},
        "promptVariables": {"name": {"text": "value"}},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "requestMetadata": {"team": "a b:c@d$e#f=g/h+i,j-k.l"},
        "performanceConfig": {"latency": "optimized"},
        "serviceTier": {"type": "flex"},
        "outputConfig": {"effort": "high", "textFormat": {"type": "json_schema",
            "structure": {"jsonSchema": {"schema": "{}", "name": "n", "description": "d"}}}},
    })
}

fn message(schema: &Schema, body: &Value) -> String {
    schema.check(body).map_or_else(|exception| exception.message, |()| "valid".to_owned())
}

#[test]
fn check_maximal_request_is_ok() {
    assert_eq!(message(&CONVERSE, &maximal()), "valid");
}

/// Puts each value in its place in the maximal request, and checks that the error names that place.
fn assert_refused<const N: usize>(cases: [(&str, Value); N]) {
    for (pointer, value) in cases {
        let mut body = maximal();
        *body.pointer_mut(pointer).unwrap() = value.clone();
        let message = message(&CONVERSE, &body);
        let expected = format!("Malformed input request: #{pointer}");
        assert!(message.starts_with(&expected), "{pointer} = {value}: {message}");
    }
}

#[test]
fn check_invalid_message_error_names_place() {
    assert_refused([
        ("", json!([])),
        ("", json!({"system": []})),
        ("", json!({"messages": [], "model": "m"})),
        ("/messages", json!([])),
        ("/messages/0/role", json!("system")),
        ("/messages/0/content", json!([])),
        ("/messages/0/content", json!("text")),
        ("/messages/0/content/0", json!({})),
        ("/messages/0/content/0", json!({"text": "a", "cachePoint": {"type": "default"}})),
        ("/messages/0/content/0", json!({"type": "text"})),
        ("/messages/0/content/0/text", json!(null)),
        ("/messages/0/content/1/image/format", json!("jpg")),
        ("/messages/0/content/1/image/source", json!({"url": "https://example.com"})),
        ("/messages/0/content/1/image/source/bytes", json!("")),
        ("/messages/0/content/1/image/source/bytes", json!("data:image/png;base64,aaaa")),
        ("/messages/0/content/2/document/name", json!("a.pdf")),
        ("/messages/0/content/2/document/name", json!("two  spaces")),
        ("/messages/0/content/2/document/name", json!("a".repeat(201))),
        ("/messages/0/content/2/document/format", json!("json")),
        ("/messages/0/content/4/video/format", json!("3gp")),
        ("/messages/0/content/4/video/source/s3Location/uri", json!("https://example.com")),
        ("/messages/0/content/5/audio/format", json!("ogg3")),
        ("/messages/0/content/8/cachePoint/ttl", json!("2h")),
        ("/messages/1/content/0/reasoningContent/reasoningText/text", json!(null)),
        ("/messages/1/content/3/toolUse/toolUseId", json!("a b")),
        ("/messages/1/content/3/toolUse/toolUseId", json!("a".repeat(65))),
        ("/messages/1/content/3/toolUse/name", json!("a.b")),
        ("/messages/1/content/3/toolUse/input", json!("{}")),
        ("/messages/2/content/0/toolResult/content", json!([])),
        ("/messages/2/content/0/toolResult/content/0", json!({"cachePoint": {"type": "default"}})),
        ("/messages/2/content/0/toolResult/content/1/json", json!([1])),
        ("/messages/2/content/0/toolResult/status", json!("failed")),
    ]);
}

#[test]
fn check_invalid_configuration_error_names_place() {
    let tool = json!({"name": "t", "inputSchema": {"json": {"type": "object"}}});
    let with = |name: &str, value: Value| {
        let mut tool = tool.clone();
        tool[name] = value;
        json!({"toolSpec": tool})
    };
    let pairs: serde_json::Map<String, Value> =
        (0..17).map(|number| (number.to_string(), json!(""))).collect();
    assert_refused([
        ("/system/0/text", json!("")),
        ("/inferenceConfig", json!({"topK": 1})),
        ("/inferenceConfig/maxTokens", json!(0)),
        ("/inferenceConfig/temperature", json!(1.1)),
        ("/inferenceConfig/topP", json!(-0.1)),
        ("/inferenceConfig/stopSequences", json!("stop")),
        ("/inferenceConfig/stopSequences/0", json!("")),
        ("/inferenceConfig/stopSequences", json!(vec!["x"; 2501])),
        ("/toolConfig/tools", json!([])),
        ("/toolConfig", json!({"toolChoice": {"any": {}}})),
        ("/toolConfig/tools/0", with("name", json!("a".repeat(65)))),
        ("/toolConfig/tools/0", with("description", json!(""))),
        ("/toolConfig/tools/0", with("inputSchema", json!({"json": {"type": "array"}}))),
        ("/toolConfig/tools/0", with("inputSchema", json!({"json": {}}))),
        ("/toolConfig/toolChoice", json!({"none": {}})),
        ("/toolConfig/toolChoice", json!("any")),
        ("/toolConfig", json!({"tools": [{"toolSpec": tool}], "tool_choice": {"any": {}}})),
        ("/guardrailConfig/trace", json!("on")),
        ("/guardrailConfig/guardrailVersion", json!("0")),
        ("/guardrailConfig/streamProcessingMode", json!("fast")),
        ("/additionalModelRequestFields", json!("x")),
        ("/additionalModelResponseFieldPaths", json!(vec!["/x"; 11])),
        ("/requestMetadata", json!({})),
        ("/requestMetadata", json!(pairs)),
        ("/requestMetadata/team", json!("a?b")),
        ("/requestMetadata", json!({"a*": "b"})),
        ("/performanceConfig/latency", json!("fast")),
        ("/serviceTier/type", json!("auto")),
        ("/outputConfig/effort", json!("a".repeat(17))),
        ("/outputConfig/textFormat/type", json!("json_object")),
        ("/outputConfig/textFormat/structure/jsonSchema/schema", json!({})),
    ]);
}

#[test]
fn check_embedding_body_rejects_unknown_and_invalid() {
    let nova = |dimension: u64| {
        json!({"schemaVersion": "nova-multimodal-embed-v1", "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {"embeddingPurpose": "GENERIC_INDEX",
                "embeddingDimension": dimension,
                "text": {"truncationMode": "END", "value": "text"}}})
    };
    let cohere = |count| json!({"texts": vec!["a"; count], "input_type": "search_query"});
    for (schema, body, is_valid) in [
        (&TITAN_V1, json!({"inputText": "a"}), true),
        (&TITAN_V1, json!({"inputText": "a", "dimensions": 256}), false),
        (&TITAN_V1, json!({"inputText": ["a"]}), false),
        (&TITAN_V2, json!({"inputText": "a", "dimensions": 256, "normalize": true}), true),
        (&TITAN_V2, json!({"inputText": "a", "dimensions": 257}), false),
        (&TITAN_V2, json!({"inputText": ""}), false),
        (&COHERE_V3, cohere(96), true),
        (&COHERE_V3, cohere(97), false),
        (&COHERE_V3, json!({"texts": ["a"]}), false),
        (&NOVA, nova(384), true),
        (&NOVA, nova(512), false),
    ] {
        let message = message(schema, &body);
        assert_eq!(message == "valid", is_valid, "{body}: {message}");
    }
}
