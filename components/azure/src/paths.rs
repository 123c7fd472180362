//! The paths that clients request, and the operations that the AI Gateway reaches.

use std::ops::Range;

use gateway::Error;
use gateway::http::target::without_version;
use gateway::operation::{Class, Operation, by_id, inference};

/// Where Azure's own SDK puts the deployment.
const DEPLOYMENTS: &str = "/openai/deployments/";

/// The base path of Azure's SDKs; in those of its newer API, a version follows.
const OPENAI: &str = "/openai";

/// The operations of a deployment, which is in their URL.
const OF_DEPLOYMENT: &[Operation] = &[
    inference("POST", "/chat/completions"),
    inference("POST", "/completions"),
    inference("POST", "/embeddings"),
    inference("POST", "/images/generations"),
    inference("POST", "/images/edits"),
    inference("POST", "/audio/speech"),
    inference("POST", "/audio/transcriptions"),
    inference("POST", "/audio/translations"),
];

/// The operations of the resource, whose body names the deployment. Files and batches are not served.
const OF_RESOURCE: &[Operation] = &[
    inference("POST", "/responses"),
    inference("POST", "/responses/compact"),
    inference("POST", "/responses/input_tokens"),
    inference("GET", "/models"),
    inference("GET", "/models/{}"),
    by_id("GET DELETE", "/responses/{resp}"),
    by_id("GET POST", "/responses/{resp}/*"),
];

const SUPPORTED: &str =
    "/chat/completions, /completions, /embeddings, /images/*, /audio/*, /responses and /models";

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// An operation of the deployment that the request names.
    Deployment(&'a str),
    /// An operation of the resource.
    Resource(&'a str),
}

/// Returns the span of the deployment in `path`, if it names one.
pub(crate) fn deployment_in(path: &str) -> Option<Range<usize>> {
    let rest = path.strip_prefix(DEPLOYMENTS)?;
    let end = DEPLOYMENTS.len() + rest.find('/')?;
    Some(DEPLOYMENTS.len()..end)
}

/// Returns what a request is for.
///
/// # Errors
/// [`Error::UnknownUrl`] for an operation that neither deployments nor the resource have.
pub(crate) fn target(path: &str) -> Result<Target<'_>, Error> {
    let operation = operation(path);
    if Class::has_path(OF_DEPLOYMENT, operation) {
        return Ok(Target::Deployment(operation));
    }
    if deployment_in(path).is_none() && Class::has_path(OF_RESOURCE, operation) {
        return Ok(Target::Resource(operation));
    }
    Err(Error::UnknownUrl { supported: SUPPORTED })
}

/// Returns the class of a request.
pub(crate) fn class(method: &gateway::Method, path: &str) -> Class {
    let operations = match target(path) {
        Ok(Target::Deployment(_)) => OF_DEPLOYMENT,
        Ok(Target::Resource(_)) | Err(_) => OF_RESOURCE,
    };
    Class::find(operations, method, operation(path))
}

/// Strips what stands before the operation: the deployment, or the base path.
fn operation(path: &str) -> &str {
    if let Some(place) = deployment_in(path) {
        return path.get(place.end..).unwrap_or_default();
    }
    without_version(path.strip_prefix(OPENAI).unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deployment_in_finds_a_deployment() {
        for (path, expected) in [
            ("/openai/deployments/gpt-4o/chat/completions", Some("gpt-4o")),
            ("/openai/deployments/gpt-4o", None),
            ("/chat/completions", None),
        ] {
            assert_eq!(deployment_in(path).map(|place| &path[place]), expected, "{path}");
        }
    }

    #[test]
    fn target_is_the_same_for_each_base_path() {
        use Target::{Deployment, Resource};
        for (path, expected) in [
            ("/chat/completions", Some(Deployment("/chat/completions"))),
            ("/openai/chat/completions", Some(Deployment("/chat/completions"))),
            ("/openai/v1/images/edits", Some(Deployment("/images/edits"))),
            ("/openai/v1/v1/embeddings", Some(Deployment("/embeddings"))),
            ("/openai/deployments/gpt-4o/embeddings", Some(Deployment("/embeddings"))),
            ("/openai/deployments/gpt-4o", None),
            ("/openai/deployments/gpt-4o/responses", None),
            ("/responses", Some(Resource("/responses"))),
            ("/openai/responses/resp_1", Some(Resource("/responses/resp_1"))),
            ("/openai/v1/responses", Some(Resource("/responses"))),
            ("/models", Some(Resource("/models"))),
            ("/files", None),
            ("/openai", None),
        ] {
            assert_eq!(target(path).ok(), expected, "{path}");
        }
    }
}
