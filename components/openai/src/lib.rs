//! OpenAI, as it is: every path and method of its API.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/openai/>

use gateway::{Error, Provider, Request, Settings, Upstream};

struct OpenAi;

impl Provider for OpenAi {
    const SLUG: &'static str = "openai";

    fn upstream(request: &Request<'_>, settings: &Settings) -> Result<Upstream, Error> {
        if matches!(request.target.path, "" | "/") {
            return Err(Error::UnknownUrl { supported: "the paths of OpenAI's API" });
        }
        let upstream = Upstream::at(request.target.below("/openai"));
        Ok(upstream.with_bearer(settings, "openai_api_key"))
    }
}

type Component = gateway_spin::Forward<OpenAi>;
gateway_spin::export!(Component);
