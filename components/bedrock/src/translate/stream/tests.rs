//! Golden streams of Converse in `golden/streams`, and streams that fail.

use std::rc::Rc;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};

use super::*;
use crate::openai::writer::Api;
use crate::translate::golden;
use crate::translate::json_tool::JsonTool;
use crate::translate::request::tool_names::ToolNames;

/// Reads the context that a golden file begins with.
pub(crate) fn context(given: &Value) -> ResponseContext {
    let names: Vec<(String, String)> = given
        .get("names")
        .map(|names| serde_json::from_value(names.clone()).unwrap())
        .unwrap_or_default();
    let json_tool = given.get("json_tool").map(|kind| JsonTool { is_wrapped: kind == "wrapped" });
    ResponseContext {
        api: Api::Chat,
        model: "claude".to_owned(),
        created: 1_767_225_600,
        include_usage: given.get("include_usage").is_some(),
        names: ToolNames(names.into_iter().collect()),
        json_tool,
    }
}

/// Returns the context of the same request for a response.
pub(crate) fn of_response(context: ResponseContext) -> ResponseContext {
    ResponseContext { api: Api::Responses(Rc::default()), ..context }
}

fn frame(headers: &[(&'static str, &str)], payload: &str) -> Vec<u8> {
    let header = |(name, value): &(&'static str, &str)| {
        Header::new(*name, HeaderValue::String((*value).to_owned().into()))
    };
    let headers = headers.iter().map(header).collect();
    let mut bytes = Vec::new();
    let message = Message::new_from_parts(headers, payload.to_owned());
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn event(name: &str, payload: &Value) -> Vec<u8> {
    let kind = (":content-type", "application/json");
    frame(&[(":event-type", name), kind, (":message-type", "event")], &payload.to_string())
}

fn exception(kind: &str, payload: &str) -> Vec<u8> {
    frame(&[(":exception-type", kind), (":message-type", "exception")], payload)
}

fn start() -> Vec<u8> {
    event("messageStart", &json!({ "role": "assistant" }))
}

fn text(text: &str) -> Vec<u8> {
    event("contentBlockDelta", &json!({ "contentBlockIndex": 0, "delta": { "text": text } }))
}

fn stop(reason: &str) -> Vec<u8> {
    event("messageStop", &json!({ "stopReason": reason }))
}

/// Returns what a client receives for `pieces`, and the error that ends the stream.
fn run(pieces: &[&[u8]], context: ResponseContext) -> (String, Option<Error>) {
    let mut translator = StreamTranslator::new("id", context);
    let mut out = Vec::new();
    let pushed = pieces.iter().try_for_each(|piece| translator.push(piece, &mut out));
    let result = pushed.and_then(|()| translator.finish(&mut out));
    (String::from_utf8(out).unwrap(), result.err())
}

/// Checks the golden stream `name`: its first line is the context, each other line a frame.
fn check(name: &str) {
    let path = format!("{}/golden/streams/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let context = context(&lines[0]["context"]);
    let frames = lines[1..].iter().flat_map(|line| {
        let (name, payload) = line.as_object().unwrap().iter().next().unwrap();
        event(name, payload)
    });
    let frames: Vec<u8> = frames.collect();
    let (out, error) = run(&[&frames], context.clone());
    assert!(error.is_none() && out.ends_with("data: [DONE]\n\n"), "{error:?}");
    golden::assert_snapshot("streams", name, &lines, &out);
    let (out, error) = run(&[&frames], of_response(context));
    assert!(error.is_none() && !out.contains("[DONE]"), "{error:?}");
    golden::assert_snapshot("streams", &format!("{name}.response"), &lines, &out);
}

mod cases {
    use crate::translate::golden::golden_cases;

    golden_cases! {
        "streams", super::check:
        a_tool_and_an_end_of_turn
        missing_usage
        redacted_reasoning
        schema
        schema_of_a_list
        schema_of_a_list_cut_short
        schema_of_an_empty_object
        schema_unused
        schema_with_a_tool
        sources
        text
        text_with_usage
        text_without_a_start
        tools_after_reasoning_and_text
        tools_run_by_bedrock
    }
}

#[test]
fn push_of_an_event_emits_it_immediately() {
    let mut translator = StreamTranslator::new("id", ResponseContext::default());
    for frame in [start(), text("a"), text("b"), stop("end_turn")] {
        let mut out = Vec::new();
        translator.push(&frame[..frame.len() - 1], &mut out).unwrap();
        assert!(out.is_empty());
        translator.push(&frame[frame.len() - 1..], &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap().matches("data: ").count(), 1);
    }
}

#[test]
fn push_of_a_first_exception_emits_nothing() {
    let message = r#"{"message":"Too many requests, please wait"}"#;
    let (out, error) =
        run(&[&exception("throttlingException", message)], ResponseContext::default());
    let error = error.unwrap();
    assert_eq!(out, "");
    assert_eq!((error.shape().status.as_u16(), error.shape().code), (429, "rate_limit_exceeded"));
    assert_eq!(error.to_string(), "Too many requests, please wait");
}

#[test]
fn push_of_a_failure_after_text_ends_without_done() {
    let unknown = frame(&[(":message-type", "error"), (":error-code", "InternalFailure")], "");
    let mut flipped = text("b");
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    for (name, frame, code) in [
        ("exception", exception("throttlingException", "{}"), "rate_limit_exceeded"),
        ("error", unknown, "internal_server_error"),
        ("checksum", flipped, "bad_upstream_response"),
        ("cut frame", text("b")[..9].to_vec(), "bad_upstream_response"),
        ("no end", Vec::new(), "bad_upstream_response"),
        ("malformed", stop("malformed_model_output"), "bad_upstream_response"),
        ("no json", event("messageStop", &json!([[]])), "bad_upstream_response"),
    ] {
        let bytes = [start(), text("a"), frame].concat();
        let (out, error) = run(&[&bytes], ResponseContext::default());
        assert_eq!(error.unwrap().shape().code, code, "{name}");
        assert!(out.contains(r#""delta":{"content":"a"}"#), "{name}: {out}");
        assert_eq!((out.matches("data: ").count(), out.contains("[DONE]")), (2, false), "{name}");
    }
}

#[test]
fn finish_without_the_last_byte_is_an_error_even_after_the_message() {
    let bytes = [start(), stop("end_turn"), event("metadata", &json!({}))].concat();
    assert!(run(&[&bytes], ResponseContext::default()).1.is_none());
    for missing in [1, 10] {
        let (out, error) = run(&[&bytes[..bytes.len() - missing]], ResponseContext::default());
        assert_eq!(error.unwrap().shape().code, "bad_upstream_response");
        assert!(!out.contains("[DONE]"), "{out}");
    }
}

#[test]
fn push_after_an_error_emits_nothing() {
    let mut translator = StreamTranslator::new("id", ResponseContext::default());
    let mut out = Vec::new();
    assert!(translator.push(&exception("validationException", "{}"), &mut out).is_err());
    let rest = [start(), text("a"), stop("end_turn")].concat();
    assert!(translator.push(&rest, &mut out).is_ok() && translator.finish(&mut out).is_ok());
    assert!(out.is_empty());
}

#[test]
fn push_of_a_reused_index_closes_the_earlier_block() {
    let call = |id: &str| {
        let call = json!({ "toolUse": { "toolUseId": id, "name": "f" } });
        event("contentBlockStart", &json!({ "contentBlockIndex": 0, "start": call }))
    };
    let (out, error) =
        run(&[&start(), &call("a"), &call("b"), &stop("tool_use")], ResponseContext::default());
    assert!(error.is_none());
    for index in [0, 1] {
        let input = format!(r#"{{"index":{index},"function":{{"arguments":"{{}}"}}}}"#);
        assert_eq!(out.matches(&input).count(), 1, "{out}");
    }
}

#[test]
fn finish_of_an_empty_stream_is_an_error() {
    let (out, error) = run(&[], ResponseContext::default());
    assert_eq!((out.as_str(), error.unwrap().shape().status.as_u16()), ("", 502));
}
