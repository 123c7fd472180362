//! The operations of Google's two APIs.

use gateway::operation::{Operation, by_id, inference, unnamed_inference};

/// Google's OpenAI layer: <https://ai.google.dev/gemini-api/docs/openai>
pub(crate) const OPENAI_LAYER: &[Operation] = &[
    inference("POST", "/chat/completions"),
    inference("POST", "/embeddings"),
    inference("POST", "/images/generations"),
    inference("POST", "/images/edits"),
    inference("POST", "/videos"),
    inference("GET", "/models"),
    inference("GET", "/models/{}"),
    by_id("GET DELETE", "/videos/{}"),
    by_id("GET", "/videos/{}/content"),
    unnamed_inference("POST", "/batches"),
    by_id("GET", "/batches/{}"),
    by_id("POST", "/batches/{}/cancel"),
    by_id("POST", "/files"),
    by_id("GET DELETE", "/files/{}"),
    by_id("GET", "/files/{}/content"),
];

/// The Gemini API below its version, as of Google's Gen AI SDK for Node, version 3.1.0 of November
/// 2026. The requests of a batch may each name a model.
pub(crate) const GEMINI: &[Operation] = &[
    unnamed_inference("POST", "/models/{}:batchGenerateContent"),
    unnamed_inference("POST", "/models/{}:asyncBatchEmbedContent"),
    inference("POST", "/models/{}:generateContent"),
    inference("POST", "/models/{}:streamGenerateContent"),
    inference("POST", "/models/{}:countTokens"),
    inference("POST", "/models/{}:computeTokens"),
    inference("POST", "/models/{}:embedContent"),
    inference("POST", "/models/{}:batchEmbedContents"),
    inference("POST", "/models/{}:predict"),
    inference("POST", "/models/{}:predictLongRunning"),
    inference("POST", "/models/{}:generateAnswer"),
    inference("GET", "/models"),
    inference("GET", "/models/{}"),
    by_id("GET", "/models/{}/operations/{}"),
    by_id("GET DELETE", "/batches/{}"),
    by_id("POST", "/batches/{}:cancel"),
    inference("POST", "/cachedContents"),
    by_id("GET PATCH DELETE", "/cachedContents/{}"),
    inference("POST", "/interactions"),
    by_id("GET DELETE", "/interactions/{}"),
    by_id("POST", "/interactions/{}/cancel"),
    by_id("POST", "/files"),
    by_id("GET DELETE", "/files/{}"),
    by_id("POST", "/fileSearchStores"),
    by_id("GET POST DELETE", "/fileSearchStores/{}"),
    by_id("GET POST DELETE", "/fileSearchStores/{}/*"),
    by_id("GET", "/operations/{}"),
];
