//! The names of operations in the log.

/// The ends of paths, and the name of the operation there: OpenTelemetry's where it has one. A longer end
/// comes before a shorter one.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/#gen-ai-operation-name>
const NAMES: [(&str, &str); 22] = [
    ("/chat/completions", "chat"),
    ("/completions", "text_completion"),
    ("/responses/input_tokens", "count_tokens"),
    ("/responses", "chat"),
    ("/messages/count_tokens", "count_tokens"),
    ("/messages", "chat"),
    ("/embeddings", "embeddings"),
    (":embedContent", "embeddings"),
    (":batchEmbedContents", "embeddings"),
    (":generateContent", "generate_content"),
    (":streamGenerateContent", "generate_content"),
    (":countTokens", "count_tokens"),
    ("/images/generations", "image_generation"),
    ("/images/edits", "image_edit"),
    ("/images/variations", "image_variation"),
    ("/audio/speech", "speech"),
    ("/audio/transcriptions", "transcription"),
    ("/audio/translations", "translation"),
    ("/moderations", "moderation"),
    ("/rerank", "rerank"),
    ("/batches", "batch"),
    ("/models", "list_models"),
];

/// Returns the name of the operation at `path_with_query`, if it has one.
pub fn of_path(path_with_query: &str) -> Option<&'static str> {
    let path = path_with_query.split('?').next().unwrap_or_default();
    NAMES.iter().find(|(end, _)| path.ends_with(end)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_path_knows_every_form_of_an_operation() {
        for (path, expected) in [
            ("/openai/v1/chat/completions", Some("chat")),
            ("/openai/completions", Some("text_completion")),
            ("/azure/openai/deployments/d/chat/completions?api-version=1", Some("chat")),
            ("/anthropic/v1/messages", Some("chat")),
            ("/anthropic/v1/messages/count_tokens", Some("count_tokens")),
            ("/openai/responses/input_tokens", Some("count_tokens")),
            ("/google/v1beta/models/m:streamGenerateContent?alt=sse", Some("generate_content")),
            ("/v1/models", Some("list_models")),
            ("/openai/files", None),
            ("/tokens", None),
            ("", None),
        ] {
            assert_eq!(of_path(path), expected, "{path}");
        }
    }
}
