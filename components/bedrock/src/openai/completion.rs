//! A chat completion of OpenAI's API, whole and in chunks, with the extensions of this route.
//! <https://platform.openai.com/docs/api-reference/chat/object>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::Text;

/// A whole response.
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

/// A chunk of a stream.
#[derive(Debug, Serialize)]
pub(crate) struct Chunk<'a> {
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    pub(crate) created: u64,
    pub(crate) model: &'a str,
    pub(crate) choices: &'a [ChunkChoice<'a>],
    /// Absent unless the client asks for usage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<ChunkUsage>,
    #[serde(flatten)]
    pub(crate) extras: Extras<'a>,
}

/// Fields about the response as a whole.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Extras<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_tier: Option<&'a str>,
    /// Extension: the fields that `additionalModelResponseFieldPaths` asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) additional_model_response_fields: Option<&'a RawValue>,
    /// Extension: the model that a prompt router chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bedrock_invoked_model: Option<&'a str>,
}

/// The only choice, because Converse returns one.
#[derive(Debug, Serialize)]
pub(crate) struct Choice<'a> {
    pub(crate) index: u32,
    pub(crate) message: Message<'a>,
    pub(crate) logprobs: Option<()>,
    pub(crate) finish_reason: &'static str,
}

/// The only choice of a chunk.
#[derive(Debug, Serialize)]
pub(crate) struct ChunkChoice<'a> {
    pub(crate) index: u32,
    pub(crate) delta: Delta<'a>,
    pub(crate) logprobs: Option<()>,
    pub(crate) finish_reason: Option<&'static str>,
}

/// The assistant's message.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Message<'a> {
    pub(crate) role: Role,
    pub(crate) content: Option<Cow<'a, str>>,
    pub(crate) refusal: Option<()>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) annotations: Vec<Annotation<'a>>,
    /// Extension: the reasoning as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_content: Option<Cow<'a, str>>,
    /// Extension: the signed reasoning, which the client must send back unchanged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) thinking_blocks: Vec<ThinkingBlock<'a>>,
    /// Extension: sources that are not web pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) citations: Vec<Citation<'a>>,
    /// Extension: images that the model created.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<Image>,
}

/// The part of the message that a chunk adds; all other fields are absent.
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

/// The role of a response.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    #[default]
    Assistant,
}

/// A function call: whole in a message, a piece in a chunk.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ToolCall<'a> {
    /// The index of the call, in chunks only.
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

/// Reasoning in the form that a request accepts.
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

/// A web page that supports a range of the content.
#[derive(Debug, Serialize)]
pub(crate) struct Annotation<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) url_citation: UrlCitation<'a>,
}

/// The web page of an annotation.
#[derive(Debug, Serialize)]
pub(crate) struct UrlCitation<'a> {
    pub(crate) url: Text<'a>,
    pub(crate) title: Text<'a>,
    /// The range in characters, its end excluded.
    pub(crate) start_index: usize,
    pub(crate) end_index: usize,
}

/// Any other source, with Bedrock's field names.
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

/// The URL of an image.
#[derive(Debug, Serialize)]
pub(crate) struct ImageUrl {
    pub(crate) url: String,
}

/// The token usage of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Usage {
    /// With the tokens read from and written to the cache.
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
    pub(crate) total_tokens: u64,
    pub(crate) prompt_tokens_details: PromptDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_tokens_details: Option<CompletionDetails>,
    /// Extension: the tokens of the prompt that were written to the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_creation_input_tokens: Option<u64>,
    /// Extension: these tokens by the time they stay in the cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_creation: Option<CacheCreation>,
}

impl From<Usage> for gateway::usage::Usage {
    fn from(usage: Usage) -> Self {
        let count = |tokens| i64::try_from(tokens).unwrap_or(i64::MAX);
        let reasoning = usage.completion_tokens_details.map(|details| details.reasoning_tokens);
        Self {
            input: count(usage.prompt_tokens),
            output: count(usage.completion_tokens),
            cached: count(usage.prompt_tokens_details.cached_tokens),
            cache_write: count(usage.cache_creation_input_tokens.unwrap_or_default()),
            reasoning: count(reasoning.unwrap_or_default()),
        }
    }
}

/// The tokens of the prompt, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct PromptDetails {
    pub(crate) cached_tokens: u64,
}

/// The tokens of the completion, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CompletionDetails {
    pub(crate) reasoning_tokens: u64,
}

/// The tokens written to the cache, by lifetime.
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
    /// `null`: the usage follows at the end.
    Later,
    /// The usage, in the last chunk.
    Now(Usage),
}

// === impl ToolCall ===

impl<'a> ToolCall<'a> {
    /// Creates a call of the function `name`.
    pub(crate) fn new(
        id: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
        arguments: impl Into<Cow<'a, str>>,
    ) -> Self {
        let function = Function { name: Some(name.into()), arguments: arguments.into() };
        Self { index: None, id: Some(id.into()), kind: Some("function"), function }
    }

    /// Creates the next piece of the arguments of call `index`.
    pub(crate) fn piece(index: u32, arguments: &'a str) -> Self {
        let function = Function { name: None, arguments: arguments.into() };
        Self { index: Some(index), function, ..Self::default() }
    }

    /// Returns this call as call `index` of a stream.
    pub(crate) fn at(self, index: u32) -> Self {
        Self { index: Some(index), ..self }
    }
}

// === impl Image ===

impl Image {
    /// Creates an image at `url`, which may be a `data:` URL.
    pub(crate) fn at(url: String) -> Self {
        Self { kind: "image_url", image_url: ImageUrl { url } }
    }
}
