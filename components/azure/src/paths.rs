//! The paths that clients request, and the operations that a deployment serves.

use std::ops::Range;

use gateway::Error;

/// Where Azure's own SDK puts the deployment.
const DEPLOYMENTS: &str = "/openai/deployments/";

/// The base path of Azure's newer API, which has OpenAI's paths.
const OPENAI_V1: &str = "/openai/v1";

/// The operations of a deployment. Models, responses and files belong to the resource, which the AI
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

/// Returns the span of the deployment in `path`, if it names one.
pub(crate) fn deployment_in(path: &str) -> Option<Range<usize>> {
    let rest = path.strip_prefix(DEPLOYMENTS)?;
    let end = DEPLOYMENTS.len() + rest.find('/')?;
    Some(DEPLOYMENTS.len()..end)
}

/// Returns the operation that a request is for.
///
/// # Errors
/// [`Error::UnknownUrl`] for an operation that deployments do not have.
pub(crate) fn operation(path: &str) -> Result<&str, Error> {
    let operation = match deployment_in(path) {
        Some(place) => path.get(place.end..).unwrap_or_default(),
        None => path.strip_prefix(OPENAI_V1).unwrap_or(path),
    };
    if OPERATIONS.contains(&operation) {
        return Ok(operation);
    }
    Err(Error::UnknownUrl { supported: SUPPORTED })
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
    fn operation_is_the_same_for_each_base_path() {
        for (path, expected) in [
            ("/chat/completions", Some("/chat/completions")),
            ("/openai/deployments/gpt-4o/embeddings", Some("/embeddings")),
            ("/openai/v1/images/edits", Some("/images/edits")),
            ("/openai/deployments/gpt-4o", None),
            ("/models", None),
        ] {
            assert_eq!(operation(path).ok(), expected, "{path}");
        }
    }
}
