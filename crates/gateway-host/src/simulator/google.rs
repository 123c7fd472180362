//! Google AI Studio: the Gemini API, and Google's OpenAI-compatible API.
//! <https://ai.google.dev/api/generate-content>

use http::Method;
use serde_json::{Value, json};

use crate::simulator::faults::Fault;
use crate::simulator::reply::{Reply, last_text};
use crate::simulator::{Provider, Received, openai};

/// The provider Google AI Studio.
pub(crate) struct AiStudio;

impl Provider for AiStudio {
    fn credentials(&self) -> &'static [&'static str] {
        &["authorization", "x-goog-api-key"]
    }

    fn respond(&self, received: &Received, segments: &[&str]) -> Reply {
        match (&received.method, segments) {
            (&Method::POST, ["v1" | "v1alpha" | "v1beta", "models", call]) => {
                generate(received, call)
            }
            (_, ["upload", "v1" | "v1alpha" | "v1beta", "files"]) => upload(received),
            (
                &Method::GET,
                ["v1" | "v1alpha" | "v1beta", list @ ("cachedContents" | "files" | "batches")],
            ) => Reply::json(200, &json!({ *list: [] })),
            (&Method::GET, ["v1" | "v1beta", "models"]) => {
                Reply::json(200, &json!({"models": [{"name": "models/gemini-2.5-flash"}]}))
            }
            (&Method::GET, ["v1" | "v1beta", "models", id]) => {
                Reply::json(200, &json!({"name": format!("models/{id}")}))
            }
            (&Method::GET, ["v1beta", "openai", "models"]) => {
                let model = json!({"id": "models/gemini-2.5-flash", "object": "model", "owned_by": "google"});
                Reply::json(200, &json!({"object": "list", "data": [model]}))
            }
            (_, ["v1beta", "openai", rest @ ..]) => openai::respond(received, rest),
            _ => error(404, "Requested entity was not found."),
        }
    }

    fn error(&self, received: &Received, status: u16, message: &str) -> Reply {
        if received.path().contains("/openai/") {
            return openai::error(status, message, None);
        }
        error(status, message)
    }
}

/// Takes a file that is sent in one request.
fn upload(received: &Received) -> Reply {
    let size = received.body.len().to_string();
    Reply::json(200, &json!({"file": {"name": "files/simulated", "sizeBytes": size}}))
}

/// Builds an error of the Gemini API.
fn error(status: u16, message: &str) -> Reply {
    let name = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        400..=499 => "INVALID_ARGUMENT",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    let error = json!({"code": status, "message": message, "status": name});
    Reply::json(status, &json!({"error": error}))
}

/// Responds to `{model}:{method}` with a text that repeats the last message.
fn generate(received: &Received, call: &str) -> Reply {
    let body = received.json();
    let Some((model, method)) = call.split_once(':') else {
        return error(404, "Requested entity was not found.");
    };
    let Some(last) = body["contents"].as_array().and_then(|contents| contents.last()) else {
        return error(400, "contents is not specified");
    };
    let message = last_text(&last["parts"]);
    let text = format!("You said: {message}");
    let is_plain = Fault::read(&received.headers).is_plain;
    match method {
        "generateContent" => Reply::json(200, &response(model, &text, Some("STOP"))),
        "streamGenerateContent" if received.query().contains("alt=sse") && !is_plain => {
            stream(model, &text)
        }
        "streamGenerateContent" => Reply::json(200, &json!([response(model, &text, Some("STOP"))])),
        "countTokens" => Reply::json(200, &json!({"totalTokens": 9})),
        _ => error(404, "Requested entity was not found."),
    }
}

/// Streams the text word by word, with Google's `\r\n` line endings.
fn stream(model: &str, text: &str) -> Reply {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let last = words.len().saturating_sub(1);
    Reply::events(words.into_iter().enumerate().map(|(index, word)| {
        let mut chunk = response(model, word, (index == last).then_some("STOP"));
        if index < last {
            chunk["usageMetadata"] = json!({"promptTokenCount": 9, "totalTokenCount": 9});
        }
        format!("data: {chunk}\r\n\r\n")
    }))
}

/// Builds a response, or one chunk of a stream.
fn response(model: &str, text: &str, finish: Option<&str>) -> Value {
    let content = json!({"parts": [{"text": text}], "role": "model"});
    let mut candidate = json!({"content": content, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": 9, "candidatesTokenCount": 12, "totalTokenCount": 21,
        },
        "modelVersion": model,
        "responseId": "response-simulated",
    })
}
