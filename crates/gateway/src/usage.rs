//! The tokens that a request has used: as responses report them, and as they are estimated where a
//! response does not.

pub mod chunk;
pub mod observer;
pub mod report;
pub mod scanner;
pub mod stream_options;

/// The tokens that one request has used. The input includes cached tokens and the output includes
/// reasoning, as OpenAI and OpenTelemetry count them.
/// <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens, with those that were read from a cache or written to one.
    pub input: i64,
    /// Output tokens, with those of reasoning.
    pub output: i64,
    /// The input tokens that were read from a cache.
    pub cached: i64,
    /// The input tokens that were written to a cache.
    pub cache_write: i64,
    /// The output tokens of reasoning.
    pub reasoning: i64,
}

/// When a provider reports the usage of a stream of chat completions or completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamUsage {
    /// In every stream.
    Always,
    /// If `stream_options.include_usage` asks for it.
    /// <https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options>
    OnRequest,
}

impl Usage {
    /// Returns all tokens.
    pub fn total(&self) -> i64 {
        self.input.saturating_add(self.output)
    }
}
