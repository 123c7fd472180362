//! The members of a request's body, and errors about them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use gateway::Error;
pub(crate) use gateway::http::json::{Members, Text, from_bytes};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Parses a body.
///
/// # Errors
/// A client error if the body is not a single JSON object, or has a duplicate member: parsers
/// disagree on which of the two values to use.
pub(crate) fn read_object(body: &[u8]) -> Result<Members<'_>, Error> {
    let members: Members<'_> = from_bytes(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let message = format!("the body must be a JSON object: see {place}");
        Error::InvalidBody { message, param: None }
    })?;
    let mut seen = BTreeSet::new();
    match members.0.iter().find(|(name, _)| !seen.insert(&**name)) {
        Some((name, _)) => Err(invalid(cut(name), "is given more than once")),
        None => Ok(members),
    }
}

/// Reads the value of the field `name`, which must be `kind`.
///
/// # Errors
/// A client error that names the field and `kind`.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    name: &'static str,
    value: &'a RawValue,
    kind: &str,
) -> Result<T, Error> {
    serde_json::from_str(value.get()).map_err(|_| invalid(name, &format!("must be {kind}")))
}

/// Creates a client error about the field `name`.
pub(crate) fn invalid(name: impl Into<Cow<'static, str>>, what: &str) -> Error {
    let name = name.into();
    let message = format!("`{name}` {what}");
    Error::invalid_param(name, message)
}

/// Collects names into a set.
pub(crate) fn set<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut set = BTreeSet::new();
    // `collect` would link the code of a sort, which makes the component larger.
    for name in names {
        set.insert(name);
    }
    set
}

/// The maximum number of a client's own characters that an error repeats.
const MAX_QUOTED: usize = 64;

/// Shortens `text`, so that a client cannot make an error message long.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED).and_then(|(end, _)| text.get(..end)) {
        Some(beginning) => format!("{beginning}…"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_object_with_anything_else_or_duplicates_is_an_error() {
        for (body, expected) in [
            ("", None),
            ("[]", None),
            ("null", None),
            ("{} {}", None),
            (r#"{"a":1"#, None),
            (r#"{"a":1,"\u0061":2}"#, Some("a")),
        ] {
            let error = read_object(body.as_bytes()).unwrap_err();
            assert_eq!(error.param(), expected, "{body}");
        }
        let members = read_object(br#"{"a": [1, {"a": 2}], "b": null}"#).unwrap();
        assert_eq!(members.get("a").map(RawValue::get), Some(r#"[1, {"a": 2}]"#));
    }

    #[test]
    fn cut_of_a_long_text_keeps_whole_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ä".repeat(65)), format!("{}…", "ä".repeat(64)));
    }
}
