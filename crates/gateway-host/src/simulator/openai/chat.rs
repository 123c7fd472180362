//! The chat completions API, whole and streamed.

use serde_json::{Value, json};

use crate::simulator::Received;
use crate::simulator::faults::Fault;
use crate::simulator::openai::{CREATED, error};
use crate::simulator::reply::{Reply, last_text};

/// The model's turn: a text, or a tool call.
struct Turn {
    content: Option<String>,
    tool_call: Option<Value>,
}

/// Responds to a chat completion request.
pub(crate) fn respond(received: &Received, body: &Value) -> Reply {
    let Some(messages) = body["messages"].as_array().filter(|messages| !messages.is_empty()) else {
        return error(400, "'messages' is a required property", Some("messages"));
    };
    let fault = Fault::read(&received.headers);
    let turn = Turn::new(body, messages.last().unwrap_or(&Value::Null));
    if body["stream"] == true && !fault.is_plain {
        return stream(body, &turn, &fault);
    }
    let choice = json!({
        "index": 0,
        "message": turn.message(),
        "logprobs": null,
        "finish_reason": turn.finish_reason(),
    });
    let completion = json!({
        "id": "chatcmpl-simulated",
        "object": "chat.completion",
        "created": CREATED,
        "model": body["model"],
        "choices": [choice],
        "usage": usage(),
        "system_fingerprint": "fp_simulated",
    });
    Reply::json(200, &completion).with_header("x-ratelimit-remaining-requests", "9999")
}

/// Streams a turn, in which `fault` may replace the text by a number of tokens.
fn stream(body: &Value, turn: &Turn, fault: &Fault) -> Reply {
    let include_usage = body["stream_options"]["include_usage"] == true && !fault.lacks_usage;
    let chunk = |choices: Value, usage: Option<Value>| {
        let mut chunk = json!({
            "id": "chatcmpl-simulated",
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": body["model"],
            "system_fingerprint": "fp_simulated",
            "choices": choices,
        });
        if include_usage {
            chunk["usage"] = usage.unwrap_or(Value::Null);
        }
        format!("data: {chunk}\n\n")
    };
    let choice = |delta: Value, finish: Value| json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);

    let mut events =
        vec![chunk(choice(json!({"role": "assistant", "content": ""}), Value::Null), None)];
    events.extend(
        turn.deltas(fault.chunks).into_iter().map(|delta| chunk(choice(delta, Value::Null), None)),
    );
    events.push(chunk(choice(json!({}), turn.finish_reason().into()), None));
    if include_usage {
        events.push(chunk(json!([]), Some(usage())));
    }
    events.push("data: [DONE]\n\n".to_owned());
    Reply::events(events)
}

/// Builds the token usage, which is the same for every request.
fn usage() -> Value {
    json!({"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21})
}

impl Turn {
    /// Creates the turn that follows the message `last`: it calls the first tool, unless the
    /// message is a tool's result, and otherwise repeats the message.
    fn new(body: &Value, last: &Value) -> Self {
        let name = &body["tools"][0]["function"]["name"];
        if last["role"] == "tool" {
            let result = last["content"].as_str().unwrap_or_default();
            return Self { content: Some(format!("The tool says: {result}")), tool_call: None };
        }
        if name.is_string() {
            let function = json!({"name": name, "arguments": r#"{"city":"Paris"}"#});
            let call = json!({"id": "call_simulated", "type": "function", "function": function});
            return Self { content: None, tool_call: Some(call) };
        }
        let message = last_text(&last["content"]);
        Self { content: Some(format!("You said: {message}")), tool_call: None }
    }

    /// Returns the finish reason of the turn.
    fn finish_reason(&self) -> &'static str {
        if self.tool_call.is_some() { "tool_calls" } else { "stop" }
    }

    /// Builds the whole message.
    fn message(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.content, "refusal": null});
        if let Some(call) = &self.tool_call {
            message["tool_calls"] = json!([call]);
        }
        message
    }

    /// Splits the turn into deltas: the text word by word or as `count` tokens, a tool call whole.
    fn deltas(&self, count: Option<usize>) -> Vec<Value> {
        if let Some(call) = &self.tool_call {
            let mut call = call.clone();
            call["index"] = 0.into();
            return vec![json!({"tool_calls": [call]})];
        }
        let content = self.content.as_deref().unwrap_or_default();
        match count {
            Some(count) => vec![json!({"content": "token "}); count],
            None => content.split_inclusive(' ').map(|word| json!({"content": word})).collect(),
        }
    }
}
