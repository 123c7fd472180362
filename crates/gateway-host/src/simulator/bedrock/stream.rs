//! The `ConverseStream` operation, which returns the response as a stream of events.

use serde_json::{Value, json};

use crate::simulator::Received;
use crate::simulator::bedrock::converse::{
    self, LATENCY, REDACTED, SIGNATURE, THOUGHT, citation, without_output,
};
use crate::simulator::bedrock::exception::Exception;
use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::frames::Frame;
use crate::simulator::bedrock::request::Request;
use crate::simulator::bedrock::turn::{Block, Turn, usage};
use crate::simulator::checks::EVENT_STREAM;
use crate::simulator::faults;
use crate::simulator::reply::{Content, Reply};

/// The length of a fragment of a tool's input, in characters. It is short so that fragments split
/// JSON in the middle of names and values.
const FRAGMENT: usize = 6;

/// Responds to a `ConverseStream` request.
pub(crate) fn respond(
    received: &Received,
    request: &Request<'_>,
    fault: &Fault,
) -> Result<Reply, Exception> {
    let common = faults::Fault::read(&received.headers);
    if common.is_plain {
        return converse::respond(request, fault);
    }
    converse::check(request)?;
    if fault.lacks_output {
        return Ok(without_output());
    }
    let frames = frames(request, &Turn::new(request, fault), common.chunks);
    let body = Content::Chunks(fault.chunks(frames));
    Ok(Reply { body, ..Reply::whole(200, EVENT_STREAM, "") })
}

/// Builds the events of a turn. As in Bedrock, only tool calls have a start event, and the token
/// usage follows the end of the message.
fn frames(request: &Request<'_>, turn: &Turn, count: Option<usize>) -> Vec<Frame> {
    let mut frames = vec![Frame::event("messageStart", json!({"role": "assistant"}))];
    for (index, block) in turn.blocks.iter().enumerate() {
        if let Block::Call { id, name, .. } = block {
            let start = json!({"toolUse": {"toolUseId": id, "name": name}});
            let payload = json!({"contentBlockIndex": index, "start": start});
            frames.push(Frame::event("contentBlockStart", payload));
        }
        frames.extend(deltas(block, count).into_iter().map(|delta| {
            let payload = json!({"contentBlockIndex": index, "delta": delta});
            Frame::event("contentBlockDelta", payload)
        }));
        frames.push(Frame::event("contentBlockStop", json!({"contentBlockIndex": index})));
    }
    frames.push(Frame::event("messageStop", json!({"stopReason": turn.stop_reason})));
    let mut metadata = json!({"usage": usage(request), "metrics": {"latencyMs": LATENCY}});
    converse::echo_service_settings(request, &mut metadata);
    frames.push(Frame::event("metadata", metadata));
    frames
}

/// Splits a block into deltas. `count` replaces its text with that many tokens.
fn deltas(block: &Block, count: Option<usize>) -> Vec<Value> {
    match block {
        Block::Thought => {
            let mut deltas: Vec<Value> = words(THOUGHT).map(|text| json!({"text": text})).collect();
            deltas.push(json!({"signature": SIGNATURE}));
            deltas.into_iter().map(|delta| json!({"reasoningContent": delta})).collect()
        }
        Block::Redacted => vec![json!({"reasoningContent": {"redactedContent": REDACTED}})],
        Block::Text(text) => texts(text, count),
        Block::Cited(text) => {
            let mut deltas = texts(text, count);
            deltas.push(json!({"citation": citation()}));
            deltas
        }
        Block::Call { input, .. } => {
            let fragments = fragments(input).into_iter();
            fragments.map(|fragment| json!({"toolUse": {"input": fragment}})).collect()
        }
    }
}

/// Splits a text into its words, or replaces it with `count` tokens.
fn texts(text: &str, count: Option<usize>) -> Vec<Value> {
    match count {
        Some(count) => vec![json!({"text": "token "}); count],
        None => words(text).map(|word| json!({"text": word})).collect(),
    }
}

/// Splits a text after each space.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// Splits a tool's input into fragments. As in Bedrock, an empty input has none.
fn fragments(input: &Value) -> Vec<String> {
    if input.as_object().is_some_and(serde_json::Map::is_empty) {
        return Vec::new();
    }
    let letters: Vec<char> = input.to_string().chars().collect();
    letters.chunks(FRAGMENT).map(|letters| letters.iter().collect()).collect()
}

#[cfg(test)]
mod tests;
