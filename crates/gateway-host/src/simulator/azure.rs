//! Azure OpenAI, as the AI Gateway reaches it: resource and deployment in the path.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/azureopenai/>

use crate::simulator::reply::Reply;
use crate::simulator::{Provider, Received, openai};

pub(crate) struct Azure;

/// The one resource there is.
const RESOURCE: &str = "simulated-resource";

impl Provider for Azure {
    fn credentials(&self) -> &'static [&'static str] {
        &["api-key"]
    }

    fn answer(&self, received: &Received, segments: &[&str]) -> Reply {
        let [resource, deployment, operation @ ..] = segments else {
            return not_found();
        };
        let has_version =
            received.query().split('&').any(|pair| pair.starts_with("api-version=20"));
        // The gateway puts `/openai/deployments/` in by itself; a second one leads nowhere.
        let is_doubled = *deployment == "openai" || operation.first() == Some(&"deployments");
        if *resource != RESOURCE || is_doubled || !has_version || operation == ["models"] {
            return not_found();
        }
        openai::answer(received, operation).with_header("x-ms-region", "Sweden Central")
    }

    fn error(&self, _: &Received, status: u16, message: &str) -> Reply {
        openai::error(status, message, None)
    }
}

fn not_found() -> Reply {
    openai::error(404, "Resource not found", None)
}
