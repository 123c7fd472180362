//! How errors look to clients: the one place where errors become responses, with one function per
//! envelope.

use std::time::Duration;

use crate::error::{Error, Shape};
use crate::http::json::quoted;
use crate::http::response::Response;

/// The error envelope that a client's SDK parses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's envelope. <https://platform.openai.com/docs/guides/error-codes>
    #[default]
    OpenAi,
    /// Anthropic's. <https://docs.anthropic.com/en/api/errors>
    Anthropic,
    /// Google's. <https://cloud.google.com/apis/design/errors>
    Google,
    /// Cloudflare's REST API's. <https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/>
    Cloudflare,
}

/// How long a client should wait before it retries after a store failure or a conflict.
const STORE_RETRY: Duration = Duration::from_secs(1);

impl Dialect {
    /// Converts `error` into a response in this dialect.
    pub fn response(self, error: &Error) -> Response {
        let body = self.envelope(error).into_bytes();
        let mut response = Response::new(error.shape().status, body, "application/json");
        match error {
            Error::MethodNotAllowed { allowed } => response.headers.push("allow", *allowed),
            Error::StoreUnavailable(_) | Error::InProgress => {
                response.headers.push("retry-after", STORE_RETRY.as_secs().to_string());
            }
            Error::RotatedTooRecently { seconds } => {
                response.headers.push("retry-after", seconds.to_string());
            }
            Error::RateLimited(limit) => limit.add_headers(&mut response.headers),
            // The SDKs of OpenAI and Anthropic retry a 429 without this header.
            Error::QuotaExceeded { .. } => response.headers.push("x-should-retry", "false"),
            Error::AiGateway(error) => response.headers.extend(&error.headers),
            Error::Provider(error) => response.headers.extend(&error.headers),
            _ => {}
        }
        response
    }

    /// Converts `error` into the last event of a stream whose first bytes the client already has.
    pub fn event(self, error: &Error) -> Vec<u8> {
        let name = if self == Self::Anthropic { "event: error\n" } else { "" };
        // The upstream may have stopped in the middle of an event. The empty line ends that event, so
        // that this one is parsed on its own.
        format!("\n\n{name}data: {}\n\n", self.envelope(error)).into_bytes()
    }

    /// Formats `error` as JSON. Only the message may need escapes: the other parts are constants.
    fn envelope(self, error: &Error) -> String {
        let shape = error.shape();
        let message = quoted(&error.to_string());
        match self {
            Self::OpenAi => openai(shape, &message, error),
            Self::Anthropic => anthropic(shape, &message),
            Self::Google => google(shape, &message, error),
            Self::Cloudflare => cloudflare(shape, &message),
        }
    }
}

fn openai(shape: Shape, message: &str, error: &Error) -> String {
    let Shape { kind, code, .. } = shape;
    let param = error.param().map_or_else(|| "null".to_owned(), quoted);
    let id = match error {
        Error::AlreadyDone { id } | Error::Replaced { id } => format!(r#","id":{}"#, quoted(id)),
        _ => String::new(),
    };
    format!(
        r#"{{"error":{{"message":{message},"type":"{kind}","param":{param},"code":"{code}"{id}}}}}"#
    )
}

fn anthropic(shape: Shape, message: &str) -> String {
    let kind = match shape.status.as_u16() {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 | 405 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    format!(r#"{{"type":"error","error":{{"type":"{kind}","message":{message}}}}}"#)
}

fn google(shape: Shape, message: &str, error: &Error) -> String {
    let code = shape.status.as_u16();
    let status = match code {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 | 405 => "NOT_FOUND",
        402 | 429 => "RESOURCE_EXHAUSTED",
        400..=499 => "INVALID_ARGUMENT",
        502 | 503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    };
    // <https://cloud.google.com/apis/design/errors#error_details>
    let details = match error {
        Error::RateLimited(limit) => {
            let seconds = limit.retry_seconds();
            let kind = "type.googleapis.com/google.rpc.RetryInfo";
            format!(r#","details":[{{"@type":"{kind}","retryDelay":"{seconds}s"}}]"#)
        }
        _ => String::new(),
    };
    format!(r#"{{"error":{{"code":{code},"message":{message},"status":"{status}"{details}}}}}"#)
}

/// Formats Cloudflare's envelope. Its codes are Cloudflare's own numbers; the status stands in for
/// one.
fn cloudflare(shape: Shape, message: &str) -> String {
    let code = shape.status.as_u16();
    format!(
        r#"{{"result":null,"success":false,"errors":[{{"code":{code},"message":{message}}}],"messages":[]}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Cause;
    use crate::limits::refusal::{RateLimit, Rates};

    fn text(dialect: Dialect, error: &Error) -> String {
        String::from_utf8(dialect.response(error).body).unwrap()
    }

    #[test]
    fn response_names_the_key_already_created() {
        let error = Error::AlreadyDone { id: "0a".to_owned() };
        let expected = r#"{"error":{"message":"already done: created key 0a; if its response was lost, rotate that key with the admin token","type":"invalid_request_error","param":null,"code":"already_done","id":"0a"}}"#;
        assert_eq!(text(Dialect::OpenAi, &error), expected);
    }

    #[test]
    fn response_has_the_envelope_of_each_dialect() {
        let error = Error::invalid_param("model", "`model` must be a string");
        for (dialect, expected) in [
            (
                Dialect::OpenAi,
                r#"{"error":{"message":"`model` must be a string","type":"invalid_request_error","param":"model","code":"invalid_body"}}"#,
            ),
            (
                Dialect::Anthropic,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"`model` must be a string"}}"#,
            ),
            (
                Dialect::Google,
                r#"{"error":{"code":400,"message":"`model` must be a string","status":"INVALID_ARGUMENT"}}"#,
            ),
            (
                Dialect::Cloudflare,
                r#"{"result":null,"success":false,"errors":[{"code":400,"message":"`model` must be a string"}],"messages":[]}"#,
            ),
        ] {
            assert_eq!(text(dialect, &error), expected);
            assert_eq!(dialect.response(&error).status, 400);
        }
    }

    #[test]
    fn response_names_the_status_in_each_dialect() {
        let cause = || Cause("c".to_owned());
        for (error, anthropic, google) in [
            (Error::MissingKey, "authentication_error", "UNAUTHENTICATED"),
            (Error::ModelNotAllowed("m".to_owned()), "permission_error", "PERMISSION_DENIED"),
            (Error::UnknownUrl { supported: "x" }, "not_found_error", "NOT_FOUND"),
            (Error::TooLarge { limit: 1 }, "request_too_large", "INVALID_ARGUMENT"),
            (Error::UpstreamTimeout(cause()), "timeout_error", "DEADLINE_EXCEEDED"),
            (Error::UpstreamUnreachable(cause()), "api_error", "UNAVAILABLE"),
            (Error::CorruptRecord(cause()), "api_error", "INTERNAL"),
        ] {
            assert!(text(Dialect::Anthropic, &error).contains(anthropic), "{error}");
            assert!(text(Dialect::Google, &error).contains(google), "{error}");
        }
    }

    #[test]
    fn response_has_the_headers_of_its_error() {
        let store = Dialect::OpenAi.response(&Error::StoreUnavailable(Cause("c".to_owned())));
        assert_eq!(store.headers.get_str("retry-after"), Some("1"));
        let method = Dialect::OpenAi.response(&Error::MethodNotAllowed { allowed: "GET, POST" });
        assert_eq!(method.headers.get_str("allow"), Some("GET, POST"));
        let quota = Dialect::Anthropic
            .response(&Error::QuotaExceeded { message: "m".to_owned(), limit: "l".to_owned() });
        assert_eq!(quota.headers.get_str("x-should-retry"), Some("false"));
        assert_eq!(quota.headers.get_str("retry-after"), None);
    }

    #[test]
    fn response_to_a_reached_rate_says_when_to_retry() {
        let limit = RateLimit {
            message: "m".to_owned(),
            label: "l".to_owned(),
            kind: "tokens",
            retry_ms: 11_500,
            rates: Rates::default(),
        };
        let error = Error::RateLimited(Box::new(limit));
        for (dialect, expected) in [
            (
                Dialect::OpenAi,
                r#"{"error":{"message":"m","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
            ),
            (
                Dialect::Anthropic,
                r#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#,
            ),
            (
                Dialect::Google,
                r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12s"}]}}"#,
            ),
        ] {
            assert_eq!(text(dialect, &error), expected);
            let headers = dialect.response(&error).headers;
            assert_eq!(headers.get_str("retry-after"), Some("12"));
            assert_eq!(headers.get_str("retry-after-ms"), Some("11500"));
        }
    }

    #[test]
    fn event_starts_with_an_empty_line() {
        let error = Error::UpstreamInterrupted(Cause("c".to_owned()));
        let event = String::from_utf8(Dialect::Anthropic.event(&error)).unwrap();
        assert!(event.starts_with("\n\nevent: error\ndata: {") && event.ends_with("}\n\n"));
        let event = String::from_utf8(Dialect::OpenAi.event(&error)).unwrap();
        assert!(event.starts_with("\n\ndata: {\"error\":"), "{event}");
    }
}
