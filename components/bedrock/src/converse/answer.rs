//! An answer of Converse, read as far as a client is told of it.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use gateway::Error;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::converse::citations::Cited;
use crate::converse::request::JsonTool;
use crate::converse::usage::TokenUsage;
use crate::json::{Members, Text, from_bytes};

/// The body of an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer<'a> {
    #[serde(borrow, default)]
    pub(crate) output: Option<Output<'a>>,
    #[serde(borrow, default)]
    pub(crate) stop_reason: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) usage: Option<TokenUsage<'a>>,
    #[serde(borrow, default)]
    pub(crate) additional_model_response_fields: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) trace: Option<Trace<'a>>,
    #[serde(borrow, default)]
    pub(crate) service_tier: Option<ServiceTier<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Output<'a> {
    #[serde(borrow, default)]
    pub(crate) message: Option<Message<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow, default)]
    pub(crate) content: Vec<Block<'a>>,
}

/// A piece of the message: one of its members is there, or none for what a client is not told.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Block<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) tool_use: Option<ToolUse<'a>>,
    #[serde(borrow, default)]
    pub(crate) reasoning_content: Option<Reasoning<'a>>,
    #[serde(borrow, default)]
    pub(crate) citations_content: Option<CitationsContent<'a>>,
    #[serde(borrow, default)]
    pub(crate) image: Option<Image<'a>>,
}

/// A tool that is called, and the start of such a block in a stream.
#[derive(Debug, Deserialize)]
pub(crate) struct ToolUse<'a> {
    #[serde(borrow, rename = "toolUseId")]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) input: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reasoning<'a> {
    #[serde(borrow, default)]
    pub(crate) reasoning_text: Option<ReasoningText<'a>>,
    #[serde(borrow, default)]
    pub(crate) redacted_content: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReasoningText<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) signature: Option<Text<'a>>,
}

/// Text, and what it relies on.
#[derive(Debug, Deserialize)]
pub(crate) struct CitationsContent<'a> {
    #[serde(borrow, default)]
    pub(crate) content: Vec<Generated<'a>>,
    #[serde(borrow, default)]
    pub(crate) citations: Vec<Cited<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Generated<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Image<'a> {
    #[serde(borrow)]
    format: Text<'a>,
    #[serde(borrow, default)]
    source: Option<ImageSource<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageSource<'a> {
    #[serde(borrow, default)]
    bytes: Option<Text<'a>>,
    #[serde(borrow, default)]
    s3_location: Option<Location<'a>>,
}

#[derive(Debug, Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    uri: Text<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trace<'a> {
    #[serde(borrow, default)]
    prompt_router: Option<PromptRouter<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptRouter<'a> {
    #[serde(borrow, default)]
    invoked_model_id: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ServiceTier<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Text<'a>>,
}

impl<'a> Answer<'a> {
    /// Reads the body of an answer with status 200.
    ///
    /// # Errors
    /// [`Error::UnusableAnswer`] for a body that is none: AWS says 200 to an operation it does
    /// not know, with the exception inside.
    pub(crate) fn parse(body: &'a [u8]) -> Result<(Self, Vec<Block<'a>>), Error> {
        let mut answer: Self = from_bytes(body)
            .map_err(|error| Error::unusable(format!("an answer of Converse: {error}")))?;
        let message = answer.output.take().and_then(|output| output.message);
        let message = message.ok_or_else(|| Error::unusable("an answer without output"))?;
        Ok((answer, message.content))
    }
}

impl ToolUse<'_> {
    /// Whether Bedrock runs the tool itself, so that the client must not be told to.
    pub(crate) fn is_served(&self) -> bool {
        self.kind.as_deref() == Some("server_tool_use")
    }
}

impl Image<'_> {
    /// Where it is, or its data.
    pub(crate) fn url(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        let data = source.bytes.as_deref();
        let data = data.map(|bytes| format!("data:image/{};base64,{bytes}", &*self.format));
        data.or_else(|| source.s3_location.as_ref().map(|location| location.uri.to_string()))
    }
}

impl Trace<'_> {
    /// The model that a prompt router has chosen.
    pub(crate) fn invoked_model(&self) -> Option<&str> {
        self.prompt_router.as_ref()?.invoked_model_id.as_deref()
    }
}

impl ServiceTier<'_> {
    pub(crate) fn name(&self) -> Option<&str> {
        self.kind.as_deref()
    }
}

/// The answer that the synthetic tool's `input` is. An answer that was cut short comes as far as it
/// goes.
pub(crate) fn json_text(tool: JsonTool, input: &str) -> String {
    if input.trim().is_empty() {
        return "{}".to_owned();
    }
    if !tool.is_wrapped {
        return compact(input);
    }
    match serde_json::from_str::<Members<'_>>(input) {
        Ok(members) => compact(members.get("value").map_or(input, RawValue::get)),
        Err(_) => input.split_once(':').map_or_else(String::new, |(_, rest)| compact(rest)),
    }
}

/// `json` without the white space between its tokens.
pub(crate) fn compact(json: &str) -> String {
    let mut is_string = false;
    let mut is_escaped = false;
    let is_kept = |character: &char| {
        if is_string {
            is_string = is_escaped || *character != '"';
            is_escaped = !is_escaped && *character == '\\';
            return true;
        }
        is_string = *character == '"';
        !character.is_ascii_whitespace()
    };
    json.chars().filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_keeps_strings_as_they_are() {
        for (json, expected) in [
            ("{ \"a\" : [ 1 , 2.50 ] }\n", r#"{"a":[1,2.50]}"#),
            (r#"{"a b": "c \" d\\" , "e": " "}"#, r#"{"a b":"c \" d\\","e":" "}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(compact(json), expected, "{json}");
        }
    }

    #[test]
    fn the_synthetic_tools_input_is_the_answer() {
        for (is_wrapped, input, expected) in [
            (false, r#"{"a": 1}"#, r#"{"a":1}"#),
            (false, r#"{"value": 1}"#, r#"{"value":1}"#),
            (true, r#"{"value": [1, 2]}"#, "[1,2]"),
            (true, r#"{"value": "a b"}"#, r#""a b""#),
            (true, r#"{"other": 1}"#, r#"{"other":1}"#),
            (true, r#"{"value": [1, "#, "[1,"),
            (true, r#"{"val"#, ""),
            (true, "", "{}"),
        ] {
            assert_eq!(json_text(JsonTool { is_wrapped }, input), expected, "{input}");
        }
    }

    #[test]
    fn an_answer_without_a_message_is_none() {
        for body in [
            r#"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#,
            r#"{"output":{}}"#,
            r#"{"output":null,"stopReason":"end_turn"}"#,
            "[]",
            "<html>",
            "",
        ] {
            let error = Answer::parse(body.as_bytes()).err().unwrap();
            assert_eq!(error.shape().code, "bad_upstream_response", "{body}");
        }
    }

    #[test]
    fn an_image_is_its_data_or_its_place() {
        for (json, expected) in [
            (r#"{"format":"png","source":{"bytes":"aGk="}}"#, Some("data:image/png;base64,aGk=")),
            (r#"{"format":"png","source":{"s3Location":{"uri":"s3://b/k"}}}"#, Some("s3://b/k")),
            (r#"{"format":"png","error":{"message":"no"}}"#, None),
        ] {
            let image: Image<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(image.url().as_deref(), expected, "{json}");
        }
    }
}
