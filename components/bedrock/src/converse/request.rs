//! A request of Bedrock's Converse API.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::converse::pieces;

/// The body of `converse` and of `converse-stream`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConverseRequest<'a> {
    pub(crate) messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) system: Vec<Block<'a>>,
    #[serde(skip_serializing_if = "InferenceConfig::is_empty")]
    pub(crate) inference_config: InferenceConfig<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_config: Option<OutputConfig<'a>>,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub(crate) additional_model_request_fields: Fields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) additional_model_response_field_paths: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    pub(crate) request_metadata: Pairs,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_tier: Option<ServiceTier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) guardrail_config: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) performance_config: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_variables: Option<&'a RawValue>,
}

/// The messages of one side, up to the other side's next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Turn<'a> {
    pub(crate) role: Role,
    pub(crate) content: Vec<Block<'a>>,
}

/// The author of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    User,
    Assistant,
}

/// A block of a turn, of the system prompt or of a tool's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Block<'a> {
    Text(Cow<'a, str>),
    /// A text of several pieces, which are joined when they are sent.
    #[serde(rename = "text", serialize_with = "pieces::serialize_joined")]
    Joined(Vec<Cow<'a, str>>),
    Image(Media<'a>),
    Document(Document<'a>),
    Video(Media<'a>),
    Audio(Media<'a>),
    ToolUse(ToolUse<'a>),
    ToolResult(ToolResult<'a>),
    ReasoningContent(Reasoning<'a>),
    CachePoint(CachePoint<'a>),
}

/// An image, a video or a sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Media<'a> {
    pub(crate) format: &'static str,
    pub(crate) source: Source<'a>,
}

/// A document, whose name must be unique in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Document<'a> {
    pub(crate) format: &'static str,
    pub(crate) name: String,
    pub(crate) source: Source<'a>,
}

/// Where the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Source<'a> {
    /// Base64.
    Bytes(&'a str),
    /// Base64 with white space, which is left out when it is sent.
    #[serde(rename = "bytes", serialize_with = "pieces::serialize_spaced")]
    Spaced(&'a str),
    S3Location {
        uri: &'a str,
    },
}

/// A tool call.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ToolUse<'a> {
    #[serde(rename = "toolUseId")]
    pub(crate) id: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    /// A JSON object.
    pub(crate) input: Json<'a>,
}

/// A tool's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ToolResult<'a> {
    #[serde(rename = "toolUseId")]
    pub(crate) id: Cow<'a, str>,
    pub(crate) content: Vec<Block<'a>>,
}

/// Reasoning of an earlier turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reasoning<'a> {
    ReasoningText {
        text: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<Cow<'a, str>>,
    },
    /// Base64.
    RedactedContent(Cow<'a, str>),
}

/// A point up to which the prompt may be cached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct CachePoint<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<Cow<'a, str>>,
}

/// The sampling parameters, the token limit and the stop sequences.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InferenceConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stop_sequences: Vec<Cow<'a, str>>,
}

/// The tools, and which of them must be called.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolConfig<'a> {
    pub(crate) tools: Vec<ToolEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<Choice<'a>>,
}

/// An entry of the tools.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ToolEntry<'a> {
    ToolSpec(ToolSpec<'a>),
    CachePoint(CachePoint<'a>),
}

/// A tool that the model may call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolSpec<'a> {
    pub(crate) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Cow<'a, str>>,
    pub(crate) input_schema: InputSchema<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strict: Option<bool>,
}

/// The schema of a tool's input.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct InputSchema<'a> {
    pub(crate) json: Json<'a>,
}

/// A `toolChoice` that forces a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Choice<'a> {
    Any {},
    Tool { name: Cow<'a, str> },
}

/// The format of the response, for models that enforce a schema.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutputConfig<'a> {
    pub(crate) text_format: TextFormat<'a>,
}

/// The format of text.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TextFormat<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) structure: Structure<'a>,
}

/// The structure that the text must have.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Structure<'a> {
    pub(crate) json_schema: SchemaText<'a>,
}

/// A JSON schema with a name.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SchemaText<'a> {
    /// The schema as JSON text.
    pub(crate) schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Cow<'a, str>>,
}

/// A service tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ServiceTier {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// JSON text that is sent as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Json<'a> {
    /// Borrowed from the client's request, so that large schemas and arguments are not copied.
    Given(&'a RawValue),
    /// An object whose member `value` is borrowed from the client's request.
    Wrapped { value: &'a RawValue },
    /// Created by the gateway.
    Made(Box<RawValue>),
}

/// The model's own parameters, in the order in which they were set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields<'a>(pub(crate) Vec<(Cow<'a, str>, Json<'a>)>);

/// Names with values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

// === impl ConverseRequest ===

impl ConverseRequest<'_> {
    /// Estimates how many bytes the request may have in addition to what the client sent: the names
    /// of fields, and the ids and results that the gateway adds.
    pub(crate) fn overhead(&self) -> usize {
        let blocks: usize = self.messages.iter().map(|turn| 1 + turn.content.len()).sum();
        let tools = self.tool_config.as_ref().map_or(0, |config| config.tools.len());
        let schema = self.output_config.as_ref().map_or("", |config| {
            let Structure { json_schema } = &config.text_format.structure;
            &json_schema.schema
        });
        // A schema is sent as a string, in which a character may need an escape.
        4096 + 128 * (blocks + tools) + 2 * schema.len()
    }
}

// === impl Block ===

impl<'a> Block<'a> {
    /// Creates a block of text.
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Checks whether the block is text.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Joined(_))
    }

    /// Checks whether the block is blank text, which Bedrock rejects.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

// === impl InferenceConfig ===

impl InferenceConfig<'_> {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

// === impl Json ===

impl Json<'_> {
    /// Returns the JSON text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Given(raw) => raw.get().into(),
            Self::Wrapped { value } => format!(r#"{{"value":{value}}}"#).into(),
            Self::Made(raw) => raw.get().into(),
        }
    }

    /// Serialises `value`, which cannot fail for the gateway's own types.
    pub(crate) fn of(value: &impl Serialize) -> Self {
        Self::Made(serde_json::value::to_raw_value(value).unwrap_or_default())
    }

    /// Wraps `text`, which must be JSON; an empty object otherwise.
    pub(crate) fn from_text(text: String) -> Self {
        RawValue::from_string(text).map_or_else(|_| Self::empty_object(), Self::Made)
    }

    /// Creates an empty object.
    pub(crate) fn empty_object() -> Self {
        Self::from_text("{}".to_owned())
    }
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl PartialEq for ToolUse<'_> {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.name, &self.input) == (&other.id, &other.name, &other.input)
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets `name` unless it is set already: a value of the client wins.
    pub(crate) fn set(&mut self, name: impl Into<Cow<'a, str>>, value: Json<'a>) {
        let name = name.into();
        if !self.has(&name) {
            self.0.push((name, value));
        }
    }

    /// Checks whether `name` is set.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the value of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// Removes `name`.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(given, _)| given != name);
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

// === impl Pairs ===

impl Pairs {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
