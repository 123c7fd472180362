//! Amazon Titan: one text per request.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::embeddings::embedder::FIELDS_LENGTH;
use crate::embeddings::vectors::Vectors;
use crate::json::{self, from_bytes};

/// The body of a request to any Titan model.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct TitanRequest<'a> {
    input_text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normalize: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_config: Option<EmbeddingConfig>,
}

/// The vector size of the multimodal model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EmbeddingConfig {
    output_embedding_length: u64,
}

/// The body of a response.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TitanResponse<'a> {
    #[serde(borrow)]
    embedding: &'a RawValue,
    input_text_token_count: Option<u64>,
}

/// Creates a body for Titan Text Embeddings G1.
pub(crate) fn text_body(input_text: &str) -> Vec<u8> {
    print(&TitanRequest { input_text, ..TitanRequest::default() })
}

/// Creates a body for Titan Text Embeddings V2, which requests vectors of length 1, like OpenAI's.
pub(crate) fn text2_body(input_text: &str, dimensions: Option<u64>) -> Vec<u8> {
    let normalize = Some(true);
    print(&TitanRequest { input_text, dimensions, normalize, ..TitanRequest::default() })
}

/// Creates a body for Titan Multimodal Embeddings.
pub(crate) fn image_body(input_text: &str, dimensions: Option<u64>) -> Vec<u8> {
    let embedding_config =
        dimensions.map(|output_embedding_length| EmbeddingConfig { output_embedding_length });
    print(&TitanRequest { input_text, embedding_config, ..TitanRequest::default() })
}

/// Parses a response.
///
/// # Errors
/// The response contains no vector.
pub(crate) fn read(body: &[u8]) -> Result<Vectors<'_>, serde_json::Error> {
    let response: TitanResponse<'_> = from_bytes(body)?;
    Ok(Vectors { vectors: vec![response.embedding], tokens: response.input_text_token_count })
}

/// Serialises a body.
fn print(request: &TitanRequest<'_>) -> Vec<u8> {
    json::print(request, FIELDS_LENGTH + request.input_text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_of_each_model_has_its_own_fields() {
        for (body, expected) in [
            (text_body("a\"b"), r#"{"inputText":"a\"b"}"#),
            (text2_body("a", None), r#"{"inputText":"a","normalize":true}"#),
            (text2_body("a", Some(256)), r#"{"inputText":"a","dimensions":256,"normalize":true}"#),
            (image_body("a", None), r#"{"inputText":"a"}"#),
            (
                image_body("a", Some(384)),
                r#"{"inputText":"a","embeddingConfig":{"outputEmbeddingLength":384}}"#,
            ),
        ] {
            assert_eq!(String::from_utf8(body).unwrap(), expected);
        }
    }

    #[test]
    fn read_returns_the_vector_and_its_tokens() {
        let body = br#"{"embedding":[0.10, 1e-3],"embeddingsByType":{},"inputTextTokenCount":5}"#;
        let Vectors { vectors, tokens } = read(body).unwrap();
        assert_eq!((vectors[0].get(), vectors.len(), tokens), ("[0.10, 1e-3]", 1, Some(5)));
        assert_eq!(read(br#"{"embedding":[]}"#).unwrap().tokens, None);
        assert!(read(br#"{"message":"no"}"#).is_err());
    }
}
