//! Members of a request's body, and what is wrong with them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use gateway::Error;
pub(crate) use gateway::json::{Members, Text, from_bytes};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Reads a body.
///
/// # Errors
/// A client's error, if it is not one JSON object, or has a member twice: which one of them counts
/// differs from reader to reader.
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

/// Reads the member `name`, which must be `kind`.
///
/// # Errors
/// A client's error that says so.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    name: &'static str,
    value: &'a RawValue,
    kind: &str,
) -> Result<T, Error> {
    serde_json::from_str(value.get()).map_err(|_| invalid(name, &format!("must be {kind}")))
}

/// A client's error: the member `name` and what is wrong with it.
pub(crate) fn invalid(name: impl Into<Cow<'static, str>>, what: &str) -> Error {
    let name = name.into();
    let message = format!("`{name}` {what}");
    Error::invalid_param(name, message)
}

/// Some names, to look others up in.
pub(crate) fn set<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut set = BTreeSet::new();
    // Collected, they would be sorted first, by code that a guest has no room for.
    for name in names {
        set.insert(name);
    }
    set
}

/// Characters of a client's own words that an error repeats.
const REPEATED: usize = 64;

/// The beginning of `text`, short enough to stand in a message.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(REPEATED).and_then(|(end, _)| text.get(..end)) {
        Some(beginning) => format!("{beginning}…"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_object_without_repeats() {
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
    fn cut_keeps_whole_characters() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"ä".repeat(65)), format!("{}…", "ä".repeat(64)));
    }
}
