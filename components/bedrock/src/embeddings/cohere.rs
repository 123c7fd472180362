//! Cohere Embed: many texts per request.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::embeddings::embedder::FIELDS_LENGTH;
use crate::embeddings::request::EmbeddingRequest;
use crate::embeddings::vectors::Vectors;
use crate::json::{self, Text, from_bytes};

/// The body of a request.
#[derive(Serialize)]
struct CohereRequest<'a> {
    texts: &'a [Text<'a>],
    input_type: &'a str,
    embedding_types: [&'a str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
}

/// The body of a response.
#[derive(Deserialize)]
struct CohereResponse<'a> {
    #[serde(borrow)]
    embeddings: &'a RawValue,
}

/// Vectors by number type; only one type is requested.
#[derive(Deserialize)]
struct ByType<'a> {
    #[serde(borrow)]
    float: Vec<&'a RawValue>,
}

/// Creates the body that requests `texts`.
pub(crate) fn body(texts: &[Text<'_>], request: &EmbeddingRequest<'_>) -> Vec<u8> {
    let request = CohereRequest {
        texts,
        input_type: request.input_type,
        embedding_types: ["float"],
        truncate: request.truncate,
        output_dimension: request.dimensions,
    };
    // Each text has two quotes and a comma.
    let length = texts.iter().map(|text| text.len() + 3).sum::<usize>();
    json::print(&request, FIELDS_LENGTH + length)
}

/// Parses a response. Older versions of Embed 3 do not group their vectors by type.
///
/// # Errors
/// The response contains no vectors.
pub(crate) fn read(body: &[u8]) -> Result<Vectors<'_>, serde_json::Error> {
    let response: CohereResponse<'_> = from_bytes(body)?;
    let embeddings = response.embeddings.get();
    let vectors = if embeddings.starts_with('[') {
        serde_json::from_str(embeddings)?
    } else {
        serde_json::from_str::<ByType<'_>>(embeddings)?.float
    };
    Ok(Vectors { vectors, tokens: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_contains_the_input_type() {
        for (body_of_client, expected) in [
            (
                r#"{"model":"m","input":["a","b"]}"#,
                r#"{"texts":["a","b"],"input_type":"search_document","embedding_types":["float"]}"#,
            ),
            (
                r#"{"model":"m","input":"a","dimensions":512,"input_type":"clustering","truncate":"START"}"#,
                r#"{"texts":["a"],"input_type":"clustering","embedding_types":["float"],"truncate":"START","output_dimension":512}"#,
            ),
        ] {
            let request = EmbeddingRequest::parse(body_of_client.as_bytes()).unwrap();
            let body = body(&request.input, &request);
            assert_eq!(String::from_utf8(body).unwrap(), expected);
        }
    }

    #[test]
    fn read_accepts_both_forms() {
        for body in [
            r#"{"id":"x","embeddings":[[1],[2.50]],"response_type":"embeddings_floats"}"#,
            r#"{"embeddings": {"float": [[1],[2.50]], "int8": []},"texts":["a","b"]}"#,
        ] {
            let Vectors { vectors, tokens } = read(body.as_bytes()).unwrap();
            let vectors: Vec<&str> = vectors.iter().map(|vector| vector.get()).collect();
            assert_eq!((vectors, tokens), (vec!["[1]", "[2.50]"], None), "{body}");
        }
        for body in ["{}", r#"{"embeddings":{"int8":[[1]]}}"#, r#"{"embeddings":null}"#, "["] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
