//! The token counts of Converse, in a response and in a stream.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>

use serde::Deserialize;

use crate::json::Text;

/// Bedrock's count of tokens, in a response and in a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenUsage<'a> {
    /// Without the tokens read from or written to the cache.
    #[serde(default)]
    pub(crate) input_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) output_tokens: Option<u64>,
    /// With the tokens of the cache.
    #[serde(default)]
    pub(crate) total_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) cache_write_input_tokens: Option<u64>,
    #[serde(borrow, default)]
    pub(crate) cache_details: Option<Vec<CacheDetail<'a>>>,
}

/// The tokens written to the cache for the time `ttl`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CacheDetail<'a> {
    #[serde(borrow, default)]
    pub(crate) ttl: Text<'a>,
    #[serde(default)]
    pub(crate) input_tokens: u64,
}
