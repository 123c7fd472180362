//! `ConverseStream`: the answer step by step.

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

/// Characters in a fragment of a tool's input.
const FRAGMENT: usize = 6;

pub(crate) fn answer(
    received: &Received,
    request: &Request<'_>,
    fault: &Fault,
) -> Result<Reply, Exception> {
    let common = faults::Fault::read(&received.headers);
    if common.is_plain {
        return converse::answer(request, fault);
    }
    converse::check(request)?;
    if fault.lacks_output {
        return Ok(without_output());
    }
    let frames = frames(request, &Turn::new(request, fault), common.chunks);
    let body = Content::Chunks(fault.chunks(frames));
    Ok(Reply { body, ..Reply::whole(200, EVENT_STREAM, "") })
}

/// The steps: only tools announce their block, and the tokens come after the end.
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
    converse::echo(request, &mut metadata);
    frames.push(Frame::event("metadata", metadata));
    frames
}

/// A block in small pieces; text as `count` pieces, if there is a count.
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

fn texts(text: &str, count: Option<usize>) -> Vec<Value> {
    match count {
        Some(count) => vec![json!({"text": "token "}); count],
        None => words(text).map(|word| json!({"text": word})).collect(),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// A tool's input in pieces; an empty one is not even mentioned.
fn fragments(input: &Value) -> Vec<String> {
    if input.as_object().is_some_and(serde_json::Map::is_empty) {
        return Vec::new();
    }
    let letters: Vec<char> = input.to_string().chars().collect();
    letters.chunks(FRAGMENT).map(|letters| letters.iter().collect()).collect()
}

#[cfg(test)]
mod tests;
