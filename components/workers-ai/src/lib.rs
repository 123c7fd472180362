//! Cloudflare Workers AI: OpenAI's API, and models by their own paths.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/workersai/>

use std::ops::Range;

use gateway::operation::Class;
use gateway::{Dialect, Error, Head, Headers, Method, Provider, RequestParts, Settings, Upstream};

struct WorkersAi;

/// The paths of OpenAI's API that Workers AI serves.
const OPENAI_PATHS: [&str; 4] = ["/chat/completions", "/completions", "/embeddings", "/responses"];

const SUPPORTED: &str = "/chat/completions, /completions, /embeddings, /responses and /@cf/{model}";

/// Returns the model of a native path, `/@cf/…` or `/run/@cf/…`.
fn native_model(path: &str) -> Option<&str> {
    let path = path.strip_prefix("/run").unwrap_or(path);
    path.strip_prefix('/').filter(|model| model.starts_with("@cf/") || model.starts_with("@hf/"))
}

impl Provider for WorkersAi {
    const SLUG: &'static str = "workers-ai";
    const RETURNS_NUMBERS: bool = true;

    fn dialect(path: &str, _headers: &Headers) -> Dialect {
        if native_model(path).is_some() { Dialect::Cloudflare } else { Dialect::OpenAi }
    }

    fn model_in_path(path: &str) -> Option<Range<usize>> {
        let model = native_model(path)?;
        Some(path.len() - model.len()..path.len())
    }

    fn class(head: &Head, path: &str) -> Class {
        let runs_a_model = native_model(path).is_some() || OPENAI_PATHS.contains(&path);
        let is_inference = head.method == Method::POST && runs_a_model;
        if is_inference { Class::Inference } else { Class::Account }
    }

    fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error> {
        let target = request.target;
        let upstream = match (native_model(target.path), target.path) {
            (Some(model), _) => Upstream::at(target.at(&format!("/workers-ai/{model}"))),
            (None, path) if OPENAI_PATHS.contains(&path) => {
                Upstream::at(target.below("/workers-ai/v1"))
            }
            _ => return Err(Error::UnknownUrl { supported: SUPPORTED }),
        };
        // Workers AI needs a Cloudflare token. The AI Gateway's is used unless the operator set another.
        let own = settings.get("workers_ai_token").map(|_| "workers_ai_token");
        Ok(upstream.with_bearer(settings, own.unwrap_or("ai_gateway_token")))
    }
}

type Component = gateway_spin::ProviderComponent<WorkersAi>;
gateway_spin::export!(Component);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_in_path_finds_the_whole_name() {
        for (path, expected) in [
            ("/@cf/meta/llama-3.1-8b-instruct", Some("@cf/meta/llama-3.1-8b-instruct")),
            ("/run/@cf/meta/m", Some("@cf/meta/m")),
            ("/chat/completions", None),
            ("/@other/x", None),
        ] {
            let model = WorkersAi::model_in_path(path).map(|place| &path[place]);
            assert_eq!(model, expected, "{path}");
        }
    }
}
