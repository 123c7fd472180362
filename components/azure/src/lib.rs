//! Azure OpenAI: the model of a request names the deployment, which is part of the URL.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/azureopenai/>

mod deployment;
mod version;

use std::ops::Range;

use gateway::{Error, Provider, Request, Settings, Upstream};

struct Azure;

/// Where Azure's own SDK puts the deployment.
const DEPLOYMENTS: &str = "/openai/deployments/";

/// Azure's newer base path, which is OpenAI's with another beginning.
const OPENAI_V1: &str = "/openai/v1";

/// What a deployment serves. Models, responses and files belong to the resource, which the AI
/// Gateway does not reach.
const OPERATIONS: [&str; 8] = [
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/images/generations",
    "/images/edits",
    "/audio/speech",
    "/audio/transcriptions",
    "/audio/translations",
];

const SUPPORTED: &str = "/chat/completions, /completions, /embeddings, /images/* and /audio/*";

impl Provider for Azure {
    const SLUG: &'static str = "azure";
    const NEEDS_FORM_MODEL: bool = true;

    fn model_in_path(path: &str) -> Option<Range<usize>> {
        let rest = path.strip_prefix(DEPLOYMENTS)?;
        let end = DEPLOYMENTS.len() + rest.find('/')?;
        Some(DEPLOYMENTS.len()..end)
    }

    fn upstream(request: &Request<'_>, settings: &Settings) -> Result<Upstream, Error> {
        let path = request.target.path;
        let operation = match Self::model_in_path(path) {
            Some(place) => path.get(place.end..).unwrap_or_default(),
            None => path.strip_prefix(OPENAI_V1).unwrap_or(path),
        };
        if !OPERATIONS.contains(&operation) {
            return Err(Error::UnknownUrl { supported: SUPPORTED });
        }
        let deployment = deployment::named_by(request.model)?;
        let resource = settings.require("azure_resource_name")?;
        if !deployment::is_name(resource) {
            let why = "azure_resource_name may have only letters, digits, - . and _";
            return Err(Error::Configuration(why.to_owned()));
        }
        let path = format!("/azure-openai/{resource}/{deployment}{operation}");
        let upstream = Upstream::at(version::with_version(request.target, &path, settings)?);
        Ok(upstream.with_key("api-key", settings, "azure_api_key"))
    }
}

type Component = gateway_spin::Forward<Azure>;
gateway_spin::export!(Component);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_in_path_is_the_deployment() {
        for (path, expected) in [
            ("/openai/deployments/gpt-4o/chat/completions", Some("gpt-4o")),
            ("/openai/deployments/gpt-4o", None),
            ("/chat/completions", None),
        ] {
            let model = Azure::model_in_path(path).map(|place| &path[place]);
            assert_eq!(model, expected, "{path}");
        }
    }
}
