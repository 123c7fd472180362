//! Errors that Cloudflare AI Gateway makes itself, and what a client should make of them.
//!
//! They look like no provider's, and some have a status that makes SDKs give up or retry wrongly.
//! <https://developers.cloudflare.com/ai-gateway/reference/troubleshooting/>

use std::fmt;

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Headers;
use crate::error::{Fault, Shape};
use crate::json::from_bytes;

/// An error of Cloudflare AI Gateway: its code, and its message where that helps the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayError {
    code: Option<u32>,
    status: u16,
    message: String,
    /// The headers that came with it and help: log id, retry hints.
    pub headers: Headers,
}

/// Bodies longer than this are no gateway error: the envelope has a few hundred bytes.
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

/// Reads `body`, sent with `status` and `headers`, as an error of the gateway. A provider's error
/// is `None`.
pub fn parse(status: StatusCode, headers: &Headers, body: &[u8]) -> Option<GatewayError> {
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
    Some(GatewayError {
        code: code.or(envelope.internal_code),
        status: status.as_u16(),
        message: message.or(envelope.message).unwrap_or_default(),
        headers: helpful(headers),
    })
}

fn helpful(headers: &Headers) -> Headers {
    let mut kept = headers.clone();
    kept.retain(|name| name.starts_with("cf-") || name == "retry-after");
    kept
}

/// `error` is a list in `AiGatewayError`, an object in policy errors.
fn first_detail(error: &RawValue) -> Option<Detail> {
    if let Ok(detail) = serde_json::from_str(error.get()) {
        return Some(detail);
    }
    let details: Vec<Detail> = serde_json::from_str(error.get()).ok()?;
    Some(details.into_iter().next().unwrap_or_default())
}

impl GatewayError {
    /// How this error looks to a client: with the retryability its cause has.
    pub fn shape(&self) -> Shape {
        use Fault::{Client, Operator, Upstream};
        const INVALID: &str = "invalid_request_error";
        const SERVER: &str = "server_error";
        let (status, kind, code, fault) = match (self.code, self.status) {
            (Some(2003), _) => (429, "rate_limit_error", "rate_limit_exceeded", Client),
            // Policies answer without a code.
            (Some(2041 | 2045), _) | (None, 429) => {
                (429, "rate_limit_error", "spend_limit_exceeded", Client)
            }
            (None, 403) => (403, "permission_error", "policy_denied", Client),
            // Cloudflare says 400, and SDKs would not retry a provider that did not answer.
            (Some(2005), _) => (502, SERVER, "upstream_unreachable", Upstream),
            // The operator's token is bad; the caller's key is not.
            (Some(2009 | 10000), _) => (502, SERVER, "gateway_credentials", Operator),
            (Some(2016 | 2017 | 2029 | 2030), _) => (400, INVALID, "content_filter", Client),
            (Some(2019), _) => (400, INVALID, "invalid_model", Client),
            (Some(2021), _) => (402, "billing_error", "insufficient_credits", Operator),
            (Some(2001 | 2040), _) => (502, SERVER, "gateway_configuration", Operator),
            (Some(7013), _) => (503, SERVER, "guardrails_unavailable", Upstream),
            _ => (502, SERVER, "gateway_error", Upstream),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        Shape { status, kind, code, fault }
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.shape().code, self.code) {
            ("gateway_credentials", _) => {
                formatter.write_str("the gateway's own credentials were refused upstream")
            }
            (_, Some(code)) => write!(formatter, "ai gateway error {code}: {}", self.message),
            (_, None) => write!(formatter, "ai gateway error: {}", self.message),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Codes beside the status and the code a client gets.
    pub(crate) const CODES: [(u32, u16, &str); 16] = [
        (2001, 502, "gateway_configuration"),
        (2003, 429, "rate_limit_exceeded"),
        (2005, 502, "upstream_unreachable"),
        (2009, 502, "gateway_credentials"),
        (2016, 400, "content_filter"),
        (2017, 400, "content_filter"),
        (2019, 400, "invalid_model"),
        (2021, 402, "insufficient_credits"),
        (2029, 400, "content_filter"),
        (2030, 400, "content_filter"),
        (2040, 502, "gateway_configuration"),
        (2041, 429, "spend_limit_exceeded"),
        (2045, 429, "spend_limit_exceeded"),
        (7013, 503, "guardrails_unavailable"),
        (10000, 502, "gateway_credentials"),
        (9999, 502, "gateway_error"),
    ];

    fn error(status: u16, body: &str) -> Option<GatewayError> {
        let headers = [("cf-aig-log-id", "01"), ("content-length", "9")].into_iter().collect();
        parse(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn every_code_gets_its_status() {
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
    fn an_unknown_code_is_named_in_the_message() {
        let body = r#"{"success":false,"error":[{"code":9999,"message":"New"}]}"#;
        let error = error(500, body).unwrap();
        assert_eq!(error.to_string(), "ai gateway error 9999: New");
        assert_eq!(error.headers, Headers::from_iter([("cf-aig-log-id", "01")]));
    }

    #[test]
    fn policy_errors_have_no_code() {
        for (status, code) in [(403, "policy_denied"), (429, "spend_limit_exceeded")] {
            let body = r#"{"success":false,"error":{"message":"Denied","spent":1.5}}"#;
            let shape = error(status, body).unwrap().shape();
            assert_eq!((shape.status.as_u16(), shape.code), (status, code));
        }
    }

    #[test]
    fn a_providers_error_is_not_the_gateways() {
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
