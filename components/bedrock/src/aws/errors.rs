//! Bedrock's errors, translated for OpenAI clients.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>

use gateway::error::{Fault, ProviderError, Shape};
use gateway::{Error, Headers};
use http::StatusCode;

use crate::json::{Members, Text, from_bytes};

/// Parses a response with an error status.
pub(crate) fn parse(status: StatusCode, headers: Headers, body: &[u8]) -> Error {
    let error = ErrorBody::read(body);
    let named = headers.get_str("x-amzn-errortype").map(bare).filter(|kind| !kind.is_empty());
    let kind = named.or(error.kind.as_deref().map(bare)).unwrap_or_default().to_owned();
    let shape = shape(&kind, error.message(), status);
    provider(shape, &kind, error.message(), helpful(headers))
}

/// Parses an exception in the middle of a stream, from its `:exception-type` and its payload.
pub(crate) fn exception(kind: &str, payload: &[u8]) -> Error {
    let error = ErrorBody::read(payload);
    let mut shape = shape(kind, error.message(), StatusCode::BAD_GATEWAY);
    // The model's own status is more precise than the one status of all such exceptions.
    if shape.code == "model_stream_error" {
        shape.status = error.original_status().unwrap_or(shape.status);
    }
    provider(shape, kind, error.message(), Headers::default())
}

/// Parses an error of the protocol in the middle of a stream, from its `:error-code` and its
/// `:error-message`.
pub(crate) fn from_headers(kind: &str, message: &str) -> Error {
    let shape = shape(kind, message, StatusCode::BAD_GATEWAY);
    provider(shape, kind, message, Headers::default())
}

/// The body of an error. Errors of AWS's front ends have other members than those of Bedrock, and
/// proxies send no JSON at all.
#[derive(Debug, Default)]
struct ErrorBody {
    message: Option<String>,
    kind: Option<String>,
    original_status: Option<u16>,
}

impl ErrorBody {
    /// Reads whatever of the body can be read: a malformed body must not hide the error.
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

    /// Returns the message, or an empty one.
    fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// Returns the status of the model's own server, unless clients would take it for a verdict on
    /// their key.
    fn original_status(&self) -> Option<StatusCode> {
        let status = StatusCode::from_u16(self.original_status?).ok()?;
        let is_error = status.is_client_error() || status.is_server_error();
        let is_verdict_on_key = matches!(status.as_u16(), 401 | 403);
        (is_error && !is_verdict_on_key).then_some(status)
    }
}

/// Strips the namespace before a type's name, and the documentation URL after it.
fn bare(kind: &str) -> &str {
    let kind = kind.split(':').next().unwrap_or(kind);
    kind.rsplit('#').next().unwrap_or(kind).trim()
}

/// Keeps only the headers that help a client or its support.
fn helpful(mut headers: Headers) -> Headers {
    headers.retain(|name| {
        matches!(name, "retry-after" | "x-amzn-requestid") || name.starts_with("cf-aig-")
    });
    headers
}

/// Creates the error with Bedrock's message, if there is one.
///
/// Messages about credentials are withheld: they quote the signed request, including the session
/// token.
fn provider(shape: Shape, kind: &str, message: &str, headers: Headers) -> Error {
    const REFUSED: &str = "the gateway's own credentials were rejected upstream";
    let message = match (shape.code, message.trim(), kind) {
        ("gateway_credentials", _, "") => REFUSED.to_owned(),
        ("gateway_credentials", _, kind) => format!("{REFUSED}: {kind}"),
        (_, "", "") => "bedrock reported an error without a message".to_owned(),
        (_, "", kind) => format!("bedrock reported {kind} without a message"),
        (_, message, _) => message.to_owned(),
    };
    Error::Provider(Box::new(ProviderError { shape, message, headers }))
}

/// Maps an error of the type `kind` to its shape for the client; `status` is used for unknown
/// types.
fn shape(kind: &str, message: &str, status: StatusCode) -> Shape {
    use Fault::{Client, Operator, Upstream};
    const INVALID: &str = "invalid_request_error";
    const API: &str = "api_error";
    const LIMIT: &str = "rate_limit_error";
    const SERVER: &str = "server_error";
    // Streams write names in lower camel case, and some names appear with and without the suffix.
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

/// A status and the other fields of a shape.
type Parts = (u16, &'static str, &'static str, Fault);

/// The operator's credentials are invalid. Not 401, because SDKs would blame the caller's key.
const CREDENTIALS: Parts = (502, "server_error", "gateway_credentials", Fault::Operator);

/// Returns the shape of an error with an unknown type.
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

/// Determines the code of a validation error by its message, because the type is always the same.
fn validation_code(message: &str) -> &'static str {
    // Bedrock has its own words, and passes on those of the model's server.
    const TOO_LONG: [&str; 8] = [
        "input is too long",
        "prompt is too long",
        "input too long",
        "total text bytes",
        "too many tokens",
        "context limit",
        "context length",
        "context window",
    ];
    // Stops before the apostrophe of "isn't", which Bedrock writes in two ways.
    const NO_MODEL: [&str; 2] =
        ["provided model identifier is invalid", "on-demand throughput isn"];
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    let names_tokens =
        says(&["input tokens", "input token", "prompt tokens", "tokens in the prompt"]);
    if says(&TOO_LONG) || names_tokens && says(&["exceed"]) {
        "context_length_exceeded"
    } else if says(&NO_MODEL) {
        "model_not_found"
    } else {
        "validation_exception"
    }
}

/// Checks whether access is denied because of invalid credentials, not because of a missing
/// permission.
fn is_about_credentials(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["api key", "bearer token", "security token"].iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests;
