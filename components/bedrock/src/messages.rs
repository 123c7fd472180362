//! `POST /anthropic/v1/messages`: Anthropic's own API on Bedrock, so that Anthropic's SDKs and Claude Code
//! need no translation. Requests and responses pass through; only the model's name is replaced.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/bedrock/>

use std::borrow::Cow;

use gateway::edit::check_error;
use gateway::http::body::probe;
use gateway::http::json::quoted;
use gateway::http::target::without_version;
use gateway::models::aliases::Target;
use gateway::translator::{Context, EventStream, Rewrite, Translated, UpstreamResponse};
use gateway::{Error, Request, Response};

use crate::aws::settings::BedrockSettings;
use crate::aws::{endpoint, response};
use crate::catalog::aliases;

/// The base path of Anthropic's API.
const BASE: &str = "/anthropic";

/// The vendor in the ids of Anthropic's models.
const VENDOR: &str = "anthropic";

/// Checks whether `path`, below the route, is of Anthropic's API.
pub(crate) fn is_native(path: &str) -> bool {
    path.strip_prefix(BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the operation at a `path` of Anthropic's API, whether its version is missing or given twice.
pub(crate) fn operation(path: &str) -> Option<&str> {
    path.strip_prefix(BASE).map(without_version)
}

/// Serves a request for a message.
///
/// # Errors
/// Any error that the gateway reports itself.
pub(crate) fn respond(request: &Request, context: &Context<'_>) -> Result<Translated, Error> {
    let model = probe(&request.body)?
        .model
        .ok_or_else(|| Error::invalid_param("model", "`model` is missing"))?;
    let settings = BedrockSettings::of(context)?;
    let name = with_vendor(&model.name);
    let id = aliases::find_for(&settings.aliases, &name, context, id_of)?;
    let body = model.replace_in(&request.body, quoted(&id).as_bytes());
    let route = endpoint::messages(&settings, &id, body, context.now, &model.name)?;
    forward(context.send(request, route)?)
}

/// Returns the id of a model that Anthropic's clients name without its vendor.
fn with_vendor(model: &str) -> Cow<'_, str> {
    if model.starts_with("claude-") && !model.contains('.') {
        return Cow::Owned(format!("{VENDOR}.{model}"));
    }
    Cow::Borrowed(model)
}

/// Returns the id of `target`, which must be a model of Anthropic: no other has this API.
fn id_of(target: Target<'_>) -> Result<String, Error> {
    // The vendor is the first part of an id, or follows a region.
    if target.base.split('.').take(2).any(|part| part == VENDOR) {
        return Ok(target.id.to_owned());
    }
    let rule = "`model` must be one of Anthropic's: others have POST /bedrock/chat/completions";
    Err(Error::invalid_param("model", rule))
}

/// Passes a response on. Only an error of the AI Gateway itself is translated.
fn forward(mut response: UpstreamResponse) -> Result<Translated, Error> {
    let is_stream = response.headers.media_type().as_deref() == Some("text/event-stream");
    if is_stream && response.status.is_success() {
        return EventStream::open(response, Box::new(Unchanged)).map(Translated::Stream);
    }
    let body = response.read_body(response::MAX_BYTES)?;
    let Response { status, headers, .. } = response;
    let whole = if status.is_success() {
        Response::passed(status, headers, body)
    } else {
        check_error(status, headers, body)?
    };
    Ok(Translated::Whole(whole))
}

/// Passes a stream on as it is.
struct Unchanged;

impl Rewrite for Unchanged {
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_ignores_versions() {
        for (path, expected) in [
            ("/anthropic/v1/messages", Some("/messages")),
            ("/anthropic/v1/v1/messages", Some("/messages")),
            ("/anthropic/messages", Some("/messages")),
            ("/anthropic/v1/messages/count_tokens", Some("/messages/count_tokens")),
            ("/anthropicx/messages", Some("x/messages")),
            ("/chat/completions", None),
        ] {
            assert_eq!(operation(path), expected, "{path}");
        }
        assert!(is_native("/anthropic/v1/messages") && !is_native("/anthropicx/messages"));
    }

    #[test]
    fn with_vendor_completes_the_names_of_anthropics_clients() {
        for (model, expected) in [
            ("claude-sonnet-5", "anthropic.claude-sonnet-5"),
            ("anthropic.claude-sonnet-5", "anthropic.claude-sonnet-5"),
            ("us.anthropic.claude-opus-5", "us.anthropic.claude-opus-5"),
            ("claude", "claude"),
        ] {
            assert_eq!(with_vendor(model), expected);
        }
    }

    #[test]
    fn id_of_accepts_anthropics_models_only() {
        for (base, expected) in [
            ("anthropic.claude-sonnet-5", true),
            ("eu.anthropic.claude-sonnet-5", true),
            ("amazon.nova-pro-v1:0", false),
            ("amazon.x.anthropic", false),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", false),
        ] {
            assert_eq!(id_of(Target { id: "id", base }).is_ok(), expected, "{base}");
        }
    }
}
