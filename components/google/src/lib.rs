//! Google AI Studio: chat through the AI Gateway's compat endpoint, the other paths of OpenAI's API
//! through Google's own OpenAI layer, and the Gemini API unchanged.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/google-ai-studio/>

mod compat;
mod native;
mod operations;

use std::ops::Range;

use gateway::operation::Class;
use gateway::{Dialect, Error, Head, Headers, Provider, RequestParts, Settings, Upstream};

use crate::native::NativePath;

struct Google;

/// The base path of Google's own OpenAI layer, which its documentation uses in base URLs.
const OPENAI_LAYER: &str = "/v1beta/openai";

/// Which project is billed for a request, and the setting with its id.
const PROJECT_HEADER: &str = "x-goog-user-project";
const PROJECT: &str = "google_user_project";

const SUPPORTED: &str = "OpenAI's API and Gemini's own /v1beta/models/{model}:{method}";

impl Provider for Google {
    const SLUG: &'static str = "google";
    const RETURNS_NUMBERS: bool = true;

    fn dialect(path: &str, headers: &Headers) -> Dialect {
        if NativePath::of(path, headers).is_some() { Dialect::Google } else { Dialect::OpenAi }
    }

    fn model_in_path(path: &str) -> Option<Range<usize>> {
        native::model_in(path)
    }

    fn class(head: &Head, path: &str) -> Class {
        match NativePath::of(path, &head.headers) {
            Some(native) => Class::find(operations::GEMINI, &head.method, native.path),
            None => Class::find(operations::OPENAI_LAYER, &head.method, openai_path(path)),
        }
    }

    fn bare_model(model: &str) -> &str {
        compat::bare(model)
    }

    fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error> {
        let target = request.target;
        if let Some(native) = NativePath::of(target.path, request.headers) {
            return native.upstream(request, settings);
        }
        let upstream = match openai_path(target.path) {
            "" | "/" => return Err(Error::UnknownUrl { supported: SUPPORTED }),
            "/chat/completions" => chat_completion(request)?,
            path => Upstream::at(target.at(&format!("/google-ai-studio{OPENAI_LAYER}{path}"))),
        };
        Ok(upstream.with_bearer(settings, "google_api_key").with_key(
            PROJECT_HEADER,
            settings,
            PROJECT,
        ))
    }
}

/// Returns the path of an operation of OpenAI's API.
fn openai_path(path: &str) -> &str {
    path.strip_prefix(OPENAI_LAYER).unwrap_or_else(|| native::without_version(path))
}

/// Returns the upstream of a chat completion. The compat endpoint serves every provider, and the
/// body's model decides which: a body whose model was not read must not reach it, because it could
/// name another provider, or a dynamic route, that the key may not use.
fn chat_completion(request: &RequestParts<'_>) -> Result<Upstream, Error> {
    if request.method.as_str() != "POST" {
        return Err(Error::MethodNotAllowed { allowed: "POST" });
    }
    let model = request.model.ok_or_else(|| {
        let message = "`model` is missing: send it in a body with content-type application/json";
        Error::invalid_param("model", message)
    })?;
    Ok(Upstream {
        model: Some(compat::model_name(model)),
        echoes_model: true,
        ..Upstream::at(request.target.at("/compat/chat/completions"))
    })
}

type Component = gateway_spin::ProviderComponent<Google>;
gateway_spin::export!(Component);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_in_path_finds_the_model_of_a_native_path() {
        for (path, expected) in [
            ("/v1beta/models/gemini-pro:generateContent", Some("gemini-pro")),
            ("/v1alpha/models/gemini-pro:generateContent", Some("gemini-pro")),
            ("/models/gemini-pro:streamGenerateContent", Some("gemini-pro")),
            ("/v1beta/models/gemini-pro", None),
            ("/v1beta/tunedModels/a:generateContent", None),
            ("/models", None),
            ("/chat/completions", None),
        ] {
            let model = Google::model_in_path(path).map(|place| &path[place]);
            assert_eq!(model, expected, "{path}");
        }
    }
}
