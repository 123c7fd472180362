//! OpenAI's API, reduced to the shapes that clients see.
//! <https://platform.openai.com/docs/api-reference>

mod audio;
mod chat;
mod embeddings;
mod files;
mod multipart;
mod responses;

use http::Method;
use serde_json::{Value, json};

use crate::simulator::reply::Reply;
use crate::simulator::{Provider, Received};

/// The creation time of every simulated object: 2026-01-01.
pub(crate) const CREATED: u64 = 1_767_225_600;

/// The models that exist.
const MODELS: [&str; 3] = ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small"];

/// The provider OpenAI.
pub(crate) struct OpenAi;

impl Provider for OpenAi {
    fn credentials(&self) -> &'static [&'static str] {
        &["authorization"]
    }

    fn respond(&self, received: &Received, segments: &[&str]) -> Reply {
        respond(received, segments)
            .with_header("x-request-id", "req_simulated")
            .with_header("openai-version", "2020-10-01")
    }

    fn error(&self, _: &Received, status: u16, message: &str) -> Reply {
        error(status, message, None)
    }
}

/// Responds as OpenAI's API does, for OpenAI and for the providers that are compatible with it.
pub(crate) fn respond(received: &Received, segments: &[&str]) -> Reply {
    match (&received.method, segments) {
        (&Method::POST, ["chat", "completions"]) => with_json(received, chat::respond),
        (&Method::POST, ["responses"]) => with_json(received, responses::respond),
        (&Method::POST, ["embeddings"]) => with_json(received, embeddings::respond),
        (&Method::POST, ["images", "generations"]) => with_json(received, images),
        (&Method::POST, ["audio", "speech"]) => with_json(received, audio::speech),
        (&Method::POST, ["audio", "transcriptions" | "translations"]) => {
            audio::transcription(received)
        }
        (&Method::GET, ["models"]) => models(),
        (&Method::GET | &Method::HEAD, ["models", id]) => model(id),
        (&Method::DELETE, ["models", id]) => {
            Reply::json(200, &json!({"id": id, "object": "model", "deleted": true}))
        }
        (_, ["files", ..]) => files::file(received, segments),
        (_, ["batches", ..]) => files::batch(received, segments),
        (_, ["echo", ..]) => echo(received),
        (method, _) => {
            error(404, &format!("Invalid URL ({method} /v1/{})", segments.join("/")), None)
        }
    }
}

/// Builds an error in OpenAI's shape.
pub(crate) fn error(status: u16, message: &str, param: Option<&str>) -> Reply {
    let (kind, code) = match status {
        401 => ("invalid_request_error", "invalid_api_key"),
        404 => ("invalid_request_error", "not_found"),
        429 => ("requests", "rate_limit_exceeded"),
        400..=499 => ("invalid_request_error", "invalid_value"),
        _ => ("server_error", "server_error"),
    };
    let error = json!({"message": message, "type": kind, "param": param, "code": code});
    Reply::json(status, &json!({"error": error}))
}

/// Parses the body as JSON, checks its model, and passes both to `respond`.
fn with_json(received: &Received, respond: impl FnOnce(&Received, &Value) -> Reply) -> Reply {
    let Ok(body) = serde_json::from_slice::<Value>(&received.body) else {
        return error(400, "We could not parse the JSON body of your request.", None);
    };
    match body["model"].as_str() {
        None => error(400, "you must provide a model parameter", Some("model")),
        Some("no-such-model") => {
            error(404, "The model `no-such-model` does not exist", Some("model"))
        }
        Some(_) => respond(received, &body),
    }
}

/// Lists the models.
fn models() -> Reply {
    let data: Vec<Value> = MODELS.iter().map(|id| model_object(id)).collect();
    Reply::json(200, &json!({"object": "list", "data": data}))
}

/// Responds with a model, or with OpenAI's error for an unknown one.
fn model(id: &str) -> Reply {
    if MODELS.contains(&id) {
        return Reply::json(200, &model_object(id));
    }
    error(404, &format!("The model '{id}' does not exist"), Some("model"))
}

/// Builds a model object.
fn model_object(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": CREATED, "owned_by": "openai"})
}

/// Responds with as many images as requested, at most ten.
fn images(_: &Received, body: &Value) -> Reply {
    let count = body["n"].as_u64().unwrap_or(1);
    let image = json!({"b64_json": "iVBORw0KGgo="});
    let data = vec![image; usize::try_from(count).unwrap_or(1).min(10)];
    Reply::json(200, &json!({"created": CREATED, "data": data}))
}

/// Returns the request as the AI Gateway received it, for tests of what the app forwards. The
/// operator's token is left out, because clients must not see it.
fn echo(received: &Received) -> Reply {
    let headers: Vec<Value> = received
        .headers
        .iter()
        .filter(|(name, _)| *name != "cf-aig-authorization")
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    let echo = json!({
        "method": received.method.as_str(),
        "target": received.target,
        "headers": headers,
        "bytes": received.body.len(),
        "body": String::from_utf8_lossy(&received.body),
    });
    Reply::json(200, &echo)
}
