//! Answers of Converse beside what becomes of them, in `golden/answers`.

use serde_json::{Value, json};

use super::*;
use crate::converse::golden::cases;
use crate::converse::request::JsonTool;
use crate::converse::stream::tests::exchange;

fn translate_text(answer: &Value) -> Result<Value, Error> {
    let body = translate(answer.to_string().as_bytes(), "1", &Exchange::default())?;
    Ok(serde_json::from_slice(&body).unwrap())
}

fn said(content: &Value, stop_reason: &str) -> Value {
    json!({ "output": { "message": { "content": content } }, "stopReason": stop_reason })
}

#[test]
fn every_answer_becomes_a_completion_and_a_stream() {
    let mut count = 0;
    for (name, case) in cases("answers") {
        let exchange = exchange(&case["exchange"]);
        let body = case["answer"].to_string();
        let whole = translate(body.as_bytes(), "id", &exchange).unwrap();
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        let streamed = translate_into_stream(body.as_bytes(), "id", &exchange).unwrap();
        insta::with_settings!({
            snapshot_path => "../../../golden/answers",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name.as_str(), serde_json::to_string_pretty(&whole).unwrap());
            let name = format!("{name}.stream");
            insta::assert_snapshot!(name, String::from_utf8(streamed).unwrap());
        });
        count += 1;
    }
    assert!(count > 8, "{count}");
}

#[test]
fn an_answer_without_text_has_null_content() {
    for content in [json!([]), json!([{ "text": "" }]), json!([{ "document": {} }])] {
        let completion = translate_text(&said(&content, "end_turn")).unwrap();
        assert_eq!(completion["choices"][0]["message"]["content"], Value::Null, "{content}");
        assert_eq!(completion["choices"][0]["finish_reason"], "stop");
        assert_eq!(completion.get("usage"), None);
    }
}

#[test]
fn an_answer_without_output_or_sense_is_a_bad_gateway() {
    let malformed = said(&json!([]), "malformed_tool_use");
    for (answer, code) in [
        (json!({ "Output": {}, "Version": "1.0" }), "bad_upstream_response"),
        (json!({ "output": {}, "stopReason": "end_turn" }), "bad_upstream_response"),
        (json!({ "output": { "message": { "content": 1 } } }), "bad_upstream_response"),
        (malformed, "bad_upstream_response"),
    ] {
        let whole = translate_text(&answer).unwrap_err().shape();
        let body = answer.to_string();
        let exchange = Exchange::default();
        let streamed = translate_into_stream(body.as_bytes(), "1", &exchange).unwrap_err().shape();
        assert_eq!((whole.status.as_u16(), whole.code), (502, code), "{answer}");
        assert_eq!(whole, streamed);
    }
}

#[test]
fn a_tool_of_the_clients_may_have_the_synthetic_ones_name() {
    let call = json!([{ "toolUse": { "toolUseId": "t", "name": JSON_TOOL, "input": { "a": 1 } } }]);
    let body = said(&call, "tool_use").to_string();
    for (json_tool, finish_reason) in
        [(None, "tool_calls"), (Some(JsonTool { is_wrapped: false }), "stop")]
    {
        let exchange = Exchange { json_tool, ..Exchange::default() };
        let completion = translate(body.as_bytes(), "1", &exchange).unwrap();
        let completion: Value = serde_json::from_slice(&completion).unwrap();
        assert_eq!(completion["choices"][0]["finish_reason"], finish_reason);
    }
}
