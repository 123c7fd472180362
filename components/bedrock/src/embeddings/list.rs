//! The list of embeddings for the client, written as responses arrive, so that none of them is
//! kept.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::{Error, Headers, Response};
use serde_json::value::RawValue;

use crate::aws;
use crate::embeddings::vectors::Vectors;

/// The header with the number of tokens, for models whose body does not contain it.
const TOKENS: &str = "x-amzn-bedrock-input-token-count";

/// A list of embeddings.
#[derive(Debug)]
pub(crate) struct EmbeddingList {
    is_base64: bool,
    /// The list so far, without its end.
    json: String,
    length: usize,
    tokens: u64,
    /// The headers of the first response, which stand for all.
    headers: Option<Headers>,
}

impl EmbeddingList {
    /// Creates an empty list.
    pub(crate) fn new(is_base64: bool) -> Self {
        let json = String::from(r#"{"object":"list","data":["#);
        Self { is_base64, json, length: 0, tokens: 0, headers: None }
    }

    /// Adds the vectors of one response, which must be as many as its `texts`.
    ///
    /// # Errors
    /// [`Error::InvalidUpstreamResponse`] if there are more or fewer, or if one is not a vector.
    pub(crate) fn add(
        &mut self,
        response: Vectors<'_>,
        texts: usize,
        headers: Headers,
    ) -> Result<(), Error> {
        // A missing vector would shift all later ones to the wrong text.
        let count = response.vectors.len();
        if count != texts {
            return Err(Error::invalid_response(format!("{count} vectors for {texts} texts")));
        }
        for vector in response.vectors {
            self.push(vector)?;
        }
        let tokens = response.tokens.or_else(|| headers.get_str(TOKENS)?.parse().ok());
        self.tokens = self.tokens.saturating_add(tokens.unwrap_or_default());
        self.headers.get_or_insert(headers);
        Ok(())
    }

    /// Completes the list, and creates the response for a client that asked for `model`.
    pub(crate) fn into_response(mut self, model: &str) -> Response {
        let tokens = self.tokens;
        // Neither writing to a string nor serialising one can fail.
        let model = serde_json::to_string(model).unwrap_or_default();
        let _ = write!(
            self.json,
            r#"],"model":{model},"usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}"#
        );
        let mut headers = self.headers.unwrap_or_default();
        // The header counts the tokens of one response, not of the list.
        headers.retain(|name| name != TOKENS);
        aws::response::for_client(headers, self.json.into_bytes(), "application/json")
    }

    /// Writes one vector.
    fn push(&mut self, vector: &RawValue) -> Result<(), Error> {
        let separator = if self.length > 0 { "," } else { "" };
        let index = self.length;
        let embedding = if self.is_base64 { &encode(vector)? } else { numbers(vector)? };
        // Writing to a string cannot fail.
        let _ = write!(
            self.json,
            r#"{separator}{{"object":"embedding","index":{index},"embedding":{embedding}}}"#
        );
        self.length += 1;
        Ok(())
    }
}

/// Returns the numbers as the model wrote them, so that only the client rounds them.
fn numbers(vector: &RawValue) -> Result<&str, Error> {
    let json = vector.get();
    if json.starts_with('[') { Ok(json) } else { Err(no_vector()) }
}

/// Encodes a vector as OpenAI does: a JSON string of base64, four bytes per number, little-endian.
fn encode(vector: &RawValue) -> Result<String, Error> {
    let numbers: Vec<f32> = serde_json::from_str(vector.get()).map_err(|_| no_vector())?;
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
    Ok(format!("\"{}\"", STANDARD.encode(bytes)))
}

/// Creates the error for an embedding that is not a vector.
fn no_vector() -> Error {
    Error::invalid_response("an embedding that is not an array of numbers")
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    fn added(
        list: &mut EmbeddingList,
        vectors: &[&str],
        tokens: Option<u64>,
        headers: &[(&str, &str)],
    ) -> Result<(), Error> {
        let vectors: Vec<&RawValue> = vectors.iter().map(|json| raw(json)).collect();
        let texts = vectors.len();
        list.add(Vectors { vectors, tokens }, texts, headers.iter().copied().collect())
    }

    #[test]
    fn reply_keeps_order_numbers_and_the_first_headers() {
        let mut list = EmbeddingList::new(false);
        let first = [
            ("x-amzn-requestid", "one"),
            ("content-type", "application/json; charset=x"),
            ("content-length", "7"),
            ("cf-aig-log-id", "log"),
            (TOKENS, "4"),
        ];
        added(&mut list, &["[0.10]", "[1e-3]"], None, &first).unwrap();
        added(&mut list, &["[-7, 2.50]"], Some(3), &[(TOKENS, "9"), ("x-a", "b")]).unwrap();
        added(&mut list, &[], None, &[(TOKENS, "many")]).unwrap();
        let response = list.into_response("a\"b");
        let body = concat!(
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10]},"#,
            r#"{"object":"embedding","index":1,"embedding":[1e-3]},"#,
            r#"{"object":"embedding","index":2,"embedding":[-7, 2.50]}],"#,
            r#""model":"a\"b","usage":{"prompt_tokens":7,"total_tokens":7}}"#,
        );
        assert_eq!(String::from_utf8(response.body).unwrap(), body);
        let length = body.len().to_string();
        let headers = Headers::from_iter([
            ("x-amzn-requestid", "one"),
            ("cf-aig-log-id", "log"),
            ("content-type", "application/json"),
            ("content-length", &length),
        ]);
        assert_eq!((response.status, response.headers), (StatusCode::OK, headers));
    }

    #[test]
    fn encode_writes_little_endian_floats() {
        for (vector, expected) in [
            ("[1.0, -2.5]", r#""AACAPwAAIMA=""#),
            ("[0.1]", r#""zczMPQ==""#),
            ("[0, 1]", r#""AAAAAAAAgD8=""#),
            ("[]", r#""""#),
        ] {
            assert_eq!(encode(raw(vector)).unwrap(), expected, "{vector}");
        }
    }

    #[test]
    fn add_without_valid_vectors_is_an_upstream_error() {
        for is_base64 in [false, true] {
            for vector in ["null", "\"AA==\"", "{}"] {
                let mut list = EmbeddingList::new(is_base64);
                let outcome = added(&mut list, &[vector], None, &[]);
                assert!(matches!(outcome, Err(Error::InvalidUpstreamResponse(_))), "{vector}");
            }
        }
        let response = Vectors { vectors: vec![raw("[1]")], tokens: None };
        let outcome = EmbeddingList::new(false).add(response, 2, Headers::default());
        let error = outcome.unwrap_err().chain();
        assert!(error.contains("1 vectors for 2 texts"), "{error}");
    }
}
