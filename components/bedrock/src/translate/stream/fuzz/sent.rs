//! The frames that Bedrock sends, as values and as bytes.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use corpus::{Changes, Input};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::translate::golden;

/// A stream of the corpus.
#[derive(Clone, Debug)]
pub(super) struct Seed {
    pub(super) context: Value,
    pub(super) frames: Vec<Frame>,
}

/// A frame with valid checksums.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    headers: Headers,
    pub(super) payload: Input,
}

#[derive(Clone, Debug)]
enum Headers {
    Text(Vec<(String, String)>),
    /// The declared length of the headers, which may be wrong; headers and payload are one sequence
    /// of bytes.
    Raw(u32),
}

/// Reads the streams of `golden/streams` and the less regular ones of `fuzz/stream`.
pub(super) fn seeds() -> Vec<Seed> {
    let files = [golden::files("golden/streams"), golden::files("fuzz/stream")];
    let mut paths: Vec<_> = files.concat().into_iter().map(|(_, path)| path).collect();
    paths.sort();
    paths.iter().map(|path| Seed::parse(&std::fs::read_to_string(path).unwrap())).collect()
}

impl Seed {
    /// Parses a file: the first line is the context, each other line a frame.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let context = lines.next().unwrap()["context"].clone();
        // Frames keep the text of their line, because a parsed value could not hold every number.
        let frames = text.lines().skip(1).map(Frame::parse).collect();
        Self { context, frames }
    }
}

impl Frame {
    fn parse(line: &str) -> Self {
        let (name, rest) = line.strip_prefix("{\"").unwrap().split_once("\":").unwrap();
        let payload = rest.strip_suffix('}').unwrap();
        match name {
            "exception" => {
                let inner = Self::parse(payload);
                Self { headers: inner.headers.of_exception(), ..inner }
            }
            "error" => Self::error(&serde_json::from_str(payload).unwrap()),
            _ => Self::event(name, payload),
        }
    }

    fn event(name: &str, payload: &str) -> Self {
        let headers = [
            (":event-type", name),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ];
        Self::new(&headers, payload)
    }

    fn error(frame: &Value) -> Self {
        let (code, message) = frame.as_object().unwrap().iter().next().unwrap();
        let message = message.as_str().unwrap();
        Self::new(
            &[(":error-code", code), (":error-message", message), (":message-type", "error")],
            "",
        )
    }

    fn new(headers: &[(&str, &str)], payload: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { headers: Headers::Text(headers.collect()), payload: Input(payload.into()) }
    }

    /// Generates any valid event.
    pub(super) fn generated() -> impl Strategy<Value = Self> {
        let block = 0..3_u32;
        let name = select(vec!["f", "tool_a1", "json_tool_call"]);
        let reason =
            select(vec!["end_turn", "tool_use", "max_tokens", "malformed_tool_use", "new"]);
        let event = prop_oneof![
            1 => Just(("messageStart", json!({ "role": "assistant" }))),
            2 => (block.clone(), name).prop_map(|(block, name)| ("contentBlockStart", json!({
                "contentBlockIndex": block, "start": { "toolUse": { "toolUseId": "t", "name": name } },
            }))),
            6 => (block.clone(), deltas()).prop_map(|(block, delta)| ("contentBlockDelta", json!({
                "contentBlockIndex": block, "delta": delta,
            }))),
            2 => block.prop_map(|block| ("contentBlockStop", json!({ "contentBlockIndex": block }))),
            1 => reason.prop_map(|reason| ("messageStop", json!({
                "stopReason": reason, "additionalModelResponseFields": { "a": [reason] },
            }))),
            1 => any::<[u64; 3]>().prop_map(|[input, output, total]| ("metadata", json!({
                "usage": { "inputTokens": input, "outputTokens": output, "totalTokens": total },
            }))),
        ];
        let written = (event, any::<bool>());
        written.prop_map(|((name, payload), has_lines)| {
            let payload = if has_lines { format!("{payload:#}") } else { payload.to_string() };
            Self::event(name, &payload)
        })
    }

    /// Generates a frame in which only the checksums are valid.
    pub(super) fn raw() -> impl Strategy<Value = Self> {
        let bytes = vec(prop_oneof![0_u8..10, any::<u8>()], 0..40);
        (prop_oneof![0_u32..40, any::<u32>()], bytes).prop_map(|(length, bytes)| Self {
            headers: Headers::Raw(length),
            payload: Input(bytes),
        })
    }

    /// Edits the payload.
    pub(super) fn change(&mut self, changes: &Changes) {
        self.payload = Input(changes.made_to(std::mem::take(&mut self.payload.0)));
    }

    /// Edits the first header, which is the type of an event.
    pub(super) fn change_type(&mut self, changes: &Changes) {
        if let Headers::Text(headers) = &mut self.headers {
            let value = &mut headers[0].1;
            let changed = changes.made_to(std::mem::take(value).into_bytes());
            *value = String::from_utf8_lossy(&changed).into_owned();
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        match &self.headers {
            Headers::Text(headers) => {
                headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
            }
            Headers::Raw(_) => None,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match &self.headers {
            Headers::Text(headers) => {
                let header = |(name, value): &(String, String)| {
                    Header::new(name.clone(), HeaderValue::String(value.clone().into()))
                };
                let headers = headers.iter().map(header).collect();
                let message = Message::new_from_parts(headers, self.payload.0.clone());
                write_message_to(&message, out).unwrap();
            }
            Headers::Raw(headers) => {
                let length = u32::try_from(self.payload.len() + 16).unwrap();
                let mut frame = [length.to_be_bytes(), headers.to_be_bytes()].concat();
                frame.extend(crc32fast::hash(&frame).to_be_bytes());
                frame.extend_from_slice(&self.payload);
                frame.extend(crc32fast::hash(&frame).to_be_bytes());
                out.append(&mut frame);
            }
        }
    }
}

/// Generates the delta of a block.
fn deltas() -> impl Strategy<Value = Value> {
    let kind = select(vec!["text", "toolUse", "reasoningContent", "citation", "other"]);
    let text = prop_oneof!["\\PC{0,6}", Just("{\"value\":".to_owned()), Just("1}\r\n".to_owned())];
    (kind, text).prop_map(|(kind, text)| match kind {
        "text" => json!({ "text": text }),
        "toolUse" => json!({ "toolUse": { "input": text } }),
        "reasoningContent" => json!({ "reasoningContent": { "text": text, "signature": text } }),
        kind => json!({ kind: { "title": text, "location": { "web": { "url": text } } } }),
    })
}

impl Headers {
    /// Turns an event's headers into those of an exception of the same name.
    fn of_exception(self) -> Self {
        let Self::Text(headers) = self else {
            return self;
        };
        let renamed = |(name, value): (String, String)| match name.as_str() {
            ":event-type" => (":exception-type".to_owned(), value),
            ":message-type" => (name, "exception".to_owned()),
            _ => (name, value),
        };
        Self::Text(headers.into_iter().map(renamed).collect())
    }
}

/// Encodes frames.
pub(super) fn written(frames: &[Frame]) -> Vec<u8> {
    let mut out = Vec::new();
    for frame in frames {
        frame.write(&mut out);
    }
    out
}

/// Checks whether `bytes` consist of whole frames with valid checksums.
pub(super) fn is_sound(mut bytes: &[u8]) -> bool {
    let number = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 4).map(|number| u32::from_be_bytes(number.try_into().unwrap()))
    };
    while !bytes.is_empty() {
        let length = number(bytes, 0).map_or(0, |length| usize::try_from(length).unwrap());
        let Some((frame, rest)) = bytes.split_at_checked(length.max(1)) else {
            return false;
        };
        let is_whole = length >= 16
            && number(frame, 8) == Some(crc32fast::hash(&frame[..8]))
            && number(frame, length - 4) == Some(crc32fast::hash(&frame[..length - 4]));
        if !is_whole {
            return false;
        }
        bytes = rest;
    }
    true
}

/// Checks whether the message of these valid frames ends, and not as a malformed one.
pub(super) fn ends_well(frames: &[Frame]) -> bool {
    let is_end = |frame: &&Frame| frame.header(":event-type") == Some("messageStop");
    let end = frames.iter().find(is_end).map(|frame| String::from_utf8_lossy(&frame.payload));
    end.is_some_and(|end| !end.contains("malformed"))
}

/// Collects the text of these frames' message; `None` if it is not plain.
pub(super) fn text(frames: &[Frame]) -> Option<String> {
    let mut text = String::new();
    for frame in frames {
        let name = match frame.header(":message-type") {
            Some("event") => frame.header(":event-type")?,
            Some(_) => continue,
            None => return None,
        };
        if name == "messageStop" {
            return Some(text);
        }
        if name == "contentBlockDelta" {
            let event: Value = serde_json::from_slice(&frame.payload).ok()?;
            let delta = event.as_object()?.get("delta").unwrap_or(&Value::Null);
            let is_plain = delta.is_object() || delta.is_null();
            text +=
                delta.get("text").and_then(Value::as_str).filter(|_| is_plain).unwrap_or_default();
        }
    }
    None
}
