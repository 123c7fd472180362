//! A chat completion request of OpenAI's API, with the extensions of this route.
//! <https://platform.openai.com/docs/api-reference/chat/create>

mod fields;
#[cfg(test)]
pub(crate) mod sample;

use std::borrow::Cow;

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
    /// The model's own parameters at the top level of the request.
    pub(crate) model_fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// The names of fields that this gateway does not know.
    pub(crate) ignored: Vec<Cow<'a, str>>,
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Message<'a> {
    pub(crate) role: Text<'a>,
    pub(crate) content: Option<Content<'a>>,
    pub(crate) refusal: Option<Text<'a>>,
    pub(crate) tool_calls: Vec<ToolCall<'a>>,
    pub(crate) tool_call_id: Option<Text<'a>>,
    /// The function of a `function` message, which takes the place of an id.
    pub(crate) name: Option<Text<'a>>,
    /// The deprecated form of one tool call.
    pub(crate) function_call: Option<Box<Function<'a>>>,
    /// Signed reasoning, as it was returned in an earlier completion.
    pub(crate) thinking_blocks: Vec<ThinkingBlock<'a>>,
    pub(crate) cache_control: Option<CacheControl<'a>>,
}

/// The content of a message, with parts as the API has them.
#[derive(Clone, Debug)]
pub(crate) enum Content<'a, P = Part<'a>> {
    Text(Text<'a>),
    Parts(Vec<P>),
}

/// One part of a message's content; `kind` determines which other field is set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part<'a> {
    pub(crate) kind: Text<'a>,
    pub(crate) text: Option<Text<'a>>,
    pub(crate) refusal: Option<Text<'a>>,
    pub(crate) image_url: Option<Url<'a>>,
    pub(crate) video_url: Option<Url<'a>>,
    pub(crate) input_audio: Option<Box<InputAudio<'a>>>,
    pub(crate) file: Option<Box<File<'a>>>,
    pub(crate) cache_control: Option<CacheControl<'a>>,
}

/// The URL of an image or a video.
#[derive(Clone, Debug, Default)]
pub(crate) struct Url<'a> {
    pub(crate) url: Text<'a>,
}

/// A sound: base64 and its format.
#[derive(Clone, Debug, Default)]
pub(crate) struct InputAudio<'a> {
    pub(crate) data: Text<'a>,
    pub(crate) format: Text<'a>,
}

/// A file: inline data, or the id of an upload.
#[derive(Clone, Debug, Default)]
pub(crate) struct File<'a> {
    pub(crate) data: Option<Text<'a>>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) id: Option<Text<'a>>,
}

/// A mark of Anthropic's API: the prompt may be cached up to here.
#[derive(Clone, Debug, Default)]
pub(crate) struct CacheControl<'a> {
    pub(crate) ttl: Option<Text<'a>>,
}

/// A call of an earlier turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToolCall<'a> {
    pub(crate) id: Text<'a>,
    /// Absent for calls of another `type`, which this route does not support.
    pub(crate) function: Option<Function<'a>>,
}

/// A called function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Function<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) arguments: Text<'a>,
}

/// Reasoning as `thinking` with its signature, or `redacted_thinking` with `data`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThinkingBlock<'a> {
    pub(crate) kind: Text<'a>,
    pub(crate) thinking: Option<Text<'a>>,
    pub(crate) signature: Option<Text<'a>>,
    pub(crate) data: Option<Text<'a>>,
}

/// A tool that the model may call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tool<'a> {
    pub(crate) kind: Text<'a>,
    pub(crate) function: Option<ToolFunction<'a>>,
    pub(crate) cache_control: Option<CacheControl<'a>>,
}

/// The function of a tool.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToolFunction<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) description: Option<Text<'a>>,
    pub(crate) parameters: Option<&'a RawValue>,
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

impl ToolChoice<'_> {
    /// Returns the choice that OpenAI's API calls `name`.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "none" => Some(Self::None),
            "required" => Some(Self::Required),
            _ => None,
        }
    }
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
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonSchema<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) description: Option<Text<'a>>,
    pub(crate) schema: Option<&'a RawValue>,
}

/// `response_format` as it is sent; `kind` determines whether `json_schema` is set.
#[derive(Debug, Default)]
pub(crate) struct Format<'a> {
    pub(crate) kind: Text<'a>,
    pub(crate) json_schema: Option<JsonSchema<'a>>,
}

/// `stream_options`.
#[derive(Debug, Default)]
pub(crate) struct StreamOptions {
    pub(crate) include_usage: Option<bool>,
}

/// `tool_choice` as an object; `kind` determines which other field is set.
#[derive(Debug, Default)]
pub(crate) struct Choice<'a> {
    pub(crate) kind: Text<'a>,
    pub(crate) function: Option<Named<'a>>,
    pub(crate) allowed_tools: Option<Allowed<'a>>,
}

/// A function by its name.
#[derive(Debug, Default)]
pub(crate) struct Named<'a> {
    pub(crate) name: Text<'a>,
}

/// The tools that may be called.
#[derive(Debug, Default)]
pub(crate) struct Allowed<'a> {
    pub(crate) mode: Text<'a>,
    pub(crate) tools: Vec<Choice<'a>>,
}
