//! Rules of images, documents, audio and video.

use serde_json::Value;

use crate::simulator::bedrock::request::{Request, duplicate, has, list, strings};
use crate::simulator::bedrock::rules::Rule;

/// The rules of media.
pub(super) const RULES: [Rule; 4] =
    [is_said_by_assistant, repeats_document, lacks_text, has_too_many];

/// Maximum number of blocks of a kind in one message.
const LIMITS: [(&str, usize); 2] = [("image", 20), ("document", 5)];

/// Checks that only the user sends media.
fn is_said_by_assistant(request: &Request<'_>) -> Option<String> {
    let mut blocks = request.blocks().filter(|placed| placed.role == "assistant");
    let (placed, kind) = blocks.find_map(|placed| {
        let mut kinds = ["image", "document", "audio", "video"].into_iter();
        Some((placed, kinds.find(|kind| has(placed.block, kind))?))
    })?;
    Some(format!(
        "The ContentBlock object at {} is of type {kind}, which only a message with the user role \
         can contain.",
        placed.path()
    ))
}

/// Checks that document names are unique in the whole request, tool results included.
fn repeats_document(request: &Request<'_>) -> Option<String> {
    let blocks: Vec<&Value> = request.blocks().map(|placed| placed.block).collect();
    let nested = blocks.iter().flat_map(|block| list(&block["toolResult"]["content"]));
    let names = strings(blocks.iter().copied().chain(nested), "/document/name");
    duplicate(&names).map(|_| "Messages can not contain duplicate document names.".to_owned())
}

/// Checks that a message with a document has a text.
fn lacks_text(request: &Request<'_>) -> Option<String> {
    let has_kind = |message: &Value, kind| list(&message["content"]).iter().any(|b| has(b, kind));
    let lacks = |message: &Value| has_kind(message, "document") && !has_kind(message, "text");
    let index = request.messages().iter().position(lacks)?;
    Some(format!(
        "The ContentBlock objects at messages.{index}.content contain a document, but no text. \
         Add a text block, and try again."
    ))
}

/// Checks the number of blocks of each kind.
fn has_too_many(request: &Request<'_>) -> Option<String> {
    request.messages().iter().enumerate().find_map(|(index, message)| {
        let count = |kind| list(&message["content"]).iter().filter(|b| has(b, kind)).count();
        let (kind, limit) = LIMITS.into_iter().find(|(kind, limit)| count(kind) > *limit)?;
        let count = count(kind);
        Some(format!(
            "The message at messages.{index} contains {count} blocks of type {kind}, more than \
             the maximum of {limit}."
        ))
    })
}
