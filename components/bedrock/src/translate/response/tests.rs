//! Golden responses of Converse in `golden/responses`.

use gateway::usage::observer::Observer;
use serde_json::{Value, json};

use super::*;
use crate::translate::golden;
use crate::translate::json_tool::JsonTool;
use crate::translate::stream::tests::{context, of_response};

fn translate_text(response: &Value) -> Result<Value, Error> {
    let whole = translate(response.to_string().as_bytes(), "1", &ResponseContext::default())?;
    Ok(serde_json::from_slice(&whole.body).unwrap())
}

fn response_with(content: &Value, stop_reason: &str) -> Value {
    json!({ "output": { "message": { "content": content } }, "stopReason": stop_reason })
}

/// Translates a response, and checks that what is logged of it is what the client can read in it.
fn translated(body: &str, context: &ResponseContext) -> Value {
    let Completed { body, finish_reason, usage } =
        translate(body.as_bytes(), "id", context).unwrap();
    let mut observer = Observer::default();
    observer.push(&body);
    assert_eq!(observer.reported(), usage.map(Into::into));
    assert_eq!(observer.finish_reason().as_deref(), finish_reason);
    serde_json::from_slice(&body).unwrap()
}

/// Checks the golden response `name`, translated whole and into a stream.
fn check(name: &str) {
    let case = golden::case("responses", name);
    let context = context(&case["context"]);
    let body = case["response"].to_string();
    let whole = translated(&body, &context);
    let whole = serde_json::to_string_pretty(&whole).unwrap();
    golden::assert_snapshot("responses", name, &case, &whole);
    let streamed = translate_into_stream(body.as_bytes(), "id", &context).unwrap();
    let streamed = String::from_utf8(streamed).unwrap();
    golden::assert_snapshot("responses", &format!("{name}.stream"), &case, &streamed);
    let context = of_response(context);
    let whole = translated(&body, &context);
    let streamed = translate_into_stream(body.as_bytes(), "id", &context).unwrap();
    let streamed = String::from_utf8(streamed).unwrap();
    let last: Value = serde_json::from_str(streamed.rsplit_once("data: ").unwrap().1).unwrap();
    assert_eq!(last["response"], whole);
    golden::assert_snapshot("responses", &format!("{name}.response"), &case, &streamed);
}

mod cases {
    use crate::translate::golden::golden_cases;

    golden_cases! {
        "responses", super::check:
        blocked
        image
        schema
        schema_cut_short
        schema_of_a_list
        schema_unused
        schema_with_a_tool
        sources
        text_with_everything_around
        tools_after_reasoning
    }
}

#[test]
fn translate_without_text_has_null_content() {
    for content in [json!([]), json!([{ "text": "" }]), json!([{ "document": {} }])] {
        let completion = translate_text(&response_with(&content, "end_turn")).unwrap();
        assert_eq!(completion["choices"][0]["message"]["content"], Value::Null, "{content}");
        assert_eq!(completion["choices"][0]["finish_reason"], "stop");
        assert_eq!(completion.get("usage"), None);
    }
}

#[test]
fn translate_of_an_invalid_response_is_a_bad_gateway() {
    let malformed = response_with(&json!([]), "malformed_tool_use");
    for (response, code) in [
        (json!({ "Output": {}, "Version": "1.0" }), "bad_upstream_response"),
        (json!({ "output": {}, "stopReason": "end_turn" }), "bad_upstream_response"),
        (json!({ "output": { "message": { "content": 1 } } }), "bad_upstream_response"),
        (malformed, "bad_upstream_response"),
    ] {
        let whole = translate_text(&response).unwrap_err().shape();
        let body = response.to_string();
        let context = ResponseContext::default();
        let streamed = translate_into_stream(body.as_bytes(), "1", &context).unwrap_err().shape();
        assert_eq!((whole.status.as_u16(), whole.code), (502, code), "{response}");
        assert_eq!(whole, streamed);
    }
}

#[test]
fn translate_without_a_schema_keeps_a_tool_with_the_reserved_name() {
    let call = json!([{ "toolUse": { "toolUseId": "t", "name": JSON_TOOL, "input": { "a": 1 } } }]);
    let body = response_with(&call, "tool_use").to_string();
    for (json_tool, finish_reason) in
        [(None, "tool_calls"), (Some(JsonTool { is_wrapped: false }), "stop")]
    {
        let context = ResponseContext { json_tool, ..ResponseContext::default() };
        let completion = translated(&body, &context);
        assert_eq!(completion["choices"][0]["finish_reason"], finish_reason);
    }
}
