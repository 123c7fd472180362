//! The token usage of a response, as OpenAI counts it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::converse::usage::{CacheDetail, TokenUsage};
use crate::openai::completion::{CacheCreation, CompletionDetails, PromptDetails, Usage};

/// The model's own response fields, which `additionalModelResponseFieldPaths` asks for.
#[derive(Deserialize)]
struct Fields {
    usage: FieldsUsage,
}

/// The usage among a model's own response fields.
#[derive(Deserialize)]
struct FieldsUsage {
    output_tokens_details: CompletionTokens,
}

/// The tokens of a completion, by kind.
#[derive(Deserialize)]
struct CompletionTokens {
    #[serde(alias = "thinking_tokens")]
    reasoning_tokens: u64,
}

/// Counts `usage` as OpenAI does; `reasoning_tokens` may be known from elsewhere.
pub(crate) fn count(usage: &TokenUsage<'_>, reasoning_tokens: Option<u64>) -> Usage {
    let cached_tokens = usage.cache_read_input_tokens.unwrap_or_default();
    let written = usage.cache_write_input_tokens.unwrap_or_default();
    // Bedrock counts cached tokens separately, OpenAI as a part of the prompt.
    let prompt_tokens = usage.input_tokens.unwrap_or_default();
    let prompt_tokens = prompt_tokens.saturating_add(cached_tokens).saturating_add(written);
    let completion_tokens = usage.output_tokens.unwrap_or_default();
    let sum = prompt_tokens.saturating_add(completion_tokens);
    Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: usage.total_tokens.unwrap_or(sum),
        prompt_tokens_details: PromptDetails { cached_tokens },
        completion_tokens_details: reasoning_tokens.map(completion_details),
        cache_creation_input_tokens: usage.cache_write_input_tokens,
        cache_creation: usage.cache_details.as_deref().and_then(cache_creation),
    }
}

/// Returns the number of reasoning tokens, if the model's own `fields` contain it.
pub(crate) fn reasoning_tokens(fields: Option<&RawValue>) -> Option<u64> {
    let fields: Fields = serde_json::from_str(fields?.get()).ok()?;
    Some(fields.usage.output_tokens_details.reasoning_tokens)
}

/// Creates the details that hold the reasoning tokens.
fn completion_details(reasoning_tokens: u64) -> CompletionDetails {
    CompletionDetails { reasoning_tokens }
}

/// Counts the tokens written to the cache by how long they stay there.
fn cache_creation(details: &[CacheDetail<'_>]) -> Option<CacheCreation> {
    let written = |ttl: &str| {
        let matching = details.iter().filter(|detail| &*detail.ttl == ttl);
        matching.fold(0_u64, |sum, detail| sum.saturating_add(detail.input_tokens))
    };
    let creation = CacheCreation { five_minutes: written("5m"), one_hour: written("1h") };
    (!details.is_empty()).then_some(creation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(json: &str) -> Usage {
        count(&serde_json::from_str(json).unwrap(), None)
    }

    #[test]
    fn count_of_the_prompt_includes_the_cache() {
        for (json, expected) in [
            (
                r#"{"inputTokens":16,"outputTokens":9,"totalTokens":2412,"cacheWriteInputTokens":2387}"#,
                (2403, 9, 2412, 0),
            ),
            (
                r#"{"inputTokens":16,"outputTokens":9,"totalTokens":2412,"cacheReadInputTokens":2387,"cacheWriteInputTokens":0}"#,
                (2403, 9, 2412, 2387),
            ),
            (r#"{"inputTokens":3,"outputTokens":4}"#, (3, 4, 7, 0)),
            (r#"{"inputTokens":null}"#, (0, 0, 0, 0)),
        ] {
            let usage = counted(json);
            let cached = usage.prompt_tokens_details.cached_tokens;
            let found = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, cached);
            assert_eq!(found, expected, "{json}");
        }
    }

    #[test]
    fn count_of_cache_writes_is_split_by_ttl() {
        let usage = counted(
            r#"{"inputTokens":1,"outputTokens":1,"totalTokens":14,"cacheWriteInputTokens":12,"cacheDetails":[{"ttl":"1h","inputTokens":10},{"ttl":"5m","inputTokens":2}]}"#,
        );
        assert_eq!(usage.cache_creation_input_tokens, Some(12));
        let expected = CacheCreation { five_minutes: 2, one_hour: 10 };
        assert_eq!(usage.cache_creation, Some(expected));
        assert_eq!(counted(r#"{"cacheDetails":[]}"#).cache_creation, None);
    }

    #[test]
    fn reasoning_tokens_without_a_field_are_none() {
        for (fields, expected) in [
            (r#"{"usage":{"output_tokens_details":{"reasoning_tokens":5}}}"#, Some(5)),
            (r#"{"usage":{"output_tokens_details":{"thinking_tokens":6}}}"#, Some(6)),
            (r#"{"usage":{"output_tokens_details":null}}"#, None),
            (r#"{"stop_sequence":null}"#, None),
            ("[]", None),
        ] {
            let raw: &RawValue = serde_json::from_str(fields).unwrap();
            assert_eq!(reasoning_tokens(Some(raw)), expected, "{fields}");
        }
        assert_eq!(reasoning_tokens(None), None);
    }
}
