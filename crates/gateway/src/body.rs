//! Reading as little of a JSON body as a decision needs, and changing no byte that need not change.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::from_bytes;
use crate::{Error, Headers};

/// How a request's body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// There is none.
    Absent,
    /// Read whole and probed for [`Probe`].
    Json,
    /// Read whole and searched for its `model`.
    Form,
    /// Read whole, not looked into.
    Whole,
    /// Moved to the upstream as it comes.
    Stream,
}

/// The two members of a JSON body that decisions are made on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// `model`, if given.
    pub model: Option<Model>,
    /// Whether `stream` is `true`.
    pub is_stream: bool,
}

/// A body's `model` and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name, unescaped.
    pub name: String,
    /// Its bytes in the body: a JSON string with its quotes, or a form's plain text.
    pub span: Range<usize>,
}

/// Chooses how to read the body of a request with these headers; `reads_forms` says whether a
/// decision needs a form's model.
///
/// A WASI guest does not see `transfer-encoding`, so a request without `content-length` may or may
/// not have a body: only reading it tells.
pub fn plan(headers: &Headers, reads_forms: bool) -> Plan {
    if headers.content_length() == Some(0) {
        Plan::Absent
    } else if headers.is_json() {
        Plan::Json
    } else if reads_forms && headers.media_type().as_deref() == Some("multipart/form-data") {
        Plan::Form
    } else if crate::cache::needs_body(headers) {
        Plan::Whole
    } else {
        Plan::Stream
    }
}

/// Checks that `body` is one JSON object and finds `model` and `stream` in it.
///
/// A member given twice is refused: which one counts differs from parser to parser, so policy and
/// upstream might not mean the same model.
///
/// # Errors
/// [`Error::InvalidBody`] with the member at fault as `param`.
pub fn probe(body: &[u8]) -> Result<Probe, Error> {
    let members: Members<'_> = from_bytes(body).map_err(|error| not_json(&error))?;
    if let Some(param) = members.repeated {
        return Err(Error::invalid_param(param, format!("`{param}` is given more than once")));
    }
    Ok(Probe {
        model: members.model.map(|raw| read_model(body, raw)).transpose()?,
        is_stream: members.stream.map(read_stream).transpose()?.unwrap_or(false),
    })
}

/// Returns `body` with `value` in the place of its model and every other byte as it was.
///
/// A span that is not inside `body` (it was found in the same bytes) changes nothing.
pub fn with_value(body: &[u8], model: &Model, value: &[u8]) -> Vec<u8> {
    let (Some(head), Some(tail)) = (body.get(..model.span.start), body.get(model.span.end..))
    else {
        return body.to_vec();
    };
    [head, value, tail].concat()
}

/// The raw members as they stand in the body.
#[derive(Default)]
struct Members<'a> {
    model: Option<&'a RawValue>,
    stream: Option<&'a RawValue>,
    repeated: Option<&'static str>,
}

struct MembersVisitor;

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let (slot, name) = match name.as_ref() {
                "model" => (&mut members.model, "model"),
                "stream" => (&mut members.stream, "stream"),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if slot.replace(map.next_value()?).is_some() {
                members.repeated = Some(name);
            }
        }
        Ok(members)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Err(E::custom("invalid type: null, expected a JSON object"))
    }
}

fn read_model(body: &[u8], raw: &RawValue) -> Result<Model, Error> {
    let name: String = serde_json::from_str(raw.get())
        .map_err(|_| Error::invalid_param("model", "`model` must be a string"))?;
    // The raw value borrows from `body`, so the distance between the two is its offset.
    let start = (raw.get().as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
    Ok(Model { name, span: start..start.saturating_add(raw.get().len()) })
}

fn read_stream(raw: &RawValue) -> Result<bool, Error> {
    let stream: Option<bool> = serde_json::from_str(raw.get())
        .map_err(|_| Error::invalid_param("stream", "`stream` must be a boolean"))?;
    Ok(stream.unwrap_or(false))
}

fn not_json(error: &serde_json::Error) -> Error {
    let message = if error.is_data() {
        "the request body must be a JSON object".to_owned()
    } else {
        let (line, column) = (error.line(), error.column());
        format!("the request body is not valid JSON: see line {line} column {column}")
    };
    Error::InvalidBody { message, param: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_finds_model_and_stream() {
        for (body, model, is_stream) in [
            ("{}", None, false),
            (r#"{"model":"gpt-4o"}"#, Some("gpt-4o"), false),
            (r#" { "stream" : true , "model" : "a\u0041\"" } "#, Some("aA\""), true),
            (r#"{"stream":null,"x":{"model":"inner","stream":1}}"#, None, false),
            (r#"{"mod\u0065l":"escaped name"}"#, Some("escaped name"), false),
        ] {
            let found = probe(body.as_bytes()).unwrap();
            assert_eq!(found.model.map(|model| model.name).as_deref(), model, "{body}");
            assert_eq!(found.is_stream, is_stream, "{body}");
        }
    }

    #[test]
    fn probe_refuses_bodies_that_mean_two_things() {
        for (body, param) in [
            ("", None),
            ("null", None),
            ("[]", None),
            (r#""text""#, None),
            ("{", None),
            ("{} {}", None),
            ("{'model':1}", None),
            ("\u{feff}{}", None),
            (r#"{"model":1}"#, Some("model")),
            (r#"{"model":null}"#, Some("model")),
            (r#"{"model":"a","model":"b"}"#, Some("model")),
            (r#"{"model":"a","\u006dodel":"b"}"#, Some("model")),
            (r#"{"stream":"true"}"#, Some("stream")),
            (r#"{"stream":true,"stream":true}"#, Some("stream")),
        ] {
            match probe(body.as_bytes()) {
                Err(Error::InvalidBody { param: found, .. }) => {
                    assert_eq!(found.as_deref(), param, "{body}");
                }
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn with_value_changes_only_the_value() {
        let body = r#"{ "a":1, "model" : "x\n" ,"b":[ 2 ]}"#;
        let model = probe(body.as_bytes()).unwrap().model.unwrap();
        let edited = with_value(body.as_bytes(), &model, br#""y\"z""#);
        assert_eq!(edited, r#"{ "a":1, "model" : "y\"z" ,"b":[ 2 ]}"#.as_bytes());
    }

    #[test]
    fn plan_follows_the_headers() {
        let json = ("content-type", "application/json");
        for (headers, expected) in [
            (vec![], Plan::Stream),
            (vec![("content-length", "0"), json], Plan::Absent),
            (vec![json], Plan::Json),
            (vec![("content-length", "2"), json], Plan::Json),
            (vec![("content-type", "multipart/form-data; boundary=x")], Plan::Stream),
            (vec![("content-length", "5")], Plan::Stream),
            (vec![("content-length", "5"), ("cf-aig-cache-ttl", "60")], Plan::Whole),
        ] {
            assert_eq!(plan(&headers.iter().copied().collect(), false), expected, "{headers:?}");
        }
    }

    #[test]
    fn plan_reads_a_form_only_where_its_model_counts() {
        let form = [("content-type", "Multipart/Form-Data; boundary=x")].into_iter().collect();
        assert_eq!((plan(&form, true), plan(&form, false)), (Plan::Form, Plan::Stream));
    }
}
