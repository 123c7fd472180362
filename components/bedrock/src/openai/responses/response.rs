//! A response and the events of its stream, as they are written.
//! <https://platform.openai.com/docs/api-reference/responses-streaming>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::echo::Echo;
use crate::openai::completion::{
    CacheCreation, CompletionDetails, PromptDetails, Usage as ChatUsage,
};

/// A response, whole or so far.
#[derive(Debug, Serialize)]
pub(super) struct Response<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    /// Unix time in seconds.
    pub(super) created_at: u64,
    pub(super) status: &'static str,
    pub(super) error: Option<ResponseError<'a>>,
    pub(super) incomplete_details: Option<IncompleteDetails>,
    pub(super) model: &'a str,
    pub(super) output: Vec<Item<'a>>,
    pub(super) usage: Option<Usage>,
    pub(super) service_tier: Option<&'a str>,
    #[serde(flatten)]
    pub(super) echo: &'a Echo,
    /// Extension: the fields that `additionalModelResponseFieldPaths` asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) additional_model_response_fields: Option<&'a RawValue>,
    /// Extension: the model that a prompt router chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bedrock_invoked_model: Option<&'a str>,
}

/// Why a response failed.
#[derive(Debug, Serialize)]
pub(super) struct ResponseError<'a> {
    pub(super) code: &'static str,
    pub(super) message: &'a str,
}

/// Why a response is incomplete.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct IncompleteDetails {
    pub(super) reason: &'static str,
}

/// The token usage of a response.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    input_tokens_details: PromptDetails,
    output_tokens: u64,
    output_tokens_details: CompletionDetails,
    total_tokens: u64,
    /// Extension: the tokens of the input that were written to the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation_input_tokens: Option<u64>,
    /// Extension: these tokens by the time they stay in the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<CacheCreation>,
}

impl From<ChatUsage> for Usage {
    fn from(usage: ChatUsage) -> Self {
        Self {
            input_tokens: usage.prompt_tokens,
            input_tokens_details: usage.prompt_tokens_details,
            output_tokens: usage.completion_tokens,
            output_tokens_details: usage.completion_tokens_details.unwrap_or_default(),
            total_tokens: usage.total_tokens,
            cache_creation_input_tokens: usage.cache_creation_input_tokens,
            cache_creation: usage.cache_creation,
        }
    }
}

/// An item of the output; its type determines which fields are set.
#[derive(Debug, Default, Serialize)]
pub(super) struct Item<'a> {
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Vec<Part<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Vec<Part<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encrypted_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    /// An image in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<&'a str>,
    /// Extension: sources that are not web pages.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) citations: &'a [Box<RawValue>],
}

/// A part of an item: a text of the output, or of a summary.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Part<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<&'a [Box<RawValue>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
}

/// A web page that supports a range of a text.
#[derive(Debug, Serialize)]
pub(super) struct Annotation<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) url: &'a str,
    pub(super) title: &'a str,
    /// The range in characters of the text, its end excluded.
    pub(super) start_index: usize,
    pub(super) end_index: usize,
}

/// An event; its type determines which fields are set.
#[derive(Debug, Default, Serialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<Response<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<Item<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<Part<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
}
