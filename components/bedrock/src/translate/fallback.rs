//! The parameters to leave out when a request is retried after the model rejected some.
//!
//! Models change faster than any table of their capabilities, so the table may be wrong about one.

use gateway::Error;

/// The parameters that the second attempt leaves out, because the model rejected them in the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rejection of its own")]
pub(crate) struct Fallback {
    /// No grammar: the schema is sent as a tool.
    pub(crate) output_config: bool,
    /// No `temperature` and no `topP`.
    pub(crate) sampling: bool,
    /// No `topP` next to a `temperature`.
    pub(crate) top_p: bool,
    /// No `stopSequences`.
    pub(crate) stop_sequences: bool,
    /// No `toolChoice`.
    pub(crate) tool_choice: bool,
}

/// Determines from `error` what to leave out; `None` if a retry cannot help.
///
/// Bedrock has no codes for these errors, so their messages are matched.
pub(crate) fn for_error(error: &Error) -> Option<Fallback> {
    let Error::Provider(refusal) = error else {
        return None;
    };
    if refusal.shape.status.as_u16() != 400 {
        return None;
    }
    let says = |words: &str| refusal.message.contains(words);
    let lacks = |field: &str| {
        says(field)
            && ["does not support", "doesn't support", "not supported"].into_iter().any(says)
    };
    let fallback = Fallback {
        output_config: says("output_config.format") || says("Schema is too complex"),
        sampling: says("temperature") && says("deprecated") || says("top_p") && says("deprecated"),
        top_p: says("cannot both be specified"),
        stop_sequences: lacks("stopSequences"),
        tool_choice: lacks("toolChoice"),
    };
    (fallback != Fallback::default()).then_some(fallback)
}

#[cfg(test)]
mod tests {
    use gateway::Headers;
    use gateway::error::{Fault, ProviderError, Shape};
    use http::StatusCode;

    use super::*;

    fn refusal(status: u16, message: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        let shape = Shape { status, kind: "k", code: "c", fault: Fault::Client };
        let (message, headers) = (message.to_owned(), Headers::default());
        Error::Provider(Box::new(ProviderError { shape, message, headers }))
    }

    #[test]
    fn for_error_of_a_rejected_parameter_leaves_it_out() {
        let none = Fallback::default();
        for (message, expected) in [
            (
                "The model returned the following errors: output_config.format: Extra inputs",
                Fallback { output_config: true, ..none },
            ),
            ("Schema is too complex.", Fallback { output_config: true, ..none }),
            ("`temperature` is deprecated for this model", Fallback { sampling: true, ..none }),
            (
                "`temperature` and `top_p` cannot both be specified for this model",
                Fallback { top_p: true, ..none },
            ),
            (
                "This model does not support the stopSequences field",
                Fallback { stop_sequences: true, ..none },
            ),
            (
                "This model doesn't support the toolConfig.toolChoice.any field",
                Fallback { tool_choice: true, ..none },
            ),
        ] {
            assert_eq!(for_error(&refusal(400, message)), Some(expected), "{message}");
            assert_eq!(for_error(&refusal(429, message)), None, "{message}");
        }
    }

    #[test]
    fn for_error_of_another_kind_is_none() {
        for message in ["Input is too long", "stopSequences has 3000 items", ""] {
            assert_eq!(for_error(&refusal(400, message)), None, "{message}");
        }
        assert_eq!(for_error(&Error::MissingKey), None);
    }
}
