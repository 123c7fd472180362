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
        // The AI Gateway inserts `/openai/deployments/` itself, so a request that has it too would
        // reach a path that Azure does not have.
        let is_doubled = *deployment == "openai" || operation.first() == Some(&"deployments");
        if *resource != RESOURCE || is_doubled || !has_version || operation == ["models"] {
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
