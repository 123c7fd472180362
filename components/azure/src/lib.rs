//! Azure OpenAI: the model of a request names the deployment, which is part of the URL.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/azureopenai/>

mod deployment;
mod paths;
mod version;

use std::ops::Range;

use gateway::operation::Class;
use gateway::{Error, Head, Provider, RequestParts, Settings, Upstream};

struct Azure;

impl Provider for Azure {
    const SLUG: &'static str = "azure";
    const NEEDS_FORM_MODEL: bool = true;

    fn model_in_path(path: &str) -> Option<Range<usize>> {
        paths::deployment_in(path)
    }

    fn class(head: &Head, path: &str) -> Class {
        paths::class(&head.method, path)
    }

    fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error> {
        let target = paths::target(request.target.path)?;
        let resource = settings.require("azure_resource_name")?;
        if !deployment::is_name(resource) {
            let why = "azure_resource_name may contain only letters, digits, - . and _";
            return Err(Error::Configuration(why.to_owned()));
        }
        let path = match target {
            paths::Target::Deployment(operation) => {
                let deployment = deployment::named_by(request.model)?;
                format!("/azure-openai/{resource}/{deployment}{operation}")
            }
            paths::Target::Resource(operation) => {
                format!("/azure-openai/{resource}/openai{operation}")
            }
        };
        let upstream = Upstream::at(version::with_version(request.target, &path, settings)?);
        Ok(upstream.with_key("api-key", settings, "azure_api_key"))
    }
}

type Component = gateway_spin::ProviderComponent<Azure>;
gateway_spin::export!(Component);
