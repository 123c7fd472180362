//! The capabilities that a model turned out not to have when it rejected a request.
//!
//! Models change faster than any table of their capabilities, so the table may be wrong about one.

use gateway::Error;

use crate::catalog::capabilities::{Choices, Reasoning, Sampling, Unreasoned};
use crate::catalog::model::Model;

/// What the next attempt does without, because the model rejected it in an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rejection of its own")]
pub(crate) struct Fallback {
    /// No grammar: the schema is sent as a tool.
    pub(crate) output_config: bool,
    /// No `temperature` and no `topP`.
    pub(crate) sampling: bool,
    /// No `top_k`.
    pub(crate) top_k: bool,
    /// No `topP` next to a `temperature`.
    pub(crate) top_p: bool,
    /// No `stopSequences`.
    pub(crate) stop_sequences: bool,
    /// No `toolChoice`.
    pub(crate) tool_choice: bool,
    /// No `strict` tools.
    pub(crate) strict_tools: bool,
    /// No system prompt outside the conversation.
    pub(crate) system_prompt: bool,
    /// No text in a turn that has tool calls or results.
    pub(crate) mixed_turns: bool,
    /// No stream of a response that may call tools.
    pub(crate) tool_stream: bool,
    /// No cache points.
    pub(crate) caching: bool,
    /// No reasoning.
    pub(crate) reasoning: bool,
    /// No token limit that the client did not set.
    pub(crate) max_tokens: bool,
}

/// The ways in which Bedrock and its models say that they do not know a field.
const REJECTIONS: [&str; 7] = [
    "does not support",
    "doesn't support",
    "doesn\u{2019}t support",
    "not supported",
    "not permitted",
    "not allowed",
    "is deprecated",
];

/// Determines from `error` what the next attempt must do without; `None` if a retry cannot help.
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
    let is_rejection = REJECTIONS.into_iter().any(says);
    let rejects = |fields: &[&str]| is_rejection && fields.iter().copied().any(says);
    // Which schema it is about does not show.
    let is_schema = ["Schema is too complex", "compiled grammar", "Schemas contains too many"]
        .into_iter()
        .any(says);
    let is_effort = says("output_config") && !says("output_config.format");
    let fallback = Fallback {
        output_config: is_schema
            || says("output_config.format")
            || rejects(&["outputConfig", "textFormat"]),
        sampling: rejects(&["temperature", "topP", "top_p"]),
        top_k: rejects(&["topK", "top_k"]),
        top_p: says("cannot both be specified"),
        stop_sequences: rejects(&["stopSequences", "stop_sequences"]),
        tool_choice: rejects(&["toolChoice", "tool_choice"]),
        strict_tools: is_schema || rejects(&[".strict", "[strict]", ".custom"]),
        system_prompt: rejects(&["system messages", "system prompt"]),
        mixed_turns: says("cannot be provided in the same turn"),
        tool_stream: is_rejection && says("streaming mode") && says("tool"),
        caching: rejects(&["cachePoint", "cache_control", "prompt caching"]),
        reasoning: rejects(&["thinking", "reasoning", "effort"]) || is_rejection && is_effort,
        max_tokens: says("exceed context limit") || says("exceeds the model limit"),
    };
    (fallback != Fallback::default()).then_some(fallback)
}

impl Fallback {
    /// Combines what two attempts were rejected for.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            output_config: self.output_config || other.output_config,
            sampling: self.sampling || other.sampling,
            top_k: self.top_k || other.top_k,
            top_p: self.top_p || other.top_p,
            stop_sequences: self.stop_sequences || other.stop_sequences,
            tool_choice: self.tool_choice || other.tool_choice,
            strict_tools: self.strict_tools || other.strict_tools,
            system_prompt: self.system_prompt || other.system_prompt,
            mixed_turns: self.mixed_turns || other.mixed_turns,
            tool_stream: self.tool_stream || other.tool_stream,
            caching: self.caching || other.caching,
            reasoning: self.reasoning || other.reasoning,
            max_tokens: self.max_tokens || other.max_tokens,
        }
    }

    /// Returns `model` without the capabilities that it turned out not to have.
    pub(crate) fn applied_to(self, model: &Model) -> Model {
        let mut model = model.clone();
        let capabilities = &mut model.capabilities;
        capabilities.top_k &= !self.top_k;
        capabilities.structured_output &= !self.output_config;
        capabilities.strict_tools &= !self.strict_tools;
        capabilities.system_prompt &= !self.system_prompt;
        capabilities.mixed_turns &= !self.mixed_turns;
        capabilities.streams_tools &= !self.tool_stream;
        capabilities.caching &= !self.caching;
        capabilities.caches_tools &= !self.caching;
        capabilities.sampling = match capabilities.sampling {
            _ if self.sampling => Sampling::No,
            Sampling::Both if self.top_p => Sampling::One,
            sampling => sampling,
        };
        if self.tool_choice {
            capabilities.tool_choice = Choices { any: false, tool: false };
        }
        capabilities.max_tokens = capabilities.max_tokens.filter(|_| !self.max_tokens);
        if self.reasoning {
            capabilities.reasoning = Reasoning::No;
            capabilities.unreasoned = Unreasoned::Omit;
        }
        model
    }
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

    fn none() -> Fallback {
        Fallback::default()
    }

    #[track_caller]
    fn assert_rejected(messages: &[&str], expected: Fallback) {
        for message in messages {
            assert_eq!(for_error(&refusal(400, message)), Some(expected), "{message}");
            assert_eq!(for_error(&refusal(429, message)), None, "{message}");
        }
    }

    #[test]
    fn for_error_of_a_rejected_parameter_leaves_it_out() {
        assert_rejected(
            &[
                "`temperature` is deprecated for this model",
                "This model doesn't support the temperature field.",
            ],
            Fallback { sampling: true, ..none() },
        );
        assert_rejected(
            &["Malformed input request: #: extraneous key [top_k] is not permitted"],
            Fallback { top_k: true, ..none() },
        );
        assert_rejected(
            &["`temperature` and `top_p` cannot both be specified for this model"],
            Fallback { top_p: true, ..none() },
        );
        assert_rejected(
            &["This model does not support the stopSequences field"],
            Fallback { stop_sequences: true, ..none() },
        );
        assert_rejected(
            &[
                "This model doesn't support the toolConfig.toolChoice.any field",
                "tool_choice: Extra inputs are not permitted",
            ],
            Fallback { tool_choice: true, ..none() },
        );
        assert_rejected(
            &[
                "input length and `max_tokens` exceed context limit: 150000 + 64000 > 200000",
                "The maximum tokens you requested exceeds the model limit of 32000.",
            ],
            Fallback { max_tokens: true, ..none() },
        );
    }

    #[test]
    fn for_error_about_a_schema_or_reasoning_leaves_it_out() {
        assert_rejected(
            &[
                "The model returned the following errors: output_config.format: Extra inputs",
                "outputConfig: Extra inputs are not permitted",
            ],
            Fallback { output_config: true, ..none() },
        );
        assert_rejected(
            &["Schema is too complex.", "The compiled grammar is too large."],
            Fallback { output_config: true, strict_tools: true, ..none() },
        );
        assert_rejected(
            &[
                "tools.0.custom: property 'pattern' is not supported",
                "tools.0.custom.strict: Extra inputs are not permitted",
                "#/toolConfig/tools/0: extraneous key [strict] is not permitted",
            ],
            Fallback { strict_tools: true, ..none() },
        );
        assert_rejected(
            &[
                "output_config.effort: Extra inputs are not permitted",
                "This model does not support the effort parameter.",
                "\"thinking.type.enabled\" is not supported for this model",
            ],
            Fallback { reasoning: true, ..none() },
        );
    }

    #[test]
    fn for_error_about_the_form_of_a_conversation_changes_it() {
        assert_rejected(
            &["This model doesn't support system messages. Try again without system messages."],
            Fallback { system_prompt: true, ..none() },
        );
        assert_rejected(
            &["messages.2.content: Conversation blocks and tool result blocks cannot be provided \
               in the same turn."],
            Fallback { mixed_turns: true, ..none() },
        );
        assert_rejected(
            &["This model doesn't support tool use in streaming mode."],
            Fallback { tool_stream: true, ..none() },
        );
        assert_rejected(
            &["#/system/1: extraneous key [cachePoint] is not permitted"],
            Fallback { caching: true, ..none() },
        );
    }

    #[test]
    fn for_error_of_another_kind_is_none() {
        for message in ["Input is too long", "stopSequences has 3000 items", "not permitted", ""] {
            assert_eq!(for_error(&refusal(400, message)), None, "{message}");
        }
        assert_eq!(for_error(&Error::MissingKey), None);
    }

    #[test]
    fn and_keeps_what_either_attempt_was_rejected_for() {
        let one = Fallback { sampling: true, mixed_turns: true, ..Fallback::default() };
        let other = Fallback { caching: true, ..Fallback::default() };
        let both = Fallback { caching: true, ..one };
        assert_eq!((one.and(other), other.and(one), one.and(one)), (both, both, one));
    }
}
