//! The cost of a translation, compared with parsing and printing the same bytes with `serde_json`:
//! `cargo bench -p bedrock`.
//!
//! A crate root next to `lib.rs`, because a component is a library that no program can link.
#![expect(dead_code, unused_imports, reason = "a bench uses a part of the modules")]

mod aws;
mod catalog;
mod converse;
mod json;
mod limits;
mod openai;
mod translate;

use std::hint::black_box;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use criterion::{BenchmarkId, Criterion, Throughput};
use gateway::translator::Rewrite as _;
use serde_json::{Value, json};

use crate::catalog::model::Model;
use crate::openai::request::ChatRequest;
use crate::translate::context::ResponseContext;
use crate::translate::fallback::Fallback;
use crate::translate::request::build;
use crate::translate::stream::StreamTranslator;

/// The bytes that a host passes to the component at a time.
const CHUNK: usize = 16 * 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let image = format!("data:image/png;base64,iVBORw0KGgo{}", "A".repeat(5 * 1024 * 1024));
    let image = json!([
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": image}},
    ]);
    for (name, body) in [
        ("request of 1 KB", conversation(2, 300)),
        ("request of 100 KB", conversation(50, 1900)),
        ("request with an image of 5 MB", request(&json!([{"role": "user", "content": image}]))),
    ] {
        bench(&mut criterion, name, body.as_bytes(), translate, reprint);
    }
    let (frames, payloads) = stream(1000);
    bench(&mut criterion, "stream of 1000 frames", &frames, translate_stream, |_| {
        reprint_all(&payloads)
    });
}

/// Measures both ways to process `bytes`.
fn bench(
    criterion: &mut Criterion,
    name: &str,
    bytes: &[u8],
    translate: impl Fn(&[u8]) -> usize,
    reprint: impl Fn(&[u8]) -> usize,
) {
    assert!(translate(bytes) > 0 && reprint(bytes) > 0, "{name} cannot be translated");
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(BenchmarkId::from_parameter("translate"), |bencher| {
        bencher.iter(|| translate(black_box(bytes)));
    });
    group.bench_function(BenchmarkId::from_parameter("serde_json"), |bencher| {
        bencher.iter(|| reprint(black_box(bytes)));
    });
    group.finish();
}

/// Creates a request with `messages` and a tool.
fn request(messages: &Value) -> String {
    let tool =
        json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}});
    json!({"model": "m", "messages": messages, "tools": [tool], "temperature": 0.5}).to_string()
}

/// Creates a conversation of `turns` turns with `length` characters each.
fn conversation(turns: usize, length: usize) -> String {
    let text = "word ".repeat(length / 5);
    let message = |turn: usize| {
        let role = if turn.is_multiple_of(2) { "user" } else { "assistant" };
        json!({"role": role, "content": text})
    };
    let mut messages = vec![json!({"role": "system", "content": "Be brief."})];
    messages.extend((0..=turns / 2 * 2).map(message));
    request(&messages.into())
}

/// Creates the frames of a stream, and returns their payloads too.
fn stream(texts: usize) -> (Vec<u8>, Vec<String>) {
    let text = json!({"contentBlockIndex": 0, "delta": {"text": "token "}, "p": "abcdefghij"});
    let mut events = vec![("messageStart", json!({"role": "assistant"}))];
    events.extend(vec![("contentBlockDelta", text); texts]);
    events.push(("messageStop", json!({"stopReason": "end_turn"})));
    let mut frames = Vec::new();
    for (kind, payload) in &events {
        let header = |name: &'static str, value: &'static str| {
            Header::new(name, HeaderValue::String(value.into()))
        };
        let headers = vec![
            header(":event-type", kind),
            header(":content-type", "application/json"),
            header(":message-type", "event"),
        ];
        let message = Message::new_from_parts(headers, payload.to_string());
        write_message_to(&message, &mut frames).unwrap_or_default();
    }
    (frames, events.into_iter().map(|(_, payload)| payload.to_string()).collect())
}

/// Translates a request of OpenAI into a request of Converse.
fn translate(body: &[u8]) -> usize {
    let model = Model::of("anthropic.claude-sonnet-4-5-20250929-v1:0");
    let translated = ChatRequest::parse(body).and_then(|request| {
        let (converse, _) = build(&request, &model, Fallback::default())?;
        Ok(serde_json::to_vec(&converse).map_or(0, |body| body.len()))
    });
    translated.unwrap_or_default()
}

/// Parses and prints `body`.
fn reprint(body: &[u8]) -> usize {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    serde_json::to_vec(&value).map_or(0, |body| body.len())
}

/// Translates Bedrock's frames into OpenAI's chunks.
fn translate_stream(frames: &[u8]) -> usize {
    let mut translator = StreamTranslator::new("id", ResponseContext::default());
    let (mut out, mut length) = (Vec::new(), 0);
    for chunk in frames.chunks(CHUNK) {
        out.clear();
        translator.push(chunk, &mut out).unwrap_or_default();
        length += out.len();
    }
    length
}

/// Parses and prints all payloads.
fn reprint_all(payloads: &[String]) -> usize {
    payloads.iter().map(|payload| reprint(payload.as_bytes())).sum()
}
