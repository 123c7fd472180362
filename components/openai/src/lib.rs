//! OpenAI: every path and method of its API passes through.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/openai/>

use gateway::{Error, Provider, RequestParts, Settings, Upstream};

/// OpenAI, whose API is the gateway's own: only the base and the key change.
struct OpenAi;

impl Provider for OpenAi {
    const SLUG: &'static str = "openai";

    fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error> {
        if matches!(request.target.path, "" | "/") {
            return Err(Error::UnknownUrl { supported: "the paths of OpenAI's API" });
        }
        Ok(Upstream::at(request.target.below("/openai"))
            .with_bearer(settings, "openai_api_key")
            .with_key("openai-organization", settings, "openai_organization")
            .with_key("openai-project", settings, "openai_project"))
    }
}

type Component = gateway_spin::ProviderComponent<OpenAi>;
gateway_spin::export!(Component);
