//! The parser of requests, which reads field by field so that an error can name the field.

use std::borrow::Cow;

use gateway::Error;
use serde_json::value::RawValue;

use crate::json::{self, Text, invalid, is_string, read, read_entries, read_members, read_text};
use crate::limits::{
    FIELDS, Limit, MESSAGES, MODALITIES, MODEL_BYTES, PARTS, STOP_SEQUENCES, TOOLS,
};
use crate::openai::request::{
    Allowed, ChatRequest, Choice, Extensions, Format, ResponseFormat, StreamOptions, ToolChoice,
};
use crate::openai::slots::{read_list, read_object};

/// The names of the expected types, for error messages.
pub(super) const BOOLEAN: &str = "a boolean";
const COUNT: &str = "a whole number";
pub(super) const OBJECT: &str = "an object";
pub(super) const STRING: &str = "a string";

/// Fields that are hints: without them the response may differ, but is still correct. [`check`]
/// rejects some of them first, unless their value has no effect.
const HINTS: [&str; 15] = [
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "modalities",
    "n",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "seed",
    "store",
    "top_logprobs",
    "verbosity",
];

/// The models' own parameters that a request may contain at its top level. Any other belongs in
/// `additionalModelRequestFields`.
const MODEL_FIELDS: [&str; 4] = ["anthropic_beta", "output_config", "reasoningConfig", "thinking"];

impl<'a> ChatRequest<'a> {
    /// Parses a request, and rejects what this route does not support.
    ///
    /// # Errors
    /// A client error that names the field at fault.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let members = json::read_object(body)?;
        for required in ["model", "messages"] {
            if members.get(required).is_none_or(is_null) {
                return Err(invalid(required, "is missing"));
            }
        }
        let mut request = Self::default();
        for (name, value) in members.0 {
            if !is_null(value) {
                request.put(name, value)?;
            }
        }
        Ok(request)
    }

    /// Sets the field `name`, unless this route does not support it.
    pub(super) fn put(&mut self, name: Cow<'a, str>, value: &'a RawValue) -> Result<(), Error> {
        check(&name, value)?;
        self.set(name, value)
    }

    /// Sets the field `name`.
    fn set(&mut self, name: Cow<'a, str>, value: &'a RawValue) -> Result<(), Error> {
        match &*name {
            "model" => self.model = read_model(value)?,
            "messages" => self.messages = read_list("messages", value, &MESSAGES, &PARTS)?,
            "stream" => self.is_stream = read("stream", value, BOOLEAN)?,
            "stream_options" => self.include_usage = read_include_usage(value)?,
            "tools" => self.tools = read_list("tools", value, &TOOLS, &TOOLS)?,
            "tool_choice" => self.tool_choice = read_tool_choice(value)?,
            "parallel_tool_calls" => {
                self.parallel_tool_calls = Some(read("parallel_tool_calls", value, BOOLEAN)?);
            }
            "max_completion_tokens" => {
                self.max_tokens = Some(read_max_tokens("max_completion_tokens", value)?);
            }
            "max_tokens" => {
                let max_tokens = read_max_tokens("max_tokens", value)?;
                self.max_tokens.get_or_insert(max_tokens);
            }
            "temperature" => self.temperature = Some(read_level("temperature", value, 2)?),
            "top_p" => self.top_p = Some(read_level("top_p", value, 1)?),
            "top_k" => self.top_k = Some(read("top_k", value, COUNT)?),
            "stop" => self.stop = read_stop(value)?,
            "response_format" => self.response_format = read_format(value)?,
            "reasoning_effort" => {
                self.reasoning_effort = Some(read_text("reasoning_effort", value, STRING)?);
            }
            "metadata" => drop(self.metadata.splice(0..0, read_metadata(value)?)),
            "user" => self.metadata.push((name, read_text("user", value, STRING)?)),
            "safety_identifier" => {
                self.metadata.push((name, read_text("safety_identifier", value, STRING)?));
            }
            "service_tier" => self.service_tier = Some(read_text("service_tier", value, STRING)?),
            _ if self.extensions.set(&name, value)? || HINTS.contains(&&*name) => {}
            _ if MODEL_FIELDS.contains(&&*name) => self.model_fields.push((name, value)),
            _ => self.ignored.push(name),
        }
        Ok(())
    }
}

impl<'a> Extensions<'a> {
    /// Sets the field `name`, and returns whether it is one of these.
    fn set(&mut self, name: &str, value: &'a RawValue) -> Result<bool, Error> {
        let (slot, is_right, kind) = match name {
            "guardrailConfig" => (&mut self.guardrail_config, is_object(value), OBJECT),
            "performanceConfig" => (&mut self.performance_config, is_object(value), OBJECT),
            "promptVariables" => (&mut self.prompt_variables, is_object(value), OBJECT),
            "additionalModelRequestFields" => {
                (&mut self.additional_model_request_fields, is_object(value), OBJECT)
            }
            "additionalModelResponseFieldPaths" => {
                let is_list = value.get().starts_with('[');
                (&mut self.additional_model_response_field_paths, is_list, "an array")
            }
            _ => return Ok(false),
        };
        if !is_right {
            return Err(invalid(name.to_owned(), &format!("must be {kind}")));
        }
        *slot = Some(value);
        Ok(true)
    }
}

// === Unsupported values ===

/// Rejects a field whose effect no model of Converse supports: leaving it out would change the
/// meaning of the response. A value without effect is accepted.
fn check(name: &str, value: &RawValue) -> Result<(), Error> {
    let (has_no_effect, message) = match name {
        "n" => (
            read::<u64>("n", value, COUNT)? == 1,
            "only `n` = 1 is supported: send separate requests",
        ),
        "logprobs" => {
            (!read::<bool>("logprobs", value, BOOLEAN)?, "Bedrock does not return logprobs")
        }
        "top_logprobs" => {
            (read::<u64>("top_logprobs", value, COUNT)? == 0, "Bedrock does not return logprobs")
        }
        "logit_bias" => {
            let bias = read_members("logit_bias", value, OBJECT)?;
            (bias.0.is_empty(), "logit_bias is not supported")
        }
        "modalities" => {
            let list = read_texts("modalities", value, "an array of strings", &MODALITIES)?;
            let is_text = list.iter().all(|modality| &**modality == "text");
            (is_text, "only text output is supported")
        }
        "web_search_options" => (false, "web search is not supported"),
        "functions" | "function_call" => (false, "use `tools` and `tool_choice` instead"),
        "moderation" => (false, "moderation is not supported: use `guardrailConfig`"),
        // Fields of other APIs, without which the response would be another.
        "input" | "instructions" | "prompt" | "system" => (false, "use `messages` instead"),
        "max_output_tokens" | "maxTokens" => (false, "use `max_completion_tokens` instead"),
        "stop_sequences" | "stopSequences" => (false, "use `stop` instead"),
        "inferenceConfig" | "toolConfig" | "outputConfig" => {
            (false, "use the fields of chat completions instead")
        }
        "extra_body" => (false, "put its fields into the request itself"),
        _ => return Ok(()),
    };
    if has_no_effect {
        return Ok(());
    }
    Err(Error::unsupported(name.to_owned(), message))
}

// === Reading values ===

/// Checks whether `value` is `null`, which clients send for fields they do not set.
pub(super) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// Reads a limit of tokens.
pub(super) fn read_max_tokens(name: &'static str, value: &RawValue) -> Result<u64, Error> {
    match read(name, value, COUNT)? {
        0 => Err(invalid(name, "must be at least 1")),
        max_tokens => Ok(max_tokens),
    }
}

/// Reads a number between 0 and `highest`.
fn read_level(name: &'static str, value: &RawValue, highest: u8) -> Result<f64, Error> {
    let level = read(name, value, "a number")?;
    if (0.0..=f64::from(highest)).contains(&level) {
        return Ok(level);
    }
    Err(invalid(name, &format!("must be between 0 and {highest}")))
}

/// Reads `include_usage` of the stream options.
fn read_include_usage(value: &RawValue) -> Result<bool, Error> {
    let options: StreamOptions = read_object("stream_options", value, &FIELDS)?;
    Ok(options.include_usage.unwrap_or_default())
}

/// Reads the name of the model.
fn read_model(value: &RawValue) -> Result<Text<'_>, Error> {
    let model = read_text("model", value, STRING)?;
    MODEL_BYTES.check(model.len(), "model")?;
    Ok(model)
}

/// Reads the stop sequences.
fn read_stop(value: &RawValue) -> Result<Vec<Text<'_>>, Error> {
    const KIND: &str = "a string or an array of strings";
    if is_string(value) {
        Ok(vec![read_text("stop", value, KIND)?])
    } else {
        read_texts("stop", value, KIND, &STOP_SEQUENCES)
    }
}

/// Reads an array of strings.
pub(super) fn read_texts<'a>(
    name: &'static str,
    value: &'a RawValue,
    kind: &str,
    limit: &'static Limit,
) -> Result<Vec<Text<'a>>, Error> {
    let entries = read_entries(name, value, kind, limit)?;
    entries.into_iter().map(|entry| read_text(name, entry, kind)).collect()
}

/// Reads pairs of strings.
fn read_metadata(value: &RawValue) -> Result<Vec<(Cow<'_, str>, Text<'_>)>, Error> {
    const KIND: &str = "an object of strings";
    let members = read_members("metadata", value, KIND)?;
    let read_pair = |(name, value)| Ok((name, read_text("metadata", value, KIND)?));
    members.0.into_iter().map(read_pair).collect()
}

/// Reads the format of the response.
fn read_format(value: &RawValue) -> Result<ResponseFormat<'_>, Error> {
    const NAME: &str = "response_format";
    let format: Format<'_> = read_object(NAME, value, &FIELDS)?;
    match (&*format.kind, format.json_schema) {
        ("text", _) => Ok(ResponseFormat::Text),
        ("json_object", _) => Ok(ResponseFormat::JsonObject),
        ("json_schema", Some(schema)) => Ok(ResponseFormat::JsonSchema(schema)),
        ("json_schema", None) => Err(invalid("response_format.json_schema", "is missing")),
        _ => Err(Error::unsupported(NAME, "use the type text, json_object or json_schema")),
    }
}

/// Reads the tool choice: a string or an object.
fn read_tool_choice(value: &RawValue) -> Result<ToolChoice<'_>, Error> {
    const NAME: &str = "tool_choice";
    const KIND: &str = "auto, none, required, or an object that names a function or allowed_tools";
    let wrong = || invalid(NAME, &format!("must be {KIND}"));
    if is_string(value) {
        return ToolChoice::by_name(&read_text(NAME, value, KIND)?).ok_or_else(wrong);
    }
    let choice: Choice<'_> = read_object(NAME, value, &TOOLS)?;
    match (&*choice.kind, choice.function, choice.allowed_tools) {
        ("function", Some(function), _) => Ok(ToolChoice::Function(function.name)),
        ("allowed_tools", _, Some(Allowed { mode, tools })) => {
            let names: Option<_> =
                tools.into_iter().map(|tool| Some(tool.function?.name)).collect();
            let is_required = match &*mode {
                "auto" => false,
                "required" => true,
                _ => {
                    return Err(invalid(
                        "tool_choice.allowed_tools.mode",
                        "must be auto or required",
                    ));
                }
            };
            Ok(ToolChoice::Allowed { names: names.ok_or_else(wrong)?, is_required })
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests;
