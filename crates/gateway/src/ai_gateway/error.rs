//! Errors that Cloudflare AI Gateway makes itself, and how a client sees them.
//!
//! Their envelope differs from every provider's, and some have a status that makes SDKs retry, or not
//! retry, wrongly.
//! <https://developers.cloudflare.com/ai-gateway/reference/troubleshooting/>

use std::fmt;

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Headers;
use crate::error::fault::{Fault, Shape};
use crate::http::json::from_bytes;

/// An error of Cloudflare AI Gateway: its code, and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AiGatewayError {
    code: Option<u32>,
    status: u16,
    message: String,
    /// The headers of the response that help a client: log id, retry hints.
    pub headers: Headers,
}

/// The longest body that is read as an error, in bytes: the envelope has a few hundred.
pub const MAX_BYTES: u64 = 64 * 1024;

#[derive(Deserialize)]
struct Envelope<'a> {
    success: bool,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(default, rename = "internalCode")]
    internal_code: Option<u32>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Default, Deserialize)]
struct Detail {
    #[serde(default)]
    code: Option<u32>,
    #[serde(default)]
    message: Option<String>,
}

/// Parses a response as an error of the AI Gateway. Returns nothing for a provider's error.
pub fn parse(status: StatusCode, headers: &Headers, body: &[u8]) -> Option<AiGatewayError> {
    let envelope: Envelope<'_> = from_bytes(body).ok()?;
    let is_named = envelope.name.as_deref() == Some("AiGatewayError");
    let is_coded = envelope.internal_code.is_some();
    if envelope.success || !(is_named || is_coded || envelope.error.is_some()) {
        return None;
    }
    let Detail { code, message } = match envelope.error {
        Some(error) => first_detail(error)?,
        None => Detail::default(),
    };
    Some(AiGatewayError {
        code: code.or(envelope.internal_code),
        status: status.as_u16(),
        message: message.or(envelope.message).unwrap_or_default(),
        headers: helpful(headers),
    })
}

/// Keeps the headers that help a client.
fn helpful(headers: &Headers) -> Headers {
    let mut kept = headers.clone();
    kept.retain(|name| name.starts_with("cf-") || name == "retry-after");
    kept
}

/// Reads `error`, which is a list in `AiGatewayError` and an object in policy errors.
fn first_detail(error: &RawValue) -> Option<Detail> {
    if let Ok(detail) = serde_json::from_str(error.get()) {
        return Some(detail);
    }
    let details: Vec<Detail> = serde_json::from_str(error.get()).ok()?;
    Some(details.into_iter().next().unwrap_or_default())
}

impl AiGatewayError {
    /// Returns how a client sees this error: with a status that makes SDKs retry if, and only if, a
    /// retry can help.
    pub fn shape(&self) -> Shape {
        use Fault::{Client, Operator, Upstream};
        const INVALID: &str = "invalid_request_error";
        const SERVER: &str = "server_error";
        let (status, kind, code, fault) = match (self.code, self.status) {
            (Some(2003), _) => (429, "rate_limit_error", "rate_limit_exceeded", Client),
            // Policies respond without a code.
            (Some(2041 | 2045), _) | (None, 429) => {
                (429, "rate_limit_error", "spend_limit_exceeded", Client)
            }
            (None, 403) => (403, "permission_error", "policy_denied", Client),
            // Cloudflare responds with 400, after which SDKs would not retry.
            (Some(2005), _) => (502, SERVER, "upstream_unreachable", Upstream),
            // The operator's token is bad; the caller's key is not.
            (Some(2009 | 10000), _) => (502, SERVER, "gateway_credentials", Operator),
            (Some(2016 | 2017 | 2029 | 2030), _) => (400, INVALID, "content_filter", Client),
            (Some(2019), _) => (400, INVALID, "invalid_model", Client),
            (Some(2021), _) => (402, "billing_error", "insufficient_credits", Operator),
            // Not `gateway_configuration`: that is for this gateway's settings.
            (Some(2001 | 2040), _) => (502, SERVER, "ai_gateway_configuration", Operator),
            (Some(7013), _) => (503, SERVER, "guardrails_unavailable", Upstream),
            _ => (502, SERVER, "gateway_error", Upstream),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        Shape { status, kind, code, fault }
    }
}

impl fmt::Display for AiGatewayError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.shape().code, self.code) {
            ("gateway_credentials", _) => {
                formatter.write_str("the gateway's own credentials were rejected upstream")
            }
            (_, Some(code)) => write!(formatter, "ai gateway error {code}: {}", self.message),
            (_, None) => write!(formatter, "ai gateway error: {}", self.message),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Codes, each with the status and the code a client gets.
    pub(crate) const CODES: [(u32, u16, &str); 16] = [
        (2001, 502, "ai_gateway_configuration"),
        (2003, 429, "rate_limit_exceeded"),
        (2005, 502, "upstream_unreachable"),
        (2009, 502, "gateway_credentials"),
        (2016, 400, "content_filter"),
        (2017, 400, "content_filter"),
        (2019, 400, "invalid_model"),
        (2021, 402, "insufficient_credits"),
        (2029, 400, "content_filter"),
        (2030, 400, "content_filter"),
        (2040, 502, "ai_gateway_configuration"),
        (2041, 429, "spend_limit_exceeded"),
        (2045, 429, "spend_limit_exceeded"),
        (7013, 503, "guardrails_unavailable"),
        (10000, 502, "gateway_credentials"),
        (9999, 502, "gateway_error"),
    ];

    fn error(status: u16, body: &str) -> Option<AiGatewayError> {
        let headers = [("cf-aig-log-id", "01"), ("content-length", "9")].into_iter().collect();
        parse(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn shape_gives_every_code_its_status() {
        for (code, expected, name) in CODES {
            let list = format!(
                r#"{{"success":false,"result":[],"messages":[],"error":[{{"code":{code},"message":"Said so"}}]}}"#
            );
            let object =
                format!(r#"{{"success":false,"error":{{"code":{code},"message":"Said so"}}}}"#);
            let internal = format!(
                r#"{{"success":false,"name":"AiGatewayError","internalCode":{code},"message":"Said so"}}"#
            );
            for body in [list, object, internal] {
                let found = error(400, &body).unwrap_or_else(|| panic!("{body}"));
                let shape = found.shape();
                assert_eq!((shape.status.as_u16(), shape.code), (expected, name), "{body}");
                assert!(name == "gateway_credentials" || found.to_string().contains("Said so"));
            }
        }
    }

    #[test]
    fn parse_names_an_unknown_code_in_the_message() {
        let body = r#"{"success":false,"error":[{"code":9999,"message":"New"}]}"#;
        let error = error(500, body).unwrap();
        assert_eq!(error.to_string(), "ai gateway error 9999: New");
        assert_eq!(error.headers, Headers::from_iter([("cf-aig-log-id", "01")]));
    }

    #[test]
    fn parse_accepts_policy_errors_without_a_code() {
        for (status, code) in [(403, "policy_denied"), (429, "spend_limit_exceeded")] {
            let body = r#"{"success":false,"error":{"message":"Denied","spent":1.5}}"#;
            let shape = error(status, body).unwrap().shape();
            assert_eq!((shape.status.as_u16(), shape.code), (status, code));
        }
    }

    #[test]
    fn parse_ignores_a_providers_error() {
        for body in [
            r#"{"error":{"message":"m","type":"t","param":null,"code":null}}"#,
            r#"{"success":true,"error":[]}"#,
            r#"{"success":false}"#,
            r#"{"success":false,"error":"text"}"#,
            r#"{"success":false,"error":null}"#,
            "<html>",
            "",
        ] {
            assert_eq!(error(400, body), None, "{body}");
        }
    }
}
