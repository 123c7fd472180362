//! What to leave out after a refusal that a second try can mend.
//!
//! Which model takes what changes faster than any table of models.

use gateway::Error;

use crate::converse::request::Degraded;

/// What `error` asks to leave out; `None` if it is of another kind.
pub(crate) fn after(error: &Error) -> Option<Degraded> {
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
    let degraded = Degraded {
        output_config: says("output_config.format") || says("Schema is too complex"),
        sampling: says("temperature") && says("deprecated") || says("top_p") && says("deprecated"),
        top_p: says("cannot both be specified"),
        stop_sequences: lacks("stopSequences"),
        tool_choice: lacks("toolChoice"),
    };
    (degraded != Degraded::default()).then_some(degraded)
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
    fn after_reads_what_the_model_refused() {
        let none = Degraded::default();
        for (message, expected) in [
            (
                "The model returned the following errors: output_config.format: Extra inputs",
                Degraded { output_config: true, ..none },
            ),
            ("Schema is too complex.", Degraded { output_config: true, ..none }),
            ("`temperature` is deprecated for this model", Degraded { sampling: true, ..none }),
            (
                "`temperature` and `top_p` cannot both be specified for this model",
                Degraded { top_p: true, ..none },
            ),
            (
                "This model does not support the stopSequences field",
                Degraded { stop_sequences: true, ..none },
            ),
            (
                "This model doesn't support the toolConfig.toolChoice.any field",
                Degraded { tool_choice: true, ..none },
            ),
        ] {
            assert_eq!(after(&refusal(400, message)), Some(expected), "{message}");
            assert_eq!(after(&refusal(429, message)), None, "{message}");
        }
    }

    #[test]
    fn after_leaves_other_errors_alone() {
        for message in ["Input is too long", "stopSequences has 3000 items", ""] {
            assert_eq!(after(&refusal(400, message)), None, "{message}");
        }
        assert_eq!(after(&Error::MissingKey), None);
    }
}
