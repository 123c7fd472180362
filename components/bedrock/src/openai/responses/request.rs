//! A request for a response, read field by field so that an error can name the field.
//! <https://platform.openai.com/docs/api-reference/responses/create>

use std::borrow::Cow;

use gateway::Error;
use serde_json::value::RawValue;

use super::echo::Echo;
use super::input::{self, Item};
use super::places::Places;
use super::tools::{self, Functions, Tool};
use crate::json::{self, Text, invalid, is_string, read, read_text};
use crate::limits::{FIELDS, INCLUDED, MESSAGES, PARTS, TOOLS};
use crate::openai::members::{BOOLEAN, STRING, is_null, read_max_tokens, read_texts};
use crate::openai::request::{ChatRequest, JsonSchema, ResponseFormat};
use crate::openai::slots::{read_list, read_object};

/// A request for a response, as the request for a chat completion that it becomes.
#[derive(Debug, Default)]
pub(crate) struct ResponsesRequest<'a> {
    pub(crate) chat: ChatRequest<'a>,
    pub(crate) echo: Echo,
    instructions: Option<Text<'a>>,
    places: Places,
}

/// The text options.
#[derive(Debug, Default)]
pub(super) struct TextConfig<'a> {
    pub(super) format: Option<Format<'a>>,
}

/// The format of the text; `kind` determines which other fields are set.
#[derive(Debug, Default)]
pub(super) struct Format<'a> {
    pub(super) kind: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) description: Option<Text<'a>>,
    pub(super) schema: Option<&'a RawValue>,
}

/// The options for reasoning.
#[derive(Debug, Default)]
pub(super) struct Reasoning<'a> {
    pub(super) effort: Option<Text<'a>>,
}

/// Fields that are hints: without them the response may differ, but is still correct.
const HINTS: [&str; 3] = ["background", "client_metadata", "max_tool_calls"];

impl<'a> ResponsesRequest<'a> {
    /// Parses a request, and rejects what this route does not support.
    ///
    /// # Errors
    /// A client error that names the field at fault.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let members = json::read_object(body)?;
        for required in ["model", "input"] {
            if members.get(required).is_none_or(is_null) {
                return Err(invalid(required, "is missing"));
            }
        }
        let mut request = Self { echo: Echo::of(&members), ..Self::default() };
        for (name, value) in members.0 {
            if !is_null(value) {
                check(&name, value)?;
                request.set(name, value)?;
            }
        }
        if let Some(text) = request.instructions.take() {
            request.chat.messages.insert(0, input::instructions(text));
            request.places.has_instructions = true;
        }
        request.echo.service_tier = request.chat.service_tier.as_deref().map(str::to_owned);
        Ok(request)
    }

    /// Converts `error`, which may name a field of the chat, into one about this request.
    pub(crate) fn restate(&self, error: Error) -> Error {
        self.places.restate(error)
    }

    /// Sets the field `name`.
    fn set(&mut self, name: Cow<'a, str>, value: &'a RawValue) -> Result<(), Error> {
        match &*name {
            "input" => self.set_input(value)?,
            "instructions" => {
                let text = read_text("instructions", value, STRING)?;
                self.instructions = (!text.is_empty()).then_some(text);
            }
            "max_output_tokens" => {
                self.chat.max_tokens = Some(read_max_tokens("max_output_tokens", value)?);
            }
            "tools" => self.set_tools(read_list("tools", value, &TOOLS, &TOOLS)?)?,
            "tool_choice" => self.chat.tool_choice = tools::read_choice(value)?,
            "text" => self.chat.response_format = read_format(value)?,
            "reasoning" => {
                let reasoning: Reasoning<'_> = read_object("reasoning", value, &FIELDS)?;
                self.chat.reasoning_effort = reasoning.effort;
            }
            "truncation" if value.get() == r#""auto""# => self.chat.ignored.push(name),
            "truncation" | "include" => {}
            _ if HINTS.contains(&&*name) => {}
            // All other fields are those of a chat.
            _ => self.chat.put(name, value)?,
        }
        Ok(())
    }

    /// Sets the input: a text, or a list of items.
    fn set_input(&mut self, value: &'a RawValue) -> Result<(), Error> {
        if is_string(value) {
            self.chat.messages.push(input::user(read_text("input", value, STRING)?));
            self.places.is_text = true;
            return Ok(());
        }
        let items: Vec<Item<'a>> = read_list("input", value, &MESSAGES, &PARTS)?;
        let items = items.into_iter().enumerate();
        let messages: Result<_, _> =
            items.map(|(number, item)| item.into_message(number)).collect();
        self.chat.messages = messages?;
        Ok(())
    }

    /// Sets the tools.
    fn set_tools(&mut self, tools: Vec<Tool<'a>>) -> Result<(), Error> {
        let Functions { tools, places, namespaces } = tools::functions(tools)?;
        self.chat.tools = tools;
        self.places.tools = places;
        self.echo.namespaces = namespaces;
        Ok(())
    }
}

/// Rejects a field without which the response would be another. A value without effect is accepted.
fn check(name: &str, value: &RawValue) -> Result<(), Error> {
    let (has_no_effect, message) = match name {
        "previous_response_id" | "conversation" => {
            (false, "responses are not stored: send the whole conversation as `input`")
        }
        "prompt" => (false, "prompts are not stored: send `instructions` and `input`"),
        "background" => {
            (!read::<bool>("background", value, BOOLEAN)?, "only `background` = false is supported")
        }
        "include" => {
            let list = read_texts("include", value, "an array of strings", &INCLUDED)?;
            let has_logprobs = list.iter().any(|included| included.ends_with("logprobs"));
            (!has_logprobs, "Bedrock does not return logprobs")
        }
        // Fields of chat completions, which are called otherwise here.
        "messages" => (false, "use `input` instead"),
        "system" => (false, "use `instructions` instead"),
        "max_tokens" | "max_completion_tokens" => (false, "use `max_output_tokens` instead"),
        "response_format" => (false, "use `text.format` instead"),
        "reasoning_effort" => (false, "use `reasoning.effort` instead"),
        _ => return Ok(()),
    };
    if has_no_effect { Ok(()) } else { Err(Error::unsupported(name.to_owned(), message)) }
}

/// Reads the format of the text.
fn read_format(value: &RawValue) -> Result<ResponseFormat<'_>, Error> {
    let TextConfig { format } = read_object("text", value, &FIELDS)?;
    let Some(Format { kind, name, description, schema }) = format else {
        return Ok(ResponseFormat::Text);
    };
    match &*kind {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::JsonObject),
        "json_schema" if schema.is_none() => Err(invalid("text.format.schema", "is missing")),
        "json_schema" => Ok(ResponseFormat::JsonSchema(JsonSchema { name, description, schema })),
        _ => {
            Err(Error::unsupported("text.format", "use the type text, json_object or json_schema"))
        }
    }
}

#[cfg(test)]
mod tests;
