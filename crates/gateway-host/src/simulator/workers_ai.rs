//! Workers AI: OpenAI's API below `/v1`, and each model below its own name.
//! <https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/>

use http::Method;
use serde_json::json;

use crate::simulator::faults::{Fault, gateway_error};
use crate::simulator::reply::Reply;
use crate::simulator::{Provider, Received, openai};

/// The provider Workers AI.
pub(crate) struct WorkersAi;

impl Provider for WorkersAi {
    fn credentials(&self) -> &'static [&'static str] {
        &["authorization"]
    }

    fn respond(&self, received: &Received, segments: &[&str]) -> Reply {
        if received.header("authorization").is_none() {
            return gateway_error(10000);
        }
        match (&received.method, segments) {
            (&Method::POST, ["v1", rest @ ..]) => openai::respond(received, rest),
            (&Method::POST, ["@cf", _, model]) => run(received, model),
            _ => failure(404, 7000, "No route for that URI"),
        }
    }

    fn error(&self, received: &Received, status: u16, message: &str) -> Reply {
        if received.path().contains("@cf") {
            return failure(status, 3000 + u32::from(status), message);
        }
        openai::error(status, message, None)
    }
}

/// Builds an error of Cloudflare's REST API. It has `errors`, where the AI Gateway has `error`.
fn failure(status: u16, code: u32, message: &str) -> Reply {
    let error = json!({"code": code, "message": message});
    let body = json!({"result": null, "success": false, "errors": [error], "messages": []});
    Reply::json(status, &body)
}

/// Runs a model, whose text repeats the prompt.
fn run(received: &Received, model: &str) -> Reply {
    if model.starts_with("no-such") {
        return failure(400, 5007, &format!("No such model {model}"));
    }
    let body = received.json();
    let prompt = body["prompt"].as_str().unwrap_or("nothing");
    let text = format!("You said: {prompt}");
    if body["stream"] == true && !Fault::read(&received.headers).is_plain {
        let words = text.split_inclusive(' ');
        let events = words.map(|word| format!("data: {}\n\n", json!({"response": word})));
        return Reply::events(events.chain(["data: [DONE]\n\n".to_owned()]));
    }
    let result = json!({"response": text, "usage": {"total_tokens": 21}});
    Reply::json(200, &json!({"result": result, "success": true, "errors": [], "messages": []}))
}
