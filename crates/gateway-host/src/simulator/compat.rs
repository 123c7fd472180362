//! The AI Gateway's own endpoint for all providers, which finds the provider in the model's name.
//! <https://developers.cloudflare.com/ai-gateway/usage/chat-completion/>

use http::Method;
use serde_json::json;

use crate::simulator::faults::gateway_error;
use crate::simulator::reply::Reply;
use crate::simulator::{Provider, Received, openai};

/// Prefixes of models whose provider has a credential in the simulated AI Gateway.
const PREFIXES: [&str; 6] =
    ["google-ai-studio", "groq", "mistral", "deepseek", "openai", "anthropic"];

/// The endpoint.
pub(crate) struct Compat;

impl Provider for Compat {
    fn credentials(&self) -> &'static [&'static str] {
        &["authorization"]
    }

    fn respond(&self, received: &Received, segments: &[&str]) -> Reply {
        if received.method == Method::GET && segments == ["models"] {
            let model = json!({"id": "groq/llama-3.3-70b", "object": "model", "owned_by": "groq"});
            return Reply::json(200, &json!({"object": "list", "data": [model]}));
        }
        let body = received.json();
        let model = body["model"].as_str().unwrap_or_default();
        let is_known = match model.split_once('/') {
            Some(("dynamic", _)) => true,
            Some(("cloudflare", bare)) => bare == "auto",
            Some((prefix, bare)) => PREFIXES.contains(&prefix) && !bare.contains('/'),
            None => false,
        };
        if segments != ["chat", "completions"] || !is_known {
            return gateway_error(2019);
        }
        openai::respond(received, segments)
    }

    fn error(&self, _: &Received, status: u16, message: &str) -> Reply {
        openai::error(status, message, None)
    }
}
