//! A chat completion as OpenAI's API has it, whole and in chunks, with this route's extensions.
//! <https://platform.openai.com/docs/api-reference/chat/object>

pub(crate) mod events;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::Text;

/// A whole answer.
#[derive(Debug, Serialize)]
pub(crate) struct Completion<'a> {
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    /// Unix time in seconds.
    pub(crate) created: u64,
    pub(crate) model: &'a str,
    pub(crate) choices: [Choice<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
    #[serde(flatten)]
    pub(crate) extras: Extras<'a>,
}

/// A piece of an answer in a stream.
#[derive(Debug, Serialize)]
pub(crate) struct Chunk<'a> {
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    pub(crate) created: u64,
    pub(crate) model: &'a str,
    pub(crate) choices: &'a [ChunkChoice<'a>],
    /// Absent unless the client asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<ChunkUsage>,
    #[serde(flatten)]
    pub(crate) extras: Extras<'a>,
}

/// What is said of an answer as a whole.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Extras<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_tier: Option<&'a str>,
    /// Extension: what `additionalModelResponseFieldPaths` asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) additional_model_response_fields: Option<&'a RawValue>,
    /// Extension: the model that a prompt router has chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bedrock_invoked_model: Option<&'a str>,
}

/// The one answer that Converse gives.
#[derive(Debug, Serialize)]
pub(crate) struct Choice<'a> {
    pub(crate) index: u32,
    pub(crate) message: Message<'a>,
    pub(crate) logprobs: Option<()>,
    pub(crate) finish_reason: &'static str,
}

/// The same in a stream.
#[derive(Debug, Serialize)]
pub(crate) struct ChunkChoice<'a> {
    pub(crate) index: u32,
    pub(crate) delta: Delta<'a>,
    pub(crate) logprobs: Option<()>,
    pub(crate) finish_reason: Option<&'static str>,
}

/// What the assistant says.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Message<'a> {
    pub(crate) role: Role,
    pub(crate) content: Option<Cow<'a, str>>,
    pub(crate) refusal: Option<()>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) annotations: Vec<Annotation<'a>>,
    /// Extension: what the model thought, to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_content: Option<Cow<'a, str>>,
    /// Extension: what the model thought, signed, to be sent back as it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) thinking_blocks: Vec<ThinkingBlock<'a>>,
    /// Extension: sources that are no web pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) citations: Vec<Citation<'a>>,
    /// Extension: images the model made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<Image>,
}

/// What a chunk adds to the message; everything else is absent.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_calls: Option<[ToolCall<'a>; 1]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) annotations: &'a [Annotation<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) thinking_blocks: &'a [ThinkingBlock<'a>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) citations: &'a [Citation<'a>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) images: &'a [Image],
}

/// Who speaks in an answer.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    #[default]
    Assistant,
}

/// A call of a function: whole in a message, a piece of one in a chunk.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ToolCall<'a> {
    /// The call's number, in chunks only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Cow<'a, str>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
    pub(crate) function: Function<'a>,
}

/// A called function.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Cow<'a, str>>,
    /// JSON, or the next piece of it.
    pub(crate) arguments: Cow<'a, str>,
}

/// Reasoning in the form that a request takes back.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ThinkingBlock<'a> {
    Thinking {
        thinking: Text<'a>,
        signature: Text<'a>,
    },
    /// Encrypted, in base64.
    RedactedThinking {
        data: Text<'a>,
    },
}

/// A web page that a stretch of the content relies on.
#[derive(Debug, Serialize)]
pub(crate) struct Annotation<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) url_citation: UrlCitation<'a>,
}

#[derive(Debug, Serialize)]
pub(crate) struct UrlCitation<'a> {
    pub(crate) url: Text<'a>,
    pub(crate) title: Text<'a>,
    /// The stretch in characters, its end excluded.
    pub(crate) start_index: usize,
    pub(crate) end_index: usize,
}

/// Any other source, in Bedrock's words.
#[derive(Debug, Serialize)]
pub(crate) struct Citation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_content: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<&'a RawValue>,
    pub(crate) start_index: usize,
    pub(crate) end_index: usize,
}

/// An image, in the form that a request's `image_url` part has.
#[derive(Debug, Serialize)]
pub(crate) struct Image {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) image_url: ImageUrl,
}

#[derive(Debug, Serialize)]
pub(crate) struct ImageUrl {
    pub(crate) url: String,
}

/// What an answer has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Usage {
    /// With what was read from and written to the cache.
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
    pub(crate) total_tokens: u64,
    pub(crate) prompt_tokens_details: PromptDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_tokens_details: Option<CompletionDetails>,
    /// Extension: of the prompt, what was written to the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_creation_input_tokens: Option<u64>,
    /// Extension: the same by the time it stays there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_creation: Option<CacheCreation>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct PromptDetails {
    pub(crate) cached_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CompletionDetails {
    pub(crate) reasoning_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CacheCreation {
    #[serde(rename = "ephemeral_5m_input_tokens")]
    pub(crate) five_minutes: u64,
    #[serde(rename = "ephemeral_1h_input_tokens")]
    pub(crate) one_hour: u64,
}

/// `usage` in a stream whose client asks for it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ChunkUsage {
    /// `null`: it comes at the end.
    Later,
    Now(Usage),
}

// === impl ToolCall ===

impl<'a> ToolCall<'a> {
    /// A call of the function `name`.
    pub(crate) fn new(
        id: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
        arguments: impl Into<Cow<'a, str>>,
    ) -> Self {
        let function = Function { name: Some(name.into()), arguments: arguments.into() };
        Self { index: None, id: Some(id.into()), kind: Some("function"), function }
    }

    /// The next piece of the arguments of the call number `index`.
    pub(crate) fn piece(index: u32, arguments: &'a str) -> Self {
        let function = Function { name: None, arguments: arguments.into() };
        Self { index: Some(index), function, ..Self::default() }
    }

    /// This call as number `index` of a stream.
    pub(crate) fn at(self, index: u32) -> Self {
        Self { index: Some(index), ..self }
    }
}

// === impl Image ===

impl Image {
    /// An image to be found at `url`, which may be its data itself.
    pub(crate) fn at(url: String) -> Self {
        Self { kind: "image_url", image_url: ImageUrl { url } }
    }
}
