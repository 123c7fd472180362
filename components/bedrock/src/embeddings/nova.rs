//! Amazon Nova Multimodal Embeddings: one text per request.
//! <https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html>

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::embeddings::embedder::FIELDS_LENGTH;
use crate::embeddings::request::EmbeddingRequest;
use crate::embeddings::vectors::Vectors;
use crate::json::{self, from_bytes};

/// The body of a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NovaRequest<'a> {
    schema_version: &'a str,
    task_type: &'a str,
    single_embedding_params: Params<'a>,
}

/// The parameters of a single embedding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    embedding_purpose: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_dimension: Option<u64>,
    text: Text<'a>,
}

/// The text, and how it is cut if it is too long.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Text<'a> {
    truncation_mode: &'a str,
    value: &'a str,
}

/// The body of a response.
#[derive(Deserialize)]
struct NovaResponse<'a> {
    #[serde(borrow)]
    embeddings: Vec<NovaEmbedding<'a>>,
}

/// One embedding.
#[derive(Deserialize)]
struct NovaEmbedding<'a> {
    #[serde(borrow)]
    embedding: &'a RawValue,
}

/// Creates the body that requests `value`.
pub(crate) fn body(value: &str, request: &EmbeddingRequest<'_>) -> Vec<u8> {
    let request = NovaRequest {
        schema_version: "nova-multimodal-embed-v1",
        task_type: "SINGLE_EMBEDDING",
        single_embedding_params: Params {
            embedding_purpose: purpose(request.input_type),
            embedding_dimension: request.dimensions,
            text: Text { truncation_mode: request.truncate.unwrap_or("END"), value },
        },
    };
    json::print(&request, FIELDS_LENGTH + value.len())
}

/// Returns Nova's name for the purpose of an embedding.
fn purpose(input_type: &str) -> &'static str {
    match input_type {
        "search_query" => "GENERIC_RETRIEVAL",
        "classification" => "CLASSIFICATION",
        "clustering" => "CLUSTERING",
        _ => "GENERIC_INDEX",
    }
}

/// Parses a response.
///
/// # Errors
/// The response contains no vectors.
pub(crate) fn read(body: &[u8]) -> Result<Vectors<'_>, serde_json::Error> {
    let response: NovaResponse<'_> = from_bytes(body)?;
    let vectors = response.embeddings.iter().map(|embedding| embedding.embedding).collect();
    Ok(Vectors { vectors, tokens: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_contains_the_purpose() {
        for (members, purpose, dimension, truncation) in [
            ("", "GENERIC_INDEX", "", "END"),
            (r#","input_type":"search_query","truncate":"NONE""#, "GENERIC_RETRIEVAL", "", "NONE"),
            (r#","input_type":"classification""#, "CLASSIFICATION", "", "END"),
            (
                r#","input_type":"clustering","dimensions":384"#,
                "CLUSTERING",
                r#""embeddingDimension":384,"#,
                "END",
            ),
        ] {
            let request = format!(r#"{{"model":"m","input":"a"{members}}}"#);
            let request = EmbeddingRequest::parse(request.as_bytes()).unwrap();
            let expected = format!(
                r#"{{"schemaVersion":"nova-multimodal-embed-v1","taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{{"embeddingPurpose":"{purpose}",{dimension}"text":{{"truncationMode":"{truncation}","value":"a"}}}}}}"#
            );
            assert_eq!(String::from_utf8(body("a", &request)).unwrap(), expected, "{members}");
        }
    }

    #[test]
    fn read_returns_the_vector() {
        let body = br#"{"embeddings":[{"embeddingType":"TEXT","embedding":[1.0,2]}]}"#;
        let Vectors { vectors, tokens } = read(body).unwrap();
        assert_eq!((vectors[0].get(), vectors.len(), tokens), ("[1.0,2]", 1, None));
        assert!(read(b"{}").is_err());
    }
}
