//! The events of a stream of Converse, read as far as the translation needs them.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>

use gateway::Error;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::converse::response::{ServiceTier, ToolUse, Trace};
use crate::converse::usage::TokenUsage;
use crate::json::{Text, from_bytes};

/// One event.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    MessageStart,
    BlockStart(BlockStart<'a>),
    BlockDelta(BlockDelta<'a>),
    BlockStop(BlockStop),
    MessageStop(MessageStop<'a>),
    Metadata(Metadata<'a>),
}

/// The start of a block, which is optional for text and reasoning.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockStart<'a> {
    #[serde(default)]
    pub(crate) content_block_index: u64,
    #[serde(borrow, default)]
    pub(crate) start: Start<'a>,
}

/// What starts: a tool call, or a kind of block that is not translated.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Start<'a> {
    #[serde(borrow, default)]
    pub(crate) tool_use: Option<ToolUse<'a>>,
}

/// A delta of a block.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockDelta<'a> {
    #[serde(default)]
    pub(crate) content_block_index: u64,
    #[serde(borrow, default)]
    pub(crate) delta: Piece<'a>,
}

/// The delta itself: one of its members is set, or none for a kind that is not translated.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Piece<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) tool_use: Option<Input<'a>>,
    #[serde(borrow, default)]
    pub(crate) reasoning_content: Option<Reasoning<'a>>,
    /// A source, kept as JSON until its block ends.
    #[serde(borrow, default)]
    pub(crate) citation: Option<&'a RawValue>,
}

/// The next piece of a call's JSON.
#[derive(Debug, Deserialize)]
pub(crate) struct Input<'a> {
    #[serde(borrow, default)]
    pub(crate) input: Text<'a>,
}

/// A delta of reasoning.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reasoning<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) redacted_content: Option<Text<'a>>,
}

/// The end of a block.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockStop {
    #[serde(default)]
    pub(crate) content_block_index: u64,
}

/// The end of the message, which is not yet the end of the stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageStop<'a> {
    #[serde(borrow, default)]
    pub(crate) stop_reason: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) additional_model_response_fields: Option<&'a RawValue>,
}

/// The facts about the response as a whole.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub(crate) usage: Option<TokenUsage<'a>>,
    #[serde(borrow, default)]
    pub(crate) trace: Option<Trace<'a>>,
    #[serde(borrow, default)]
    pub(crate) service_tier: Option<ServiceTier<'a>>,
}

impl<'a> Event<'a> {
    /// Parses an event of the type `name`; `None` for an unknown type, which is skipped.
    ///
    /// # Errors
    /// [`Error::InvalidUpstreamResponse`] for a known type with an invalid payload.
    pub(crate) fn parse(name: &str, payload: &'a [u8]) -> Result<Option<Self>, Error> {
        let event = match name {
            "messageStart" => Ok(Self::MessageStart),
            "contentBlockStart" => from_bytes(payload).map(Self::BlockStart),
            "contentBlockDelta" => from_bytes(payload).map(Self::BlockDelta),
            "contentBlockStop" => from_bytes(payload).map(Self::BlockStop),
            "messageStop" => from_bytes(payload).map(Self::MessageStop),
            "metadata" => from_bytes(payload).map(Self::Metadata),
            _ => return Ok(None),
        };
        event
            .map(Some)
            .map_err(|error| Error::invalid_response(format!("the event {name}: {error}")))
    }
}
