//! Rules of the conversation: the order of roles, and the content that a turn needs.

use serde_json::Value;

use crate::simulator::bedrock::request::{Request, has, list};
use crate::simulator::bedrock::rules::{Rule, extraneous};

/// The rules of the conversation.
pub(super) const RULES: [Rule; 8] = [
    starts_with_assistant,
    repeats_role,
    has_blank_text,
    has_blank_system,
    ends_in_whitespace,
    has_too_many_cache_points,
    has_shorter_point_first,
    has_streaming_mode,
];

/// Maximum number of cache points in a request.
const CACHE_POINTS: usize = 4;

/// Checks that the user has the first turn.
fn starts_with_assistant(request: &Request<'_>) -> Option<String> {
    let first = request.messages().first()?;
    (first["role"] != "user").then(|| {
        "A conversation must start with a user message. Try again with a conversation that starts \
         with a user message."
            .to_owned()
    })
}

/// Checks that the roles alternate.
fn repeats_role(request: &Request<'_>) -> Option<String> {
    let mut pairs = request.messages().windows(2);
    let repeats = pairs.any(|pair| matches!(pair, [one, next] if one["role"] == next["role"]));
    repeats.then(|| {
        "A conversation must alternate between user and assistant roles. Make sure the \
         conversation alternates between user and assistant roles and try again."
            .to_owned()
    })
}

/// Checks that no text of a message is blank.
fn has_blank_text(request: &Request<'_>) -> Option<String> {
    let blank = request.blocks().find(|placed| is_blank(placed.block))?;
    Some(format!(
        "The text field in the ContentBlock object at {} is blank. Add text to the text field, \
         and try again.",
        blank.path()
    ))
}

/// Checks that no system prompt is blank.
fn has_blank_system(request: &Request<'_>) -> Option<String> {
    let index = list(&request.body["system"]).iter().position(is_blank)?;
    Some(format!(
        "The text field in the SystemContentBlock object at system.{index} is blank. Add text to \
         the text field, and try again."
    ))
}

/// Checks whether the text of a block is white space only.
fn is_blank(block: &Value) -> bool {
    block["text"].as_str().is_some_and(|text| text.trim().is_empty())
}

/// Checks that an assistant message for the model to continue does not end in whitespace.
fn ends_in_whitespace(request: &Request<'_>) -> Option<String> {
    let last = request.messages().last().filter(|message| message["role"] == "assistant")?;
    let text = list(&last["content"]).last()?["text"].as_str()?;
    text.ends_with(char::is_whitespace).then(|| {
        "The model returned the following errors: messages: final assistant content cannot end \
         with trailing whitespace"
            .to_owned()
    })
}

/// Checks the number of cache points.
fn has_too_many_cache_points(request: &Request<'_>) -> Option<String> {
    let count = request.cache_points();
    (count > CACHE_POINTS).then(|| {
        format!(
            "The model returned the following errors: A maximum of {CACHE_POINTS} blocks with \
             cache_control may be provided. Found {count}."
        )
    })
}

/// Checks that no cache point of five minutes comes before one of an hour.
fn has_shorter_point_first(request: &Request<'_>) -> Option<String> {
    let tools = list(&request.body["toolConfig"]["tools"]).iter();
    let system = list(&request.body["system"]).iter();
    let blocks = tools.chain(system).chain(request.blocks().map(|placed| placed.block));
    let points = blocks.filter_map(|block| block.get("cachePoint"));
    let mut points = points.skip_while(|point| point["ttl"] == "1h");
    points.any(|point| point["ttl"] == "1h").then(|| {
        "The model returned the following errors: a ttl='1h' cache_control block must not come \
         after a ttl='5m' cache_control block. Note that blocks are processed in the following \
         order: `tools`, `system`, `messages`."
            .to_owned()
    })
}

/// Checks that only a stream has the guardrail's streaming mode.
fn has_streaming_mode(request: &Request<'_>) -> Option<String> {
    let key = "streamProcessingMode";
    let is_odd = !request.is_stream && has(&request.body["guardrailConfig"], key);
    is_odd.then(|| extraneous("/guardrailConfig", key))
}
