//! The Converse operation, which returns a whole response.

use serde_json::{Value, json};

use crate::simulator::bedrock::exception::Exception;
use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::request::Request;
use crate::simulator::bedrock::turn::{Block, Turn, usage};
use crate::simulator::bedrock::{rules, schema};
use crate::simulator::reply::Reply;

/// The latency in milliseconds that every response reports.
pub(crate) const LATENCY: u64 = 42;

/// The signature of every thought.
pub(crate) const SIGNATURE: &str = "c2ln";
/// The content of every redacted thought.
pub(crate) const REDACTED: &str = "cmVkYWN0ZWQ=";

/// The text of every thought.
pub(crate) const THOUGHT: &str = "Let me think.";

/// Responds to a Converse request.
pub(crate) fn respond(request: &Request<'_>, fault: &Fault) -> Result<Reply, Exception> {
    // Checked before the faults, so that a test of a fault cannot pass with an invalid request.
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
    echo_service_settings(request, &mut body);
    Ok(Reply::json(200, &body))
}

/// Rejects a request that AWS would reject. The schema comes first, because the rules rely on it.
pub(crate) fn check(request: &Request<'_>) -> Result<(), Exception> {
    schema::CONVERSE.check(request.body)?;
    rules::violation(request).map_or(Ok(()), |message| Err(Exception::validation(message)))
}

/// Copies the requested service tier and latency into the response, which reports those in use.
pub(crate) fn echo_service_settings(request: &Request<'_>, body: &mut Value) {
    for name in ["serviceTier", "performanceConfig"] {
        if let Some(value) = request.body.get(name) {
            body[name] = value.clone();
        }
    }
}

/// Builds the response that AWS's front end returns briefly while an operation is being deployed or
/// withdrawn: status 200, with an error in place of the output.
pub(crate) fn without_output() -> Reply {
    let kind = "com.amazon.coral.service#UnknownOperationException";
    Reply::json(200, &json!({"Output": {"__type": kind}, "Version": "1.0"}))
}

/// Builds the citation of every cited text.
pub(crate) fn citation() -> Value {
    let web = json!({"url": "https://example.com/paris", "domain": "example.com"});
    json!({"title": "Paris", "location": {"web": web}})
}

/// Builds a content block.
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
