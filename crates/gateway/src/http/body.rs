//! Request bodies: reads as little of one as a decision needs, and changes no byte that need not
//! change.

use std::borrow::Cow;
use std::fmt;

use http::Method;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::http::bytes::span_of;
use crate::http::json::{from_bytes, quoted};
use crate::http::model_field::ModelField;
use crate::http::{multipart, parameters};
use crate::{Error, Head, Headers};

/// The body of a request that passes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The request has none.
    Absent,
    /// JSON, read whole and probed.
    Json(Vec<u8>, Probe),
    /// A form, read whole and searched for its `model`.
    Form(Vec<u8>, Option<ModelField>),
    /// Read whole, not inspected.
    Whole(Vec<u8>),
    /// Still with the client; streamed to the upstream without being inspected.
    Stream,
}

/// How a request's body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The request has none.
    Absent,
    /// Read whole and probed for [`Probe`].
    Json,
    /// Read whole and searched for its `model`.
    Form,
    /// Read whole, not inspected.
    Whole,
    /// Streamed to the upstream.
    Stream,
}

/// The members of a JSON body that decisions depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// `model`, if given.
    pub model: Option<ModelField>,
    /// Whether `stream` is `true`.
    pub is_stream: bool,
    /// Whether `encoding_format` is `base64`.
    pub wants_base64: bool,
}

// === impl Plan ===

impl Plan {
    /// Chooses how to read the body of a request with this head.
    ///
    /// `needs_form_model` and `needs_bytes` say whether a decision depends on a form's model, and
    /// on all bytes of a body of any type.
    ///
    /// A WASI guest does not see `transfer-encoding`, so a request without `content-length` may or
    /// may not have a body: only reading it shows which.
    pub fn new(head: &Head, needs_form_model: bool, needs_bytes: bool) -> Self {
        let headers = &head.headers;
        if !may_have_body(&head.method) || headers.content_length() == Some(0) {
            Self::Absent
        } else if headers.is_json() {
            Self::Json
        } else if needs_form_model && headers.media_type().as_deref() == Some("multipart/form-data")
        {
            Self::Form
        } else if needs_bytes {
            Self::Whole
        } else {
            Self::Stream
        }
    }
}

/// Checks whether a request with `method` may have a body. One of any other is neither waited for nor
/// sent, because it has no meaning: <https://www.rfc-editor.org/rfc/rfc9110#section-9.3.1>
pub fn may_have_body(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::DELETE)
}

/// Checks that a body with these headers is plain UTF-8, so that it can be read before it is sent on.
///
/// # Errors
/// [`Error::UnsupportedEncoding`] for a compressed body or another charset: what the gateway reads must
/// be what the provider reads.
pub fn check_encoding(headers: &Headers) -> Result<(), Error> {
    let is_plain = |value: &[u8]| {
        let value = value.trim_ascii();
        value.is_empty() || value.eq_ignore_ascii_case(b"identity")
    };
    if !headers.get_all("content-encoding").all(is_plain) {
        return Err(Error::UnsupportedEncoding {
            message: "a compressed request body is not supported here: send it with `content-encoding: identity` or without that header",
            name: "content-encoding",
        });
    }
    let content_type = headers.get_str("content-type").unwrap_or_default();
    if parameters::is_utf8(content_type) != Ok(true) {
        return Err(Error::UnsupportedEncoding {
            message: "the charset of the request body is not supported: use utf-8",
            name: "content-type",
        });
    }
    Ok(())
}

// === impl Body ===

impl Body {
    /// Inspects a body that was read whole, as far as `plan` asks for. An empty one is
    /// [`Body::Absent`].
    ///
    /// # Errors
    /// [`Error::InvalidBody`] if the body is not what its content type says, or ambiguous.
    pub fn inspect(plan: Plan, bytes: Vec<u8>, headers: &Headers) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Ok(Self::Absent);
        }
        match plan {
            Plan::Json => {
                let probe = probe(&bytes)?;
                Ok(Self::Json(bytes, probe))
            }
            Plan::Form => {
                let content_type = headers.get_str("content-type").unwrap_or_default();
                let model = multipart::find_model(content_type, &bytes)?;
                Ok(Self::Form(bytes, model))
            }
            Plan::Absent | Plan::Whole | Plan::Stream => Ok(Self::Whole(bytes)),
        }
    }

    /// Returns the bytes of a body that was read whole.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Json(bytes, _) | Self::Form(bytes, _) | Self::Whole(bytes) => bytes,
            Self::Absent | Self::Stream => &[],
        }
    }

    /// Returns the model the body names.
    pub fn model(&self) -> Option<&str> {
        let model = match self {
            Self::Json(_, probe) => probe.model.as_ref(),
            Self::Form(_, model) => model.as_ref(),
            Self::Absent | Self::Whole(_) | Self::Stream => None,
        };
        model.map(|model| model.name.as_str())
    }

    /// Checks whether the body requests embeddings in Base64.
    pub fn wants_base64(&self) -> bool {
        matches!(self, Self::Json(_, Probe { wants_base64: true, .. }))
    }

    /// Replaces the body's model by `name`. A body that names no model stays as it is.
    #[must_use]
    pub fn with_model(self, name: &str) -> Self {
        match self {
            Self::Json(bytes, probe @ Probe { model: Some(_), .. }) => {
                let edited = |model: &ModelField| model.replace_in(&bytes, quoted(name).as_bytes());
                Self::Json(probe.model.as_ref().map(edited).unwrap_or_default(), probe)
            }
            Self::Form(bytes, Some(model)) => {
                Self::Form(model.replace_in(&bytes, name.as_bytes()), Some(model))
            }
            body => body,
        }
    }
}

/// Checks that `body` is one JSON object and finds `model` and `stream` in it.
///
/// A member given twice is rejected: parsers disagree on which one wins, so policy and upstream
/// might not use the same model.
///
/// # Errors
/// [`Error::InvalidBody`] with the member at fault as `param`.
pub fn probe(body: &[u8]) -> Result<Probe, Error> {
    let members: Members<'_> = from_bytes(body).map_err(|error| not_json(&error))?;
    if let Some(param) = members.repeated {
        return Err(Error::invalid_param(param, format!("`{param}` is given more than once")));
    }
    if let Some(param) = members.misspelt {
        let message = format!("`{param}` must be written in lower case");
        return Err(Error::invalid_param(param, message));
    }
    Ok(Probe {
        model: members.model.map(|raw| read_model(body, raw)).transpose()?.flatten(),
        is_stream: members.stream.map(read_stream).transpose()?.unwrap_or(false),
        wants_base64: members.encoding.is_some_and(|raw| raw.get() == "\"base64\""),
    })
}

/// The raw members of the body.
#[derive(Default)]
struct Members<'a> {
    model: Option<&'a RawValue>,
    stream: Option<&'a RawValue>,
    encoding: Option<&'a RawValue>,
    repeated: Option<&'static str>,
    /// A name that only parsers that ignore case take for `model` or `stream`.
    misspelt: Option<&'static str>,
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
                "encoding_format" => (&mut members.encoding, "encoding_format"),
                other => {
                    let is_same = |known: &&str| other.eq_ignore_ascii_case(known);
                    members.misspelt =
                        ["model", "stream"].into_iter().find(is_same).or(members.misspelt);
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

/// Reads the model; `null` names none.
fn read_model(body: &[u8], raw: &RawValue) -> Result<Option<ModelField>, Error> {
    let name: Option<String> = serde_json::from_str(raw.get())
        .map_err(|_| Error::invalid_param("model", "`model` must be a string"))?;
    Ok(name.map(|name| ModelField { name, span: span_of(raw.get(), body) }))
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
mod tests;
