//! The finish reason of a response.

use gateway::error::{Fault, ProviderError, Shape};
use gateway::{Error, Headers};
use http::StatusCode;

/// The kinds of tools that a response calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// A tool of the client's.
    pub(crate) has_tool: bool,
    /// The synthetic tool that carries a response by a schema.
    pub(crate) has_json: bool,
}

/// Maps Bedrock's `stop_reason` to a `finish_reason`. Unknown reasons map to `stop`, which every
/// client knows.
///
/// # Errors
/// [`Error::Provider`] for a message that the model malformed.
pub(crate) fn of(stop_reason: &str, calls: Calls) -> Result<&'static str, Error> {
    match stop_reason {
        // Some models call a tool and report `end_turn`.
        "end_turn" | "tool_use" if calls.has_tool => Ok("tool_calls"),
        "tool_use" if !calls.has_json => Ok("tool_calls"),
        "max_tokens" | "model_context_window_exceeded" => Ok("length"),
        "guardrail_intervened" | "content_filtered" => Ok("content_filter"),
        "malformed_model_output" | "malformed_tool_use" => Err(malformed(stop_reason)),
        _ => Ok("stop"),
    }
}

/// Creates the error for a message that the model malformed.
fn malformed(stop_reason: &str) -> Error {
    let shape = Shape {
        status: StatusCode::BAD_GATEWAY,
        kind: "server_error",
        code: "bad_upstream_response",
        fault: Fault::Upstream,
    };
    let message = format!("the model returned a malformed response: {stop_reason}");
    Error::Provider(Box::new(ProviderError { shape, message, headers: Headers::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Calls = Calls { has_tool: false, has_json: false };
    const TOOL: Calls = Calls { has_tool: true, has_json: false };
    const JSON: Calls = Calls { has_tool: false, has_json: true };
    const BOTH: Calls = Calls { has_tool: true, has_json: true };

    #[test]
    fn of_a_stop_reason_is_its_finish_reason() {
        for (stop_reason, calls, expected) in [
            ("end_turn", NOTHING, "stop"),
            ("end_turn", TOOL, "tool_calls"),
            ("end_turn", JSON, "stop"),
            ("end_turn", BOTH, "tool_calls"),
            ("stop_sequence", NOTHING, "stop"),
            ("tool_use", NOTHING, "tool_calls"),
            ("tool_use", TOOL, "tool_calls"),
            ("tool_use", JSON, "stop"),
            ("tool_use", BOTH, "tool_calls"),
            ("max_tokens", NOTHING, "length"),
            ("max_tokens", TOOL, "length"),
            ("max_tokens", JSON, "length"),
            ("model_context_window_exceeded", NOTHING, "length"),
            ("guardrail_intervened", NOTHING, "content_filter"),
            ("content_filtered", NOTHING, "content_filter"),
            ("an_unknown_reason", NOTHING, "stop"),
            ("", NOTHING, "stop"),
        ] {
            let found = of(stop_reason, calls).unwrap();
            assert_eq!(found, expected, "{stop_reason} {calls:?}");
        }
    }

    #[test]
    fn of_a_malformed_message_is_an_error() {
        for stop_reason in ["malformed_model_output", "malformed_tool_use"] {
            let error = of(stop_reason, TOOL).unwrap_err();
            let Shape { status, kind, code, .. } = error.shape();
            let expected = (502, "server_error", "bad_upstream_response");
            assert_eq!((status.as_u16(), kind, code), expected);
            assert!(error.to_string().ends_with(stop_reason), "{error}");
        }
    }
}
