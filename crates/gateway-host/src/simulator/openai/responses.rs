//! The Responses API, whole and streamed.

use serde_json::{Value, json};

use crate::simulator::Received;
use crate::simulator::openai::CREATED;
use crate::simulator::reply::{Reply, last_text};

/// Responds with a text that repeats the input.
pub(crate) fn respond(_: &Received, body: &Value) -> Reply {
    let items = body["input"].as_array().and_then(|items| items.last());
    let input = last_text(items.map_or(&body["input"], |last| &last["content"]));
    let text = format!("You said: {input}");
    if body["stream"] == true {
        return stream(body, &text);
    }
    Reply::json(200, &response(body, "completed", &[message("completed", &text)]))
}

/// Streams the text word by word, as the API's sequence of numbered events.
fn stream(body: &Value, text: &str) -> Reply {
    let place = json!({"item_id": "msg_simulated", "output_index": 0, "content_index": 0});
    let at_place = |mut event: Value| {
        for (name, value) in place.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        event
    };
    let mut events = vec![
        json!({"type": "response.created", "response": response(body, "in_progress", &[])}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": message("in_progress", "")}),
        at_place(json!({"type": "response.content_part.added", "part": part("")})),
    ];
    events.extend(text.split_inclusive(' ').map(|delta| {
        at_place(json!({"type": "response.output_text.delta", "delta": delta, "logprobs": []}))
    }));
    let done = message("completed", text);
    events.extend([
        at_place(json!({"type": "response.output_text.done", "text": text, "logprobs": []})),
        at_place(json!({"type": "response.content_part.done", "part": part(text)})),
        json!({"type": "response.output_item.done", "output_index": 0, "item": done.clone()}),
        json!({"type": "response.completed", "response": response(body, "completed", &[done])}),
    ]);
    Reply::events(events.into_iter().enumerate().map(|(number, mut event)| {
        event["sequence_number"] = number.into();
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        format!("event: {name}\ndata: {event}\n\n")
    }))
}

/// Builds the response object.
fn response(body: &Value, status: &str, output: &[Value]) -> Value {
    let usage = json!({
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 21,
    });
    json!({
        "id": "resp_simulated",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "model": body["model"],
        "output": output,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "metadata": {},
        "parallel_tool_calls": true,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        // Not known before the end.
        "usage": (status == "completed").then_some(usage),
    })
}

/// Builds the output item that holds the text.
fn message(status: &str, text: &str) -> Value {
    let content = if text.is_empty() { vec![] } else { vec![part(text)] };
    json!({
        "id": "msg_simulated",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    })
}

/// Builds a content part of the output item.
fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}
