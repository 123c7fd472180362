//! Converse: the whole answer at once.

use serde_json::{Value, json};

use crate::simulator::bedrock::exception::Exception;
use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::request::Request;
use crate::simulator::bedrock::turn::{Block, Turn, usage};
use crate::simulator::bedrock::{rules, schema};
use crate::simulator::reply::Reply;

/// Milliseconds that every answer takes.
pub(crate) const LATENCY: u64 = 42;

/// What every signature and all that is hidden looks like.
pub(crate) const SIGNATURE: &str = "c2ln";
pub(crate) const REDACTED: &str = "cmVkYWN0ZWQ=";

/// What the model thinks.
pub(crate) const THOUGHT: &str = "Let me think.";

pub(crate) fn answer(request: &Request<'_>, fault: &Fault) -> Result<Reply, Exception> {
    check(request)?;
    fault.check_whole()?;
    if fault.lacks_output {
        return Ok(without_output());
    }
    let turn = Turn::new(request, fault);
    let content: Vec<Value> = turn.blocks.iter().map(block).collect();
    let mut body = json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": turn.stop_reason,
        "usage": usage(request),
        "metrics": {"latencyMs": LATENCY},
    });
    echo(request, &mut body);
    Ok(Reply::json(200, &body))
}

/// Refuses what AWS would refuse.
pub(crate) fn check(request: &Request<'_>) -> Result<(), Exception> {
    schema::CONVERSE.check(request.body)?;
    rules::violation(request).map_or(Ok(()), |message| Err(Exception::validation(message)))
}

/// Tells the tier and the latency that were asked for, as those that were given.
pub(crate) fn echo(request: &Request<'_>, body: &mut Value) {
    for name in ["serviceTier", "performanceConfig"] {
        if let Some(value) = request.body.get(name) {
            body[name] = value.clone();
        }
    }
}

/// What AWS's front end answers for a moment when it has no such operation yet, or no longer.
pub(crate) fn without_output() -> Reply {
    let kind = "com.amazon.coral.service#UnknownOperationException";
    Reply::json(200, &json!({"Output": {"__type": kind}, "Version": "1.0"}))
}

/// Where the model has found what it says.
pub(crate) fn citation() -> Value {
    let web = json!({"url": "https://example.com/paris", "domain": "example.com"});
    json!({"title": "Paris", "location": {"web": web}})
}

fn block(block: &Block) -> Value {
    match block {
        Block::Thought => {
            let thought = json!({"text": THOUGHT, "signature": SIGNATURE});
            json!({"reasoningContent": {"reasoningText": thought}})
        }
        Block::Redacted => json!({"reasoningContent": {"redactedContent": REDACTED}}),
        Block::Text(text) => json!({"text": text}),
        Block::Cited(text) => {
            json!({"citationsContent": {"content": [{"text": text}], "citations": [citation()]}})
        }
        Block::Call { id, name, input } => {
            json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
        }
    }
}
