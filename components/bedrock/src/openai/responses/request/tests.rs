//! Requests as clients of the Responses API write them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::openai::request::ToolChoice;

/// Creates a request with `members` and the required fields.
fn body(members: &Value) -> String {
    let mut body = json!({"model": "m", "input": "a"});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body.to_string()
}

#[test]
fn parse_of_what_is_not_supported_names_it() {
    let tool = |kind: &str| json!([{"type": "function", "name": "f"}, {"type": kind, "name": "g"}]);
    let namespace = json!([{"type": "namespace", "name": "n", "tools": [{"type": "mcp"}]}]);
    for (members, code, param) in [
        (json!({"previous_response_id": "resp_1"}), "unsupported_value", "previous_response_id"),
        (json!({"conversation": {"id": "c"}}), "unsupported_value", "conversation"),
        (json!({"prompt": {"id": "p"}}), "unsupported_value", "prompt"),
        (json!({"background": true}), "unsupported_value", "background"),
        (json!({"background": 1}), "invalid_body", "background"),
        (json!({"include": ["message.output_text.logprobs"]}), "unsupported_value", "include"),
        (json!({"top_logprobs": 1}), "unsupported_value", "top_logprobs"),
        (json!({"messages": []}), "unsupported_value", "messages"),
        (json!({"max_tokens": 1}), "unsupported_value", "max_tokens"),
        (json!({"max_completion_tokens": 1}), "unsupported_value", "max_completion_tokens"),
        (json!({"response_format": {}}), "unsupported_value", "response_format"),
        (json!({"reasoning_effort": "low"}), "unsupported_value", "reasoning_effort"),
        (json!({"system": "a"}), "unsupported_value", "system"),
        (json!({"max_output_tokens": 0}), "invalid_body", "max_output_tokens"),
        (json!({"instructions": []}), "invalid_body", "instructions"),
        (json!({"input": null}), "invalid_body", "input"),
        (json!({"input": 1}), "invalid_body", "input"),
        (json!({"input": [1]}), "invalid_body", "input[0]"),
        (json!({"input": [{"content": "a"}]}), "invalid_body", "input[0].role"),
        (json!({"input": [{"type": "function_call"}]}), "invalid_body", "input[0].call_id"),
        (json!({"input": [{"type": "item_reference"}]}), "unsupported_value", "input[0].type"),
        (json!({"input": [{"type": "web_search_call"}]}), "unsupported_value", "input[0].type"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "image_url"}]}]}),
            "unsupported_value",
            "input[0].content[0]",
        ),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}),
            "unsupported_value",
            "input[0].content[0]",
        ),
        (json!({"tools": tool("web_search")}), "unsupported_value", "tools[1].type"),
        (json!({"tools": tool("custom")}), "unsupported_value", "tools[1].type"),
        (json!({"tools": namespace}), "unsupported_value", "tools[0].tools[0].type"),
        (json!({"tools": [{"type": "function"}]}), "invalid_body", "tools[0].name"),
        (json!({"tool_choice": "maybe"}), "invalid_body", "tool_choice"),
        (json!({"tool_choice": {"type": "web_search"}}), "invalid_body", "tool_choice"),
        (json!({"text": {"format": {"type": "xml"}}}), "unsupported_value", "text.format"),
        (
            json!({"text": {"format": {"type": "json_schema"}}}),
            "invalid_body",
            "text.format.schema",
        ),
        (json!({"text": "a"}), "invalid_body", "text"),
    ] {
        let body = body(&members);
        let error = ResponsesRequest::parse(body.as_bytes()).unwrap_err();
        assert_eq!((error.shape().code, error.param()), (code, Some(param)), "{body}: {error}");
        assert!(error.to_string().len() < 200, "{error}");
    }
}

#[test]
fn parse_of_what_has_no_effect_accepts_it() {
    let body = body(&json!({
        "store": true, "background": false, "previous_response_id": null, "max_tool_calls": 3,
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k", "top_logprobs": 0,
        "stream_options": {"include_obfuscation": false}, "client_metadata": {}, "truncation": "auto",
        "text": {"verbosity": "low"}, "reasoning": {"summary": "auto"}, "later": 1,
    }));
    let request = ResponsesRequest::parse(body.as_bytes()).unwrap();
    assert_eq!(request.chat.ignored, ["later", "truncation"]);
    assert!(matches!(request.chat.response_format, ResponseFormat::Text));
    assert_eq!(request.chat.reasoning_effort, None);
}

#[test]
fn parse_of_tool_choice_knows_all_its_forms() {
    let named = json!([{"type": "function", "name": "f"}]);
    for (choice, expected) in [
        (json!("required"), ToolChoice::Required),
        (named[0].clone(), ToolChoice::Function("f".into())),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": named}),
            ToolChoice::Allowed { names: vec!["f".into()], is_required: true },
        ),
    ] {
        let body = body(&json!({"tool_choice": choice}));
        let request = ResponsesRequest::parse(body.as_bytes()).unwrap();
        assert_eq!(request.chat.tool_choice, expected, "{choice}");
    }
}

#[test]
fn parse_keeps_what_the_response_repeats() {
    let long = "x".repeat(70_000);
    let body = body(&json!({"instructions": long, "temperature": 0.5, "store": true}));
    let request = ResponsesRequest::parse(body.as_bytes()).unwrap();
    let echo = json::value::Value::Object(request.echo.members().collect()).to_json();
    let echo: Value = serde_json::from_slice(&echo).unwrap();
    assert_eq!((&echo["temperature"], &echo["top_p"]), (&json!(0.5), &json!(1.0)));
    assert_eq!((&echo["store"], &echo["instructions"]), (&json!(false), &Value::Null));
}

proptest! {
    #[test]
    fn parse_never_panics(body: Vec<u8>) {
        let _ = ResponsesRequest::parse(&body);
    }
}
