//! Cloudflare AI Gateway's own endpoint for many providers, which finds the provider in the model's name, and
//! its dynamic routes. The credentials are those stored in the AI Gateway.
//! <https://developers.cloudflare.com/ai-gateway/usage/chat-completion/>

use gateway::operation::{Class, Operation, inference};
use gateway::{Error, Head, Provider, RequestParts, Settings, Upstream};

struct Compat;

const OPERATIONS: &[Operation] =
    &[inference("POST", "/chat/completions"), inference("GET", "/models")];

impl Provider for Compat {
    const SLUG: &'static str = "compat";

    fn class(head: &Head, path: &str) -> Class {
        Class::find(OPERATIONS, &head.method, path)
    }

    fn upstream(request: &RequestParts<'_>, _: &Settings) -> Result<Upstream, Error> {
        match (request.target.path, request.method.as_str()) {
            ("/models", "GET" | "HEAD") => {}
            // The model decides which provider responds: a body whose model was not read must not arrive
            // there, because it could name one that the key may not use.
            ("/chat/completions", "POST") if request.model.is_some() => {}
            ("/chat/completions", "POST") => {
                let message =
                    "`model` is missing: send it in a body with content-type application/json";
                return Err(Error::invalid_param("model", message));
            }
            ("/chat/completions", _) => return Err(Error::MethodNotAllowed { allowed: "POST" }),
            ("/models", _) => return Err(Error::MethodNotAllowed { allowed: "GET, HEAD" }),
            _ => return Err(Error::UnknownUrl { supported: "/chat/completions and /models" }),
        }
        Ok(Upstream::at(request.target.below("/compat")))
    }
}

type Component = gateway_spin::ProviderComponent<Compat>;
gateway_spin::export!(Component);
