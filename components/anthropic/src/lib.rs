//! Anthropic: its own Messages API as it is, and OpenAI's chat completions by Anthropic's own layer.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/anthropic/>

use gateway::{Dialect, Error, Headers, Provider, Request, Settings, Upstream};

struct Anthropic;

const SUPPORTED: &str = "/chat/completions, /models and Anthropic's own /v1/messages";

/// What a client that names no version gets: the only one there is.
/// <https://docs.anthropic.com/en/api/versioning>
const VERSION: &str = "2023-06-01";

/// Whether a path below the route, without its `/v1`, is Anthropic's own.
fn is_native(path: &str) -> bool {
    path == "/messages" || path.starts_with("/messages/")
}

fn is_models(path: &str) -> bool {
    path == "/models" || path.starts_with("/models/")
}

impl Provider for Anthropic {
    const SLUG: &'static str = "anthropic";

    fn dialect(path: &str, headers: &Headers) -> Dialect {
        let is_own_sdk = headers.get("anthropic-version").is_some();
        if is_native(path) || is_own_sdk { Dialect::Anthropic } else { Dialect::OpenAi }
    }

    fn upstream(request: &Request<'_>, settings: &Settings) -> Result<Upstream, Error> {
        let upstream = Upstream::at(request.target.below("/anthropic/v1"));
        match request.target.path {
            "/chat/completions" => Ok(upstream.with_bearer(settings, "anthropic_api_key")),
            path if is_native(path) => {
                Ok(upstream.with_key("x-api-key", settings, "anthropic_api_key"))
            }
            path if is_models(path) => {
                // OpenAI's SDK asks for models too, and knows nothing of versions.
                let is_missing = request.headers.get("anthropic-version").is_none();
                Ok(upstream
                    .with_key("x-api-key", settings, "anthropic_api_key")
                    .with("anthropic-version", is_missing.then(|| VERSION.to_owned())))
            }
            _ => Err(Error::UnknownUrl { supported: SUPPORTED }),
        }
    }
}

type Component = gateway_spin::Forward<Anthropic>;
gateway_spin::export!(Component);
