//! Azure OpenAI behind the AI Gateway: the path names a resource and a deployment.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/azureopenai/>

use crate::simulator::reply::Reply;
use crate::simulator::{Provider, Received, openai};

/// The provider Azure OpenAI.
pub(crate) struct Azure;

/// The only resource that exists.
const RESOURCE: &str = "simulated-resource";

impl Provider for Azure {
    fn credentials(&self) -> &'static [&'static str] {
        &["api-key"]
    }

    fn respond(&self, received: &Received, segments: &[&str]) -> Reply {
        let [resource, deployment, operation @ ..] = segments else {
            return not_found();
        };
        let has_version =
            received.query().split('&').any(|pair| pair.starts_with("api-version=20"));
        // Operations of the resource are below `/openai`. For the others the AI Gateway inserts
        // `/openai/deployments/` itself.
        let is_of_resource = matches!(operation.first(), Some(&"responses" | &"models"));
        let is_misplaced = (*deployment == "openai") != is_of_resource;
        if *resource != RESOURCE || is_misplaced || !has_version {
            return not_found();
        }
        openai::respond(received, operation).with_header("x-ms-region", "Sweden Central")
    }

    fn error(&self, _: &Received, status: u16, message: &str) -> Reply {
        openai::error(status, message, None)
    }
}

/// Builds Azure's error for an unknown path.
fn not_found() -> Reply {
    openai::error(404, "Resource not found", None)
}
