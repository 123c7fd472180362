//! The list a client gets, printed as it grows, so that no answer is kept longer than it is read.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::{Error, Headers, Reply};
use serde_json::value::RawValue;

use crate::answers;
use crate::embeddings::embedder::Vectors;

/// Where Bedrock tells the tokens that a body does not.
const TOKENS: &str = "x-amzn-bedrock-input-token-count";

/// A list of embeddings.
#[derive(Debug)]
pub(crate) struct EmbeddingList {
    is_base64: bool,
    /// The list so far, its end still open.
    json: String,
    length: usize,
    tokens: u64,
    /// The headers of the first answer.
    headers: Option<Headers>,
}

impl EmbeddingList {
    pub(crate) fn new(is_base64: bool) -> Self {
        let json = String::from(r#"{"object":"list","data":["#);
        Self { is_base64, json, length: 0, tokens: 0, headers: None }
    }

    /// Adds the vectors of as many `texts`, that came with `headers`.
    ///
    /// # Errors
    /// [`Error::UnusableAnswer`] if there are more or fewer, or something else.
    pub(crate) fn add(
        &mut self,
        answer: Vectors<'_>,
        texts: usize,
        headers: Headers,
    ) -> Result<(), Error> {
        let count = answer.vectors.len();
        if count != texts {
            return Err(Error::unusable(format!("{count} vectors for {texts} texts")));
        }
        for vector in answer.vectors {
            self.push(vector)?;
        }
        let tokens = answer.tokens.or_else(|| headers.get_str(TOKENS)?.parse().ok());
        self.tokens = self.tokens.saturating_add(tokens.unwrap_or_default());
        self.headers.get_or_insert(headers);
        Ok(())
    }

    /// The answer to a client that asked for `model`.
    pub(crate) fn reply(mut self, model: &str) -> Reply {
        let tokens = self.tokens;
        // Writing to a string cannot fail, nor can printing one as JSON.
        let model = serde_json::to_string(model).unwrap_or_default();
        let _ = write!(
            self.json,
            r#"],"model":{model},"usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}"#
        );
        let mut headers = self.headers.unwrap_or_default();
        // One answer's tokens are not those of the list.
        headers.retain(|name| name != TOKENS);
        answers::reply(headers, self.json.into_bytes(), "application/json")
    }

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

/// The numbers as the model wrote them: whoever reads them rounds them once.
fn numbers(vector: &RawValue) -> Result<&str, Error> {
    let json = vector.get();
    if json.starts_with('[') { Ok(json) } else { Err(no_vector()) }
}

/// OpenAI's base64, a JSON string: four bytes for each number, the lowest first.
fn encode(vector: &RawValue) -> Result<String, Error> {
    let numbers: Vec<f32> = serde_json::from_str(vector.get()).map_err(|_| no_vector())?;
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
    Ok(format!("\"{}\"", STANDARD.encode(bytes)))
}

fn no_vector() -> Error {
    Error::unusable("an embedding that is no array of numbers")
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
    fn a_list_keeps_order_numbers_and_the_first_headers() {
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
        let reply = list.reply("a\"b");
        let body = concat!(
            r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10]},"#,
            r#"{"object":"embedding","index":1,"embedding":[1e-3]},"#,
            r#"{"object":"embedding","index":2,"embedding":[-7, 2.50]}],"#,
            r#""model":"a\"b","usage":{"prompt_tokens":7,"total_tokens":7}}"#,
        );
        assert_eq!(String::from_utf8(reply.body).unwrap(), body);
        let length = body.len().to_string();
        let headers = Headers::from_iter([
            ("x-amzn-requestid", "one"),
            ("cf-aig-log-id", "log"),
            ("content-type", "application/json"),
            ("content-length", &length),
        ]);
        assert_eq!((reply.status, reply.headers), (StatusCode::OK, headers));
    }

    #[test]
    fn base64_is_of_little_endian_floats() {
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
    fn what_is_no_vector_is_the_upstreams_fault() {
        for is_base64 in [false, true] {
            for vector in ["null", "\"AA==\"", "{}"] {
                let mut list = EmbeddingList::new(is_base64);
                let outcome = added(&mut list, &[vector], None, &[]);
                assert!(matches!(outcome, Err(Error::UnusableAnswer(_))), "{vector}");
            }
        }
        let answer = Vectors { vectors: vec![raw("[1]")], tokens: None };
        let outcome = EmbeddingList::new(false).add(answer, 2, Headers::default());
        let error = outcome.unwrap_err().chain();
        assert!(error.contains("1 vectors for 2 texts"), "{error}");
    }
}
