//! Anthropic: its own API and its OpenAI-compatible one, reduced to the shapes that clients see.
//! <https://docs.anthropic.com/en/api/messages>

use http::Method;
use serde_json::{Value, json};

use crate::simulator::faults::Fault;
use crate::simulator::reply::{Reply, last_text};
use crate::simulator::{Provider, Received, openai};

/// The provider Anthropic.
pub(crate) struct Anthropic;

impl Provider for Anthropic {
    fn credentials(&self) -> &'static [&'static str] {
        &["authorization", "x-api-key"]
    }

    fn respond(&self, received: &Received, segments: &[&str]) -> Reply {
        let is_own = segments != ["v1", "chat", "completions"];
        if is_own && received.header("anthropic-version").is_none() {
            return error(400, "anthropic-version: header is required");
        }
        let reply = match (&received.method, segments) {
            (&Method::POST, ["v1", "chat", "completions"]) => {
                openai::respond(received, &["chat", "completions"])
            }
            (&Method::POST, ["v1", "messages"]) => messages(received),
            (&Method::POST, ["v1", "messages", "count_tokens"]) => {
                Reply::json(200, &json!({"input_tokens": 14}))
            }
            (&Method::GET, ["v1", "models"]) => models(),
            (&Method::GET, ["v1", "models", id]) => Reply::json(200, &model(id)),
            (_, _) => error(404, "Not found"),
        };
        reply.with_header("request-id", "req_simulated")
    }

    fn error(&self, received: &Received, status: u16, message: &str) -> Reply {
        if received.path().ends_with("chat/completions") {
            return openai::error(status, message, None);
        }
        error(status, message)
    }
}

/// Builds an error of Anthropic's own API.
fn error(status: u16, message: &str) -> Reply {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    let error = json!({"type": kind, "message": message});
    let body = json!({"type": "error", "error": error, "request_id": "req_simulated"});
    Reply::json(status, &body)
}

/// Responds to a message with a text that repeats it.
fn messages(received: &Received) -> Reply {
    let body = received.json();
    if !body["max_tokens"].is_u64() {
        return error(400, "max_tokens: Field required");
    }
    let Some(last) = body["messages"].as_array().and_then(|messages| messages.last()) else {
        return error(400, "messages: Field required");
    };
    let prompt = last_text(&last["content"]);
    let text = format!("You said: {prompt}");
    if body["stream"] == true && !Fault::read(&received.headers).is_plain {
        return stream(&body, &text);
    }
    let content = json!([{"type": "text", "text": text}]);
    Reply::json(200, &message(&body, &content, Some("end_turn")))
}

/// Streams the text word by word, as Anthropic's sequence of named events.
fn stream(body: &Value, text: &str) -> Reply {
    let start = json!({"type": "message_start", "message": message(body, &json!([]), None)});
    let block = json!({"type": "text", "text": ""});
    let mut events = vec![
        start,
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "ping"}),
    ];
    events.extend(text.split_inclusive(' ').map(|word| {
        let delta = json!({"type": "text_delta", "text": word});
        json!({"type": "content_block_delta", "index": 0, "delta": delta})
    }));
    let delta = json!({"stop_reason": "end_turn", "stop_sequence": null});
    events.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 12}}),
        json!({"type": "message_stop"}),
    ]);
    Reply::events(events.into_iter().map(|event| {
        let name = event["type"].as_str().unwrap_or_default();
        format!("event: {name}\ndata: {event}\n\n")
    }))
}

/// Builds a message; at the start of a stream it has no content and no stop reason.
fn message(body: &Value, content: &Value, stop_reason: Option<&str>) -> Value {
    json!({
        "id": "msg_simulated",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": {"input_tokens": 14, "output_tokens": 12},
    })
}

/// Lists the models, with the fields that Anthropic pages by.
fn models() -> Reply {
    let data = [model("claude-sonnet-4-5"), model("claude-haiku-4-5")];
    let (first, last) = ("claude-sonnet-4-5", "claude-haiku-4-5");
    let list = json!({"data": data, "has_more": false, "first_id": first, "last_id": last});
    Reply::json(200, &list)
}

/// Builds a model object.
fn model(id: &str) -> Value {
    json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"})
}
