//! Bedrock's errors, as OpenAI clients understand them.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>

use gateway::error::{Fault, ProviderError, Shape};
use gateway::{Error, Headers};
use http::StatusCode;

use crate::json::{Members, Text, from_bytes};

/// Reads an answer with an error status.
pub(crate) fn parse(status: StatusCode, headers: Headers, body: &[u8]) -> Error {
    let said = Said::read(body);
    let named = headers.get_str("x-amzn-errortype").map(bare).filter(|kind| !kind.is_empty());
    let kind = named.or(said.kind.as_deref().map(bare)).unwrap_or_default().to_owned();
    let shape = shape(&kind, said.message(), status);
    provider(shape, &kind, said.message(), helpful(headers))
}

/// An exception in the middle of a stream: its `:exception-type` and its payload.
pub(crate) fn exception(kind: &str, payload: &[u8]) -> Error {
    let said = Said::read(payload);
    let mut shape = shape(kind, said.message(), StatusCode::BAD_GATEWAY);
    if shape.code == "model_stream_error" {
        shape.status = said.original_status().unwrap_or(shape.status);
    }
    provider(shape, kind, said.message(), Headers::default())
}

/// An error in the middle of a stream that is none of the API's own: its `:error-code` and its
/// `:error-message`.
pub(crate) fn stated(kind: &str, message: &str) -> Error {
    let shape = shape(kind, message, StatusCode::BAD_GATEWAY);
    provider(shape, kind, message, Headers::default())
}

/// What the body of an error says, as far as it is text. Errors of AWS's outer gates have other
/// members than those of Bedrock, and proxies send no JSON at all.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    kind: Option<String>,
    original_status: Option<u16>,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let members: Members<'_> = from_bytes(body).unwrap_or_default();
        let text = |name: &str| -> Option<String> {
            let text: Text<'_> = serde_json::from_str(members.get(name)?.get()).ok()?;
            (!text.trim().is_empty()).then(|| text.to_string())
        };
        let status = members.get("originalStatusCode");
        Self {
            message: text("message")
                .or_else(|| text("Message"))
                .or_else(|| text("originalMessage")),
            kind: text("__type").or_else(|| text("code")).or_else(|| text("type")),
            original_status: status.and_then(|status| serde_json::from_str(status.get()).ok()),
        }
    }

    fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// What the model's own server said, unless it reads as if the caller's key were bad.
    fn original_status(&self) -> Option<StatusCode> {
        let status = StatusCode::from_u16(self.original_status?).ok()?;
        let is_error = status.is_client_error() || status.is_server_error();
        let is_about_keys = matches!(status.as_u16(), 401 | 403);
        (is_error && !is_about_keys).then_some(status)
    }
}

/// The name of a type without its namespace in front and its documentation's address behind.
fn bare(kind: &str) -> &str {
    let kind = kind.split(':').next().unwrap_or(kind);
    kind.rsplit('#').next().unwrap_or(kind).trim()
}

/// Headers that help a client or those it asks.
fn helpful(mut headers: Headers) -> Headers {
    headers.retain(|name| {
        matches!(name, "retry-after" | "x-amzn-requestid") || name.starts_with("cf-aig-")
    });
    headers
}

/// Bedrock's words, if there are any. Those about credentials stay here: they quote what was
/// signed, a session's token among it.
fn provider(shape: Shape, kind: &str, message: &str, headers: Headers) -> Error {
    const REFUSED: &str = "the gateway's own credentials were refused upstream";
    let message = match (shape.code, message.trim(), kind) {
        ("gateway_credentials", _, "") => REFUSED.to_owned(),
        ("gateway_credentials", _, kind) => format!("{REFUSED}: {kind}"),
        (_, "", "") => "bedrock reported an error without a message".to_owned(),
        (_, "", kind) => format!("bedrock reported {kind} without a message"),
        (_, message, _) => message.to_owned(),
    };
    Error::Provider(Box::new(ProviderError { shape, message, headers }))
}

/// How an error of the type `kind` looks to a client; `status` is that of an unknown one.
fn shape(kind: &str, message: &str, status: StatusCode) -> Shape {
    use Fault::{Client, Operator, Upstream};
    const INVALID: &str = "invalid_request_error";
    const API: &str = "api_error";
    const LIMIT: &str = "rate_limit_error";
    const SERVER: &str = "server_error";
    // Streams begin a name in lower case, and some names come with and without their ending.
    let name = kind.to_ascii_lowercase();
    let (status, kind, code, fault) = match name.strip_suffix("exception").unwrap_or(&name) {
        "validation" | "conflict" | "serialization" | "malformedinput" => {
            (400, INVALID, validation_code(message), Client)
        }
        "accessdenied" if is_about_credentials(message) => CREDENTIALS,
        "accessdenied" | "notauthorized" | "optinrequired" => {
            (403, "permission_error", "access_denied", Operator)
        }
        "expiredtoken"
        | "incompletesignature"
        | "invalidclienttokenid"
        | "invalidsignature"
        | "missingauthenticationtoken"
        | "requestexpired"
        | "signaturedoesnotmatch"
        | "unrecognizedclient" => CREDENTIALS,
        "resourcenotfound" => (404, "not_found_error", "model_not_found", Client),
        "modeltimeout" => (408, API, "model_timeout", Upstream),
        "modelerror" => (424, API, "model_error", Upstream),
        "modelstreamerror" => (424, API, "model_stream_error", Upstream),
        "throttling" | "toomanyrequests" => (429, LIMIT, "rate_limit_exceeded", Upstream),
        "modelnotready" => (429, LIMIT, "model_not_ready", Upstream),
        "servicequotaexceeded" => (429, "insufficient_quota", "insufficient_quota", Operator),
        "internalserver" | "internalfailure" => (500, SERVER, "internal_server_error", Upstream),
        "serviceunavailable" => (503, SERVER, "service_unavailable", Upstream),
        _ => by_status(status.as_u16()),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    Shape { status, kind, code, fault }
}

/// A status and the rest of a shape.
type Parts = (u16, &'static str, &'static str, Fault);

/// The operator's credentials are bad; the caller's key is not, which SDKs would say of a 401.
const CREDENTIALS: Parts = (502, "server_error", "gateway_credentials", Fault::Operator);

/// The shape of an error whose type says nothing.
fn by_status(status: u16) -> Parts {
    use Fault::{Client, Operator, Upstream};
    match status {
        401 => CREDENTIALS,
        403 => (status, "permission_error", "access_denied", Operator),
        404 => (status, "not_found_error", "not_found", Client),
        408 => (status, "api_error", "model_timeout", Upstream),
        413 => (status, "invalid_request_error", "request_too_large", Client),
        424 => (status, "api_error", "model_error", Upstream),
        429 => (status, "rate_limit_error", "rate_limit_exceeded", Upstream),
        400..=499 => (status, "invalid_request_error", "invalid_request", Client),
        503 => (status, "server_error", "service_unavailable", Upstream),
        500..=599 => (status, "server_error", "internal_server_error", Upstream),
        _ => (502, "server_error", "bad_upstream_response", Upstream),
    }
}

/// What is wrong with a request can only be read off the words.
fn validation_code(message: &str) -> &'static str {
    const TOO_LONG: [&str; 3] = ["too long", "exceeds the maximum", "maximum context"];
    // The apostrophe of "isn't" comes in two kinds.
    const NO_MODEL: [&str; 2] =
        ["provided model identifier is invalid", "on-demand throughput isn"];
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&TOO_LONG) {
        "context_length_exceeded"
    } else if says(&NO_MODEL) {
        "model_not_found"
    } else {
        "validation_exception"
    }
}

/// Whether access is denied for the sake of Bedrock's API key and not for want of a permission.
fn is_about_credentials(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["api key", "bearer token", "security token"].iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests;
