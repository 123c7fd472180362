//! Streams of Converse beside what becomes of them, in `golden/streams`, and streams that fail.

use std::path::{Path, PathBuf};

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use serde_json::{Value, json};

use super::*;
use crate::converse::golden;
use crate::converse::names::Names;
use crate::converse::request::JsonTool;

/// The exchange that a golden file begins with.
pub(crate) fn exchange(given: &Value) -> Exchange {
    let names: Vec<(String, String)> = given
        .get("names")
        .map(|names| serde_json::from_value(names.clone()).unwrap())
        .unwrap_or_default();
    let json_tool = given.get("json_tool").map(|kind| JsonTool { is_wrapped: kind == "wrapped" });
    Exchange {
        model: "claude".to_owned(),
        created: 1_767_225_600,
        include_usage: given.get("include_usage").is_some(),
        names: Names(names),
        json_tool,
    }
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

/// What a client gets of `pieces`, and the error it ends with.
fn run(pieces: &[&[u8]], exchange: Exchange) -> (String, Option<Error>) {
    let mut translator = StreamTranslator::new("id", exchange);
    let mut out = Vec::new();
    let pushed = pieces.iter().try_for_each(|piece| translator.push(piece, &mut out));
    let result = pushed.and_then(|()| translator.finish(&mut out));
    (String::from_utf8(out).unwrap(), result.err())
}

/// A golden file's exchange and the bytes of its frames.
fn read_case(path: &Path) -> (Exchange, Vec<u8>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let exchange = exchange(&lines.next().unwrap()["exchange"]);
    let frames = lines.flat_map(|line| {
        let (name, payload) = line.as_object().unwrap().iter().next().unwrap();
        event(name, payload)
    });
    (exchange, frames.collect())
}

fn cases() -> Vec<(String, Exchange, Vec<u8>)> {
    let case = |(name, path): (String, PathBuf)| {
        let (exchange, bytes) = read_case(&path);
        (name, exchange, bytes)
    };
    golden::files("golden/streams", "jsonl").into_iter().map(case).collect()
}

#[test]
fn every_stream_becomes_chunks() {
    let cases = cases();
    assert!(cases.len() > 10);
    for (name, exchange, bytes) in cases {
        let (out, error) = run(&[&bytes], exchange);
        assert!(error.is_none() && out.ends_with("data: [DONE]\n\n"), "{name}: {error:?}");
        insta::with_settings!({
            snapshot_path => "../../../golden/streams",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(name, out) });
    }
}

#[test]
fn every_event_is_told_as_it_comes() {
    let mut translator = StreamTranslator::new("id", Exchange::default());
    for frame in [start(), text("a"), text("b"), stop("end_turn")] {
        let mut out = Vec::new();
        translator.push(&frame[..frame.len() - 1], &mut out).unwrap();
        assert!(out.is_empty());
        translator.push(&frame[frame.len() - 1..], &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap().matches("data: ").count(), 1);
    }
}

#[test]
fn an_exception_that_comes_first_is_a_response() {
    let message = r#"{"message":"Too many requests, please wait"}"#;
    let (out, error) = run(&[&exception("throttlingException", message)], Exchange::default());
    let error = error.unwrap();
    assert_eq!(out, "");
    assert_eq!((error.shape().status.as_u16(), error.shape().code), (429, "rate_limit_exceeded"));
    assert_eq!(error.to_string(), "Too many requests, please wait");
}

#[test]
fn a_failure_after_text_ends_the_stream_without_done() {
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
        ("garbled", stop("malformed_model_output"), "bad_upstream_response"),
        ("no json", event("messageStop", &json!([[]])), "bad_upstream_response"),
    ] {
        let bytes = [start(), text("a"), frame].concat();
        let (out, error) = run(&[&bytes], Exchange::default());
        assert_eq!(error.unwrap().shape().code, code, "{name}");
        assert!(out.contains(r#""delta":{"content":"a"}"#), "{name}: {out}");
        assert_eq!((out.matches("data: ").count(), out.contains("[DONE]")), (2, false), "{name}");
    }
}

#[test]
fn a_stream_without_its_last_byte_is_cut_short_even_after_the_message() {
    let bytes = [start(), stop("end_turn"), event("metadata", &json!({}))].concat();
    assert!(run(&[&bytes], Exchange::default()).1.is_none());
    for missing in [1, 10] {
        let (out, error) = run(&[&bytes[..bytes.len() - missing]], Exchange::default());
        assert_eq!(error.unwrap().shape().code, "bad_upstream_response");
        assert!(!out.contains("[DONE]"), "{out}");
    }
}

#[test]
fn nothing_is_told_after_an_error() {
    let mut translator = StreamTranslator::new("id", Exchange::default());
    let mut out = Vec::new();
    assert!(translator.push(&exception("validationException", "{}"), &mut out).is_err());
    let rest = [start(), text("a"), stop("end_turn")].concat();
    assert!(translator.push(&rest, &mut out).is_ok() && translator.finish(&mut out).is_ok());
    assert!(out.is_empty());
}

#[test]
fn a_block_ends_where_its_number_is_given_once_more() {
    let call = |id: &str| {
        let call = json!({ "toolUse": { "toolUseId": id, "name": "f" } });
        event("contentBlockStart", &json!({ "contentBlockIndex": 0, "start": call }))
    };
    let (out, error) =
        run(&[&start(), &call("a"), &call("b"), &stop("tool_use")], Exchange::default());
    assert!(error.is_none());
    for index in [0, 1] {
        let input = format!(r#"{{"index":{index},"function":{{"arguments":"{{}}"}}}}"#);
        assert_eq!(out.matches(&input).count(), 1, "{out}");
    }
}

#[test]
fn an_empty_stream_is_no_answer() {
    let (out, error) = run(&[], Exchange::default());
    assert_eq!((out.as_str(), error.unwrap().shape().status.as_u16()), ("", 502));
}
