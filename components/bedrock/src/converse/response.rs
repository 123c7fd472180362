//! A response of Converse, read as far as the translation needs it.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use gateway::Error;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::converse::usage::TokenUsage;
use crate::json::{Text, from_bytes};

/// The body of a response.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConverseResponse<'a> {
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

/// The output, which contains the message.
#[derive(Debug, Deserialize)]
pub(crate) struct Output<'a> {
    #[serde(borrow, default)]
    pub(crate) message: Option<Message<'a>>,
}

/// The assistant's message.
#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow, default)]
    pub(crate) content: Vec<Block<'a>>,
}

/// A block of the message: one of its members is set, or none for a kind that is not translated.
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

/// A tool call, and the start of such a block in a stream.
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

/// Reasoning, as text or redacted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reasoning<'a> {
    #[serde(borrow, default)]
    pub(crate) reasoning_text: Option<ReasoningText<'a>>,
    #[serde(borrow, default)]
    pub(crate) redacted_content: Option<Text<'a>>,
}

/// Reasoning as text, with the signature that proves its origin.
#[derive(Debug, Deserialize)]
pub(crate) struct ReasoningText<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) signature: Option<Text<'a>>,
}

/// Text with its sources.
#[derive(Debug, Deserialize)]
pub(crate) struct CitationsContent<'a> {
    #[serde(borrow, default)]
    pub(crate) content: Vec<Generated<'a>>,
    #[serde(borrow, default)]
    pub(crate) citations: Vec<Cited<'a>>,
}

/// A piece of generated text.
#[derive(Debug, Deserialize)]
pub(crate) struct Generated<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Option<Text<'a>>,
}

/// A source, in a response and in a stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cited<'a> {
    #[serde(borrow, default)]
    pub(crate) title: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) source: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) source_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) location: Option<&'a RawValue>,
}

/// A web page that a source is.
#[derive(Debug, Deserialize)]
pub(crate) struct Web<'a> {
    #[serde(borrow)]
    pub(crate) url: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) domain: Option<Text<'a>>,
}

/// The location of a source that is a web page.
#[derive(Deserialize)]
struct WebLocation<'a> {
    #[serde(borrow)]
    web: Web<'a>,
}

/// An image that the model created.
#[derive(Debug, Deserialize)]
pub(crate) struct Image<'a> {
    #[serde(borrow)]
    format: Text<'a>,
    #[serde(borrow, default)]
    source: Option<ImageSource<'a>>,
}

/// Where an image is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageSource<'a> {
    #[serde(borrow, default)]
    bytes: Option<Text<'a>>,
    #[serde(borrow, default)]
    s3_location: Option<Location<'a>>,
}

/// An object in S3.
#[derive(Debug, Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    uri: Text<'a>,
}

/// The trace of a response.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trace<'a> {
    #[serde(borrow, default)]
    prompt_router: Option<PromptRouter<'a>>,
}

/// The decision of a prompt router.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptRouter<'a> {
    #[serde(borrow, default)]
    invoked_model_id: Option<Text<'a>>,
}

/// The service tier that served the request.
#[derive(Debug, Deserialize)]
pub(crate) struct ServiceTier<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Text<'a>>,
}

impl<'a> ConverseResponse<'a> {
    /// Parses the body of a response with status 200, and takes its blocks out of it.
    ///
    /// # Errors
    /// [`Error::InvalidUpstreamResponse`] for any other body: AWS responds to an unknown operation with
    /// status 200 and the exception inside.
    pub(crate) fn parse(body: &'a [u8]) -> Result<(Self, Vec<Block<'a>>), Error> {
        let mut response: Self = from_bytes(body)
            .map_err(|error| Error::invalid_response(format!("a response of Converse: {error}")))?;
        let message = response.output.take().and_then(|output| output.message);
        let message =
            message.ok_or_else(|| Error::invalid_response("a response without output"))?;
        Ok((response, message.content))
    }
}

impl ToolUse<'_> {
    /// Checks whether Bedrock runs the tool itself, so that the client must not see the call.
    pub(crate) fn is_served(&self) -> bool {
        self.kind.as_deref() == Some("server_tool_use")
    }
}

impl<'a> Cited<'a> {
    /// Returns the web page, if the source is one.
    pub(crate) fn web(&self) -> Option<Web<'a>> {
        let location: WebLocation<'a> = serde_json::from_str(self.location?.get()).ok()?;
        Some(location.web)
    }
}

impl Image<'_> {
    /// Returns the image as a `data:` URL, or its place in S3.
    pub(crate) fn url(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        let data = source.bytes.as_deref();
        let data = data.map(|bytes| format!("data:image/{};base64,{bytes}", &*self.format));
        data.or_else(|| source.s3_location.as_ref().map(|location| location.uri.to_string()))
    }
}

impl Trace<'_> {
    /// Returns the model that a prompt router chose.
    pub(crate) fn invoked_model(&self) -> Option<&str> {
        self.prompt_router.as_ref()?.invoked_model_id.as_deref()
    }
}

impl ServiceTier<'_> {
    /// Returns the name of the tier.
    pub(crate) fn name(&self) -> Option<&str> {
        self.kind.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_without_a_message_is_an_error() {
        for body in [
            r#"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#,
            r#"{"output":{}}"#,
            r#"{"output":null,"stopReason":"end_turn"}"#,
            "[]",
            "<html>",
            "",
        ] {
            let error = ConverseResponse::parse(body.as_bytes()).err().unwrap();
            assert_eq!(error.shape().code, "bad_upstream_response", "{body}");
        }
    }

    #[test]
    fn url_of_an_image_is_its_data_or_its_place() {
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
