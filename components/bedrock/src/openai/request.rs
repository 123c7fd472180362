//! A chat completion request of OpenAI's API, with the extensions of this route.
//! <https://platform.openai.com/docs/api-reference/chat/create>

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::Text;

/// A request for a chat completion. Fields that are missing or `null` are `None` or empty.
#[derive(Debug, Default)]
pub(crate) struct ChatRequest<'a> {
    pub(crate) model: Text<'a>,
    pub(crate) messages: Vec<Message<'a>>,
    pub(crate) is_stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) tools: Vec<Tool<'a>>,
    pub(crate) tool_choice: ToolChoice<'a>,
    pub(crate) parallel_tool_calls: Option<bool>,
    /// `max_completion_tokens`, otherwise `max_tokens`.
    pub(crate) max_tokens: Option<u64>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) top_k: Option<u64>,
    pub(crate) stop: Vec<Text<'a>>,
    pub(crate) response_format: ResponseFormat<'a>,
    pub(crate) reasoning_effort: Option<Text<'a>>,
    /// `metadata`, then `user` and `safety_identifier` under their own names.
    pub(crate) metadata: Vec<(Cow<'a, str>, Text<'a>)>,
    pub(crate) service_tier: Option<Text<'a>>,
    pub(crate) extensions: Extensions<'a>,
    /// Fields that this gateway does not know, which may be the model's own parameters.
    pub(crate) unknown: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// Fields of Converse that a request may contain; they are sent unchanged.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
#[derive(Debug, Default)]
pub(crate) struct Extensions<'a> {
    pub(crate) guardrail_config: Option<&'a RawValue>,
    pub(crate) performance_config: Option<&'a RawValue>,
    pub(crate) prompt_variables: Option<&'a RawValue>,
    pub(crate) additional_model_request_fields: Option<&'a RawValue>,
    pub(crate) additional_model_response_field_paths: Option<&'a RawValue>,
}

/// A message of any role.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow)]
    pub(crate) role: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) content: Option<Content<'a>>,
    #[serde(borrow, default)]
    pub(crate) refusal: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(borrow, default)]
    pub(crate) tool_call_id: Option<Text<'a>>,
    /// The function of a `function` message, which takes the place of an id.
    #[serde(borrow, default)]
    pub(crate) name: Option<Text<'a>>,
    /// The deprecated form of one tool call.
    #[serde(borrow, default)]
    pub(crate) function_call: Option<Function<'a>>,
    /// Signed reasoning, as it was returned in an earlier completion.
    #[serde(borrow, default)]
    pub(crate) thinking_blocks: Option<Vec<ThinkingBlock<'a>>>,
    #[serde(borrow, default)]
    pub(crate) cache_control: Option<CacheControl<'a>>,
}

/// The content of a message.
#[derive(Clone, Debug)]
pub(crate) enum Content<'a> {
    Text(Text<'a>),
    Parts(Vec<Part<'a>>),
}

/// One part of a message's content; `kind` determines which other field is set.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Part<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) refusal: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) image_url: Option<Url<'a>>,
    #[serde(borrow, default)]
    pub(crate) video_url: Option<Url<'a>>,
    #[serde(borrow, default)]
    pub(crate) input_audio: Option<InputAudio<'a>>,
    #[serde(borrow, default)]
    pub(crate) file: Option<File<'a>>,
    #[serde(borrow, default)]
    pub(crate) cache_control: Option<CacheControl<'a>>,
}

/// The URL of an image or a video.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Url<'a> {
    #[serde(borrow)]
    pub(crate) url: Text<'a>,
}

/// A sound: base64 and its format.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct InputAudio<'a> {
    #[serde(borrow)]
    pub(crate) data: Text<'a>,
    #[serde(borrow)]
    pub(crate) format: Text<'a>,
}

/// A file: inline data, or the id of an upload.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct File<'a> {
    #[serde(borrow, default, rename = "file_data")]
    pub(crate) data: Option<Text<'a>>,
    #[serde(borrow, default, rename = "filename")]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow, default, rename = "file_id")]
    pub(crate) id: Option<Text<'a>>,
}

/// A mark of Anthropic's API: the prompt may be cached up to here.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct CacheControl<'a> {
    #[serde(borrow, default)]
    pub(crate) ttl: Option<Text<'a>>,
}

/// A call of an earlier turn.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ToolCall<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    /// Absent for calls of another `type`, which this route does not support.
    #[serde(borrow, default)]
    pub(crate) function: Option<Function<'a>>,
}

/// A called function.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Function<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) arguments: Text<'a>,
}

/// Reasoning as `thinking` with its signature, or `redacted_thinking` with `data`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ThinkingBlock<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) thinking: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) data: Option<Text<'a>>,
}

/// A tool that the model may call.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tool<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) function: Option<ToolFunction<'a>>,
    #[serde(borrow, default)]
    pub(crate) cache_control: Option<CacheControl<'a>>,
}

/// The function of a tool.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ToolFunction<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) description: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) parameters: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) strict: Option<bool>,
}

/// Whether the model must call a tool, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ToolChoice<'a> {
    #[default]
    Auto,
    None,
    Required,
    Function(Text<'a>),
    /// Only these tools may be called; `is_required` if one of them must be.
    Allowed {
        names: Vec<Text<'a>>,
        is_required: bool,
    },
}

/// The format of the response.
#[derive(Clone, Debug, Default)]
pub(crate) enum ResponseFormat<'a> {
    #[default]
    Text,
    JsonObject,
    JsonSchema(JsonSchema<'a>),
}

/// A JSON schema for the response.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct JsonSchema<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) description: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) schema: Option<&'a RawValue>,
}

// === impl Content ===

/// Reads content, which is a string or an array.
struct ContentVisitor;

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or an array of content parts")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Content<'de>, E> {
        Ok(Content::Text(Text::from(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content<'de>, E> {
        Ok(Content::Text(Text::from(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(part) = parts.next_element()? {
            list.push(part);
        }
        Ok(Content::Parts(list))
    }
}
