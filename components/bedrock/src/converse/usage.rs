//! What an answer has cost, counted as OpenAI counts.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::completion::{CacheCreation, CompletionDetails, PromptDetails, Usage};
use crate::json::Text;

/// Bedrock's count, in an answer and in a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenUsage<'a> {
    /// Without what the cache is concerned with.
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    /// With it.
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_write_input_tokens: Option<u64>,
    #[serde(borrow, default)]
    cache_details: Option<Vec<CacheDetail<'a>>>,
}

/// What was written to the cache, to stay there for `ttl`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail<'a> {
    #[serde(borrow, default)]
    ttl: Text<'a>,
    #[serde(default)]
    input_tokens: u64,
}

/// What `additionalModelResponseFieldPaths` may have asked for.
#[derive(Deserialize)]
struct Fields {
    usage: FieldsUsage,
}

#[derive(Deserialize)]
struct FieldsUsage {
    output_tokens_details: CompletionTokens,
}

#[derive(Deserialize)]
struct CompletionTokens {
    #[serde(alias = "thinking_tokens")]
    reasoning_tokens: u64,
}

impl TokenUsage<'_> {
    /// This count as OpenAI's, of which `reasoning_tokens` may be known from elsewhere.
    pub(crate) fn count(&self, reasoning_tokens: Option<u64>) -> Usage {
        let cached_tokens = self.cache_read_input_tokens.unwrap_or_default();
        let written = self.cache_write_input_tokens.unwrap_or_default();
        let prompt_tokens = self.input_tokens.unwrap_or_default();
        let prompt_tokens = prompt_tokens.saturating_add(cached_tokens).saturating_add(written);
        let completion_tokens = self.output_tokens.unwrap_or_default();
        let sum = prompt_tokens.saturating_add(completion_tokens);
        Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: self.total_tokens.unwrap_or(sum),
            prompt_tokens_details: PromptDetails { cached_tokens },
            completion_tokens_details: reasoning_tokens.map(completion_details),
            cache_creation_input_tokens: self.cache_write_input_tokens,
            cache_creation: self.cache_details.as_deref().and_then(cache_creation),
        }
    }
}

/// How many tokens the model thought for, where the model's own `fields` say so.
pub(crate) fn reasoning_tokens(fields: Option<&RawValue>) -> Option<u64> {
    let fields: Fields = serde_json::from_str(fields?.get()).ok()?;
    Some(fields.usage.output_tokens_details.reasoning_tokens)
}

fn completion_details(reasoning_tokens: u64) -> CompletionDetails {
    CompletionDetails { reasoning_tokens }
}

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

    fn count(json: &str) -> Usage {
        serde_json::from_str::<TokenUsage<'_>>(json).unwrap().count(None)
    }

    #[test]
    fn the_prompt_includes_the_cache() {
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
            let usage = count(json);
            let cached = usage.prompt_tokens_details.cached_tokens;
            let found = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, cached);
            assert_eq!(found, expected, "{json}");
        }
    }

    #[test]
    fn writes_to_the_cache_are_told_by_their_time() {
        let usage = count(
            r#"{"inputTokens":1,"outputTokens":1,"totalTokens":14,"cacheWriteInputTokens":12,"cacheDetails":[{"ttl":"1h","inputTokens":10},{"ttl":"5m","inputTokens":2}]}"#,
        );
        assert_eq!(usage.cache_creation_input_tokens, Some(12));
        let expected = CacheCreation { five_minutes: 2, one_hour: 10 };
        assert_eq!(usage.cache_creation, Some(expected));
        assert_eq!(count(r#"{"cacheDetails":[]}"#).cache_creation, None);
    }

    #[test]
    fn reasoning_tokens_are_never_guessed() {
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
