//! Anthropic: its Messages API passes through, and so do OpenAI's chat completions, which Anthropic
//! serves itself.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/anthropic/>

use gateway::operation::{Class, Operation, by_id, inference, unnamed_inference};
use gateway::{Dialect, Error, Head, Headers, Provider, RequestParts, Settings, Upstream};

struct Anthropic;

const SUPPORTED: &str = "/chat/completions, /models and Anthropic's own /v1/messages";

/// The version for a client that names none: the only one that exists.
/// <https://docs.anthropic.com/en/api/versioning>
const VERSION: &str = "2023-06-01";

/// The operations of Anthropic's API, as of its SDK for TypeScript, version 1.12.0 of November 2026.
/// The models of a batch are in its requests.
const OPERATIONS: &[Operation] = &[
    inference("POST", "/chat/completions"),
    inference("POST", "/messages"),
    inference("POST", "/messages/count_tokens"),
    inference("GET", "/models"),
    inference("GET", "/models/{}"),
    unnamed_inference("POST", "/messages/batches"),
    by_id("GET DELETE", "/messages/batches/{msgbatch}"),
    by_id("GET POST", "/messages/batches/{msgbatch}/*"),
];

/// Checks whether a path below the route, without its `/v1`, is of the Messages API.
fn is_native(path: &str) -> bool {
    path == "/messages" || path.starts_with("/messages/")
}

/// Checks whether a path lists models or names one, which both APIs have.
fn is_models(path: &str) -> bool {
    path == "/models" || path.starts_with("/models/")
}

impl Provider for Anthropic {
    const SLUG: &'static str = "anthropic";

    fn dialect(path: &str, headers: &Headers) -> Dialect {
        let is_own_sdk = headers.get("anthropic-version").is_some();
        if is_native(path) || is_own_sdk { Dialect::Anthropic } else { Dialect::OpenAi }
    }

    fn class(head: &Head, path: &str) -> Class {
        Class::find(OPERATIONS, &head.method, path)
    }

    fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error> {
        let upstream = Upstream::at(request.target.below("/anthropic/v1"));
        match request.target.path {
            "/chat/completions" => Ok(upstream.with_bearer(settings, "anthropic_api_key")),
            path if is_native(path) => {
                Ok(upstream.with_key("x-api-key", settings, "anthropic_api_key"))
            }
            path if is_models(path) => {
                // OpenAI's SDK requests models too, without Anthropic's version.
                let is_missing = request.headers.get("anthropic-version").is_none();
                Ok(upstream
                    .with_key("x-api-key", settings, "anthropic_api_key")
                    .with("anthropic-version", is_missing.then(|| VERSION.to_owned())))
            }
            _ => Err(Error::UnknownUrl { supported: SUPPORTED }),
        }
    }
}

type Component = gateway_spin::ProviderComponent<Anthropic>;
gateway_spin::export!(Component);
