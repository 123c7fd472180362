//! The format of the response: by the model's own grammar, by a tool whose input is the response,
//! or by an instruction in the system prompt.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>

use std::borrow::Cow;

use gateway::Error;

use crate::catalog::model::Model;
use crate::converse::request::{
    InputSchema, OutputConfig, SchemaText, Structure, TextFormat, ToolSpec,
};
use crate::json::invalid;
use crate::openai::request::{ChatRequest, Content, JsonSchema, Message, ResponseFormat};
use crate::translate::json_tool::{JSON_TOOL, JsonTool};
use crate::translate::request::schema::grammar::closed;
use crate::translate::request::schema::inline::GROWTH;
use crate::translate::request::{schema, tools};

/// How the response gets its format.
#[derive(Clone, Debug)]
pub(crate) enum FormatStrategy<'a> {
    /// The format is not restricted.
    Free,
    /// An instruction in the system prompt.
    Prompt(&'static str),
    /// A grammar, which the model enforces.
    Grammar(OutputConfig<'a>),
    /// A tool whose input has the schema.
    Tool(ToolSpec<'a>, JsonTool),
}

/// The instruction for `json_object`, for which Converse has no parameter.
const OBJECT: &str = "Respond with a single JSON object and nothing else.";

/// The description of the synthetic tool, unless the schema has one.
const PURPOSE: &str = "Returns the final answer. Call this tool exactly once, when you are done.";

/// The field with the schema.
const SCHEMA: &str = "response_format.json_schema.schema";

/// Chooses how `model` is made to respond in the format that `request` asks for.
///
/// A grammar is preferred to the synthetic tool: the tool cannot be combined with a call that the
/// client requires.
///
/// # Errors
/// A client error for an invalid schema.
pub(crate) fn choose_format<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
) -> Result<FormatStrategy<'a>, Error> {
    match &request.response_format {
        ResponseFormat::Text => Ok(FormatStrategy::Free),
        ResponseFormat::JsonObject => Ok(object(&request.messages)),
        ResponseFormat::JsonSchema(JsonSchema { schema: None, .. }) => {
            Ok(object(&request.messages))
        }
        ResponseFormat::JsonSchema(schema) => {
            schema::check(schema.schema, SCHEMA.into())?;
            let knows_schemas = model.capabilities.structured_output;
            let grammar = if knows_schemas { grammar(schema) } else { None };
            grammar
                .or_else(|| tool(schema, model))
                .ok_or_else(|| invalid(SCHEMA, "must be a JSON schema"))
        }
    }
}

/// Chooses the strategy for any JSON object: nothing if the conversation already asks for JSON.
fn object<'a>(messages: &[Message<'_>]) -> FormatStrategy<'a> {
    if messages.iter().any(mentions_json) {
        FormatStrategy::Free
    } else {
        FormatStrategy::Prompt(OBJECT)
    }
}

/// Checks whether `message` mentions JSON, in any case.
fn mentions_json(message: &Message<'_>) -> bool {
    let is_mention =
        |text: &str| text.as_bytes().windows(4).any(|word| word.eq_ignore_ascii_case(b"json"));
    match &message.content {
        Some(Content::Text(text)) => is_mention(text),
        Some(Content::Parts(parts)) => {
            parts.iter().filter_map(|part| part.text.as_deref()).any(is_mention)
        }
        None => false,
    }
}

/// Translates `schema` into a grammar; none if a grammar cannot express it.
fn grammar<'a>(schema: &'a JsonSchema<'a>) -> Option<FormatStrategy<'a>> {
    let given = |text: &'a str| Some(Cow::Borrowed(text)).filter(|text| !text.is_empty());
    let json_schema = SchemaText {
        schema: closed(schema.schema?.get())?,
        name: given(&schema.name),
        description: schema.description.as_deref().and_then(given),
    };
    let text_format = TextFormat { kind: "json_schema", structure: Structure { json_schema } };
    Some(FormatStrategy::Grammar(OutputConfig { text_format }))
}

/// Translates `schema` into the synthetic tool; none if it is not a schema.
fn tool<'a>(schema: &'a JsonSchema<'a>, model: &Model) -> Option<FormatStrategy<'a>> {
    let (json, tool) = schema::of_response(schema.schema?)?;
    let description = schema.description.as_deref().filter(|text| !text.trim().is_empty());
    let mut spec = ToolSpec {
        name: Cow::Borrowed(JSON_TOOL),
        description: Some(Cow::Borrowed(description.unwrap_or(PURPOSE))),
        input_schema: InputSchema { json },
        strict: None,
    };
    tools::conform(&mut spec, model, &mut GROWTH.clone());
    Some(FormatStrategy::Tool(spec, tool))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::capabilities::Family;
    use crate::catalog::sample;

    /// Returns the strategy for a request with `content`, in short form.
    fn chosen(format: &Value, content: &Value, native: bool) -> Result<String, String> {
        let messages = json!([{"role": "user", "content": content}]);
        let body = json!({"model": "m", "messages": messages, "response_format": format});
        let body = body.to_string();
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        let mut model = sample::model(Family::Claude);
        model.capabilities.structured_output = native;
        match choose_format(&request, &model) {
            Ok(FormatStrategy::Free) => Ok("free".to_owned()),
            Ok(FormatStrategy::Prompt(words)) => Ok(words.to_owned()),
            Ok(FormatStrategy::Grammar(config)) => Ok(serde_json::to_string(&config).unwrap()),
            Ok(FormatStrategy::Tool(spec, tool)) => {
                Ok(format!("{} {}", serde_json::to_string(&spec).unwrap(), tool.is_wrapped))
            }
            Err(error) => Err(error.param().unwrap().to_owned()),
        }
    }

    #[test]
    fn choose_format_for_an_object_prompts_unless_json_is_mentioned() {
        let object = json!({"type": "json_object"});
        for (format, content, expected) in [
            (json!(null), json!("hi"), "free"),
            (json!({"type": "text"}), json!("hi"), "free"),
            (object.clone(), json!("hi"), OBJECT),
            (object.clone(), json!("as JSON, please"), "free"),
            (object.clone(), json!([{"type": "text", "text": "in Json"}]), "free"),
            (object, json!([]), OBJECT),
            (json!({"type": "json_schema", "json_schema": {"name": "n"}}), json!("hi"), OBJECT),
        ] {
            assert_eq!(chosen(&format, &content, true).as_deref(), Ok(expected), "{format}");
        }
    }

    #[test]
    fn choose_format_for_a_schema_is_a_grammar_or_a_tool() {
        let format = |schema: Value| json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
        let closed = r#"{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"properties\":{},\"type\":\"object\",\"additionalProperties\":false}","name":"n"}}}}"#;
        let tool = |schema: &str, is_wrapped| {
            format!(
                r#"{{"name":"{JSON_TOOL}","description":"{PURPOSE}","inputSchema":{{"json":{schema}}}}} {is_wrapped}"#
            )
        };
        let object = json!({"type": "object", "properties": {}});
        let open = json!({"type": "object", "additionalProperties": true});
        let plain = tool(&object.to_string(), false);
        for (schema, native, expected) in [
            (&object, true, closed.to_owned()),
            (&object, false, plain),
            (&open, true, tool(&open.to_string(), false)),
        ] {
            let found = chosen(&format(schema.clone()), &json!("hi"), native);
            assert_eq!(found, Ok(expected), "{schema} {native}");
        }
        let expected = Err("response_format.json_schema.schema".to_owned());
        assert_eq!(chosen(&format(json!([])), &json!("hi"), true), expected);
    }
}
