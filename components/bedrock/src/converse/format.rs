//! The form of the answer: by the model's own grammar, by a tool whose input is the answer, or in
//! words.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>

use std::borrow::Cow;

use gateway::Error;

use crate::converse::request::{Degraded, JSON_TOOL, JsonTool};
use crate::converse::{
    InputSchema, OutputConfig, SchemaText, Structure, TextFormat, ToolSpec, schema,
};
use crate::json::invalid;
use crate::model::Model;
use crate::openai::{ChatRequest, Content, JsonSchema, Message, ResponseFormat};

/// How an answer gets its form.
#[derive(Clone, Debug)]
pub(crate) enum Form<'a> {
    Free,
    /// By what the system prompt says.
    Words(&'static str),
    /// By the model, which keeps to a schema by itself.
    Grammar(OutputConfig<'a>),
    /// By a tool whose input has the schema.
    Tool(ToolSpec<'a>, JsonTool),
}

/// What asks for JSON where nobody else does.
const OBJECT: &str = "Respond with a single JSON object and nothing else.";

/// What the tool is for, unless the schema says so.
const PURPOSE: &str = "Gives the final answer, in the only form in which it can be taken.";

/// How `model` is to give the form that `request` asks for.
///
/// # Errors
/// A client's error for a schema that is none.
pub(crate) fn form<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
    degraded: Degraded,
) -> Result<Form<'a>, Error> {
    match &request.response_format {
        ResponseFormat::Text => Ok(Form::Free),
        ResponseFormat::JsonObject => Ok(object(&request.messages)),
        ResponseFormat::JsonSchema(JsonSchema { schema: None, .. }) => {
            Ok(object(&request.messages))
        }
        ResponseFormat::JsonSchema(schema) => {
            let knows_schemas = model.abilities.structured_output && !degraded.output_config;
            let grammar = if knows_schemas { grammar(schema) } else { None };
            grammar.or_else(|| tool(schema)).ok_or_else(|| {
                invalid("response_format.json_schema.schema", "must be a JSON schema")
            })
        }
    }
}

fn object<'a>(messages: &[Message<'_>]) -> Form<'a> {
    if messages.iter().any(mentions_json) { Form::Free } else { Form::Words(OBJECT) }
}

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

/// Nothing, if the schema cannot be said in a grammar.
fn grammar<'a>(schema: &'a JsonSchema<'a>) -> Option<Form<'a>> {
    let given = |text: &'a str| Some(Cow::Borrowed(text)).filter(|text| !text.is_empty());
    let json_schema = SchemaText {
        schema: schema::closed(schema.schema?)?,
        name: given(&schema.name),
        description: schema.description.as_deref().and_then(given),
    };
    let text_format = TextFormat { kind: "json_schema", structure: Structure { json_schema } };
    Some(Form::Grammar(OutputConfig { text_format }))
}

/// Nothing, if the schema is none.
fn tool<'a>(schema: &'a JsonSchema<'a>) -> Option<Form<'a>> {
    let (json, tool) = schema::of_answer(schema.schema?)?;
    let description = schema.description.as_deref().filter(|text| !text.trim().is_empty());
    let spec = ToolSpec {
        name: Cow::Borrowed(JSON_TOOL),
        description: Some(Cow::Borrowed(description.unwrap_or(PURPOSE))),
        input_schema: InputSchema { json },
        strict: None,
    };
    Some(Form::Tool(spec, tool))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::converse::sample;
    use crate::model::Family;

    /// The form for a request of `content`, told in short.
    fn told(
        format: &Value,
        content: &Value,
        native: bool,
        degraded: bool,
    ) -> Result<String, String> {
        let messages = json!([{"role": "user", "content": content}]);
        let body = json!({"model": "m", "messages": messages, "response_format": format});
        let body = body.to_string();
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        let mut model = sample::model(Family::Claude);
        model.abilities.structured_output = native;
        let degraded = Degraded { output_config: degraded, ..Degraded::default() };
        match form(&request, &model, degraded) {
            Ok(Form::Free) => Ok("free".to_owned()),
            Ok(Form::Words(words)) => Ok(words.to_owned()),
            Ok(Form::Grammar(config)) => Ok(serde_json::to_string(&config).unwrap()),
            Ok(Form::Tool(spec, tool)) => {
                Ok(format!("{} {}", serde_json::to_string(&spec).unwrap(), tool.is_wrapped))
            }
            Err(error) => Err(error.param().unwrap().to_owned()),
        }
    }

    #[test]
    fn an_object_is_asked_for_unless_somebody_does() {
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
            assert_eq!(told(&format, &content, true, false).as_deref(), Ok(expected), "{format}");
        }
    }

    #[test]
    fn a_schema_is_a_grammar_or_a_tool() {
        let format = |schema: Value| json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
        let closed = r#"{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\",\"additionalProperties\":false}","name":"n"}}}}"#;
        let tool = |schema: &str, is_wrapped| {
            format!(
                r#"{{"name":"{JSON_TOOL}","description":"{PURPOSE}","inputSchema":{{"json":{schema}}}}} {is_wrapped}"#
            )
        };
        let object = json!({"type": "object"});
        let open = json!({"type": "object", "additionalProperties": true});
        let plain = tool(&object.to_string(), false);
        for (schema, native, degraded, expected) in [
            (&object, true, false, closed.to_owned()),
            (&object, true, true, plain.clone()),
            (&object, false, false, plain),
            (&open, true, false, tool(&open.to_string(), false)),
        ] {
            let found = told(&format(schema.clone()), &json!("hi"), native, degraded);
            assert_eq!(found, Ok(expected), "{schema} {native} {degraded}");
        }
        let expected = Err("response_format.json_schema.schema".to_owned());
        assert_eq!(told(&format(json!([])), &json!("hi"), true, false), expected);
    }
}
