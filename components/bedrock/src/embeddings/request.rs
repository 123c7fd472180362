//! A request for embeddings, parsed field by field so that an error can name the field.

use gateway::Error;
use serde_json::value::RawValue;

use crate::json::{Members, Text, cut, invalid, read, read_entries, read_object, read_text};
use crate::limits::{MODEL_BYTES, TEXTS};

/// The type of most fields, for error messages.
const TEXT: &str = "a string";

/// All fields of this route. `input_type` and `truncate` are Cohere's, and OpenAI's clients omit
/// them.
const MEMBERS: [&str; 7] =
    ["model", "input", "dimensions", "encoding_format", "input_type", "truncate", "user"];

/// The purposes of an embedding.
const INPUT_TYPES: [&str; 4] = ["search_document", "search_query", "classification", "clustering"];

/// Which end of a text is cut off if it is too long.
const TRUNCATIONS: [&str; 3] = ["NONE", "START", "END"];

/// A request for embeddings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EmbeddingRequest<'a> {
    pub(crate) model: Text<'a>,
    /// The texts: at least one, and none of them empty.
    pub(crate) input: Vec<Text<'a>>,
    pub(crate) dimensions: Option<u64>,
    /// Whether vectors are returned as base64 of little-endian floats.
    pub(crate) is_base64: bool,
    pub(crate) input_type: &'static str,
    pub(crate) truncate: Option<&'static str>,
}

impl<'a> EmbeddingRequest<'a> {
    /// Parses a request. A field that is `null` is treated as missing, and `user` is ignored.
    ///
    /// # Errors
    /// A client error that names the field at fault.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let members = read_object(body)?;
        check_names(&members)?;
        let given = |name| members.get(name).filter(|value| value.get() != "null");
        let required = |name: &'static str| given(name).ok_or_else(|| missing(name));
        let choice = |name, values: &'static [_]| {
            given(name).map(|value| read_choice(name, value, values)).transpose()
        };
        Ok(Self {
            model: read_model(required("model")?)?,
            input: read_input(required("input")?)?,
            dimensions: given("dimensions").map(read_dimensions).transpose()?,
            is_base64: choice("encoding_format", &["float", "base64"])? == Some("base64"),
            input_type: choice("input_type", &INPUT_TYPES)?.unwrap_or("search_document"),
            truncate: choice("truncate", &TRUNCATIONS)?,
        })
    }
}

/// Rejects fields that would have no effect.
fn check_names(members: &Members<'_>) -> Result<(), Error> {
    match members.0.iter().find(|(name, _)| !MEMBERS.contains(&&**name)) {
        Some((name, _)) => Err(invalid(cut(name), "is an unknown parameter")),
        None => Ok(()),
    }
}

/// Reads a text or a list of texts.
fn read_input(value: &RawValue) -> Result<Vec<Text<'_>>, Error> {
    let texts = if value.get().starts_with('[') {
        let entries = read_entries("input", value, TEXT, &TEXTS)?;
        entries.into_iter().map(read_entry).collect::<Result<_, _>>()?
    } else {
        vec![read_text("input", value, TEXT)?]
    };
    if texts.is_empty() || texts.iter().any(|text: &Text<'_>| text.is_empty()) {
        return Err(Error::invalid_param("input", "`input` must not be empty"));
    }
    Ok(texts)
}

/// Reads one text of an array. Arrays of tokens are rejected: tokens differ between models.
fn read_entry(value: &RawValue) -> Result<Text<'_>, Error> {
    if value.get().starts_with(['[', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        let message = "`input` must be text: models of Bedrock do not accept arrays of tokens";
        return Err(Error::unsupported("input", message));
    }
    read_text("input", value, "a string or an array of strings")
}

/// Reads the name of the model.
fn read_model(value: &RawValue) -> Result<Text<'_>, Error> {
    let model = read_text("model", value, TEXT)?;
    MODEL_BYTES.check(model.len(), "model")?;
    Ok(model)
}

/// Reads a string that must be one of `values`.
fn read_choice(
    name: &'static str,
    value: &RawValue,
    values: &'static [&'static str],
) -> Result<&'static str, Error> {
    let text = read_text(name, value, TEXT)?;
    values.iter().copied().find(|known| *known == &*text).ok_or_else(|| {
        Error::invalid_param(name, format!("`{name}` must be one of {}", values.join(", ")))
    })
}

/// Reads the size of the vectors.
fn read_dimensions(value: &RawValue) -> Result<u64, Error> {
    read("dimensions", value, "a whole number")
}

/// Creates the error for a missing field.
fn missing(name: &'static str) -> Error {
    invalid(name, "is missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_a_request_reads_its_fields() {
        let least = EmbeddingRequest {
            model: "m".into(),
            input: vec!["a".into()],
            dimensions: None,
            is_base64: false,
            input_type: "search_document",
            truncate: None,
        };
        let body = br#"{"model":"m","input":"a","dimensions":null,"user":{},"truncate":null}"#;
        assert_eq!(EmbeddingRequest::parse(body).unwrap(), least);
        let body = br#" {"input":["a","\u00e4\n"],"model":"m","dimensions":256,"user":"u",
            "encoding_format":"base64","input_type":"search_query","truncate":"END"} "#;
        let expected = EmbeddingRequest {
            input: vec!["a".into(), "ä\n".into()],
            dimensions: Some(256),
            is_base64: true,
            input_type: "search_query",
            truncate: Some("END"),
            ..least
        };
        assert_eq!(EmbeddingRequest::parse(body).unwrap(), expected);
    }

    #[test]
    fn parse_with_a_bad_field_names_it() {
        let many = format!(r#""model":"m","input":[{}"a"]"#, r#""a","#.repeat(TEXTS.most));
        let long = format!(r#""{}":1"#, "x".repeat(100));
        let cut = format!("{}…", "x".repeat(64));
        for (members, param, message) in [
            (r#""input":"a""#, "model", "is missing"),
            (r#""input":"a","model":null"#, "model", "is missing"),
            (r#""input":"a","model":1"#, "model", "must be a string"),
            (r#""model":"m""#, "input", "is missing"),
            (r#""model":"m","input":"""#, "input", "must not be empty"),
            (r#""model":"m","input":[]"#, "input", "must not be empty"),
            (r#""model":"m","input":["a",""]"#, "input", "must not be empty"),
            (&many, "input", "at most 2048"),
            (r#""model":"m","input":{}"#, "input", "must be a string"),
            (r#""model":"m","input":1"#, "input", "must be a string"),
            (r#""model":"m","input":["a",null]"#, "input", "string or an array of strings"),
            (r#""model":"m","input":"a","dimensions":"1""#, "dimensions", "whole number"),
            (r#""model":"m","input":"a","dimensions":-1"#, "dimensions", "whole number"),
            (r#""model":"m","input":"a","dimensions":1.5"#, "dimensions", "whole number"),
            (
                r#""model":"m","input":"a","encoding_format":"hex""#,
                "encoding_format",
                "float, base64",
            ),
            (r#""model":"m","input":"a","input_type":"image""#, "input_type", "search_document, "),
            (r#""model":"m","input":"a","truncate":true"#, "truncate", "must be a string"),
            (r#""model":"m","input":"a","truncate":"end""#, "truncate", "NONE, START, END"),
            (r#""model":"m","input":"a","model":"n""#, "model", "more than once"),
            (r#""model":"m","input":"a","user":1,"user":1"#, "user", "more than once"),
            (r#""model":"m","input":"a","n":null"#, "n", "`n` is an unknown parameter"),
            (&long, &cut, "unknown parameter"),
        ] {
            let body = format!("{{{members}}}");
            let error = EmbeddingRequest::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.param(), Some(param), "{body}");
            assert!(matches!(error, Error::InvalidBody { .. }), "{body}");
            assert!(error.to_string().contains(message), "{body}: {error}");
        }
    }

    #[test]
    fn parse_with_tokens_is_unsupported() {
        for input in ["[1,2]", "[[1,2],[3]]", r#"["a",-1]"#] {
            let body = format!(r#"{{"model":"m","input":{input}}}"#);
            let error = EmbeddingRequest::parse(body.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::Unsupported { .. }), "{input}: {error}");
            assert_eq!(error.param(), Some("input"), "{input}");
        }
    }

    #[test]
    fn parse_of_anything_but_an_object_names_no_field() {
        for body in ["", "[]", "1", "{", r#"{"model":"m"} x"#, "{\"a\":\"\u{1}\"}"] {
            let error = EmbeddingRequest::parse(body.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::InvalidBody { param: None, .. }), "{body}: {error}");
        }
        assert!(EmbeddingRequest::parse(b"{\"model\":\"\xff\"}").is_err());
    }
}
