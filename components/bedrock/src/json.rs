//! Values of a request's body, and errors about them.
//!
//! Lists are read up to a bound, and a string is copied only if it contains an escape: a body must not
//! take many times its size in memory.

mod escapes;
pub(crate) mod scanner;
pub(crate) mod value;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use gateway::Error;
use gateway::http::json::MembersVisitor;
pub(crate) use gateway::http::json::{Text, from_bytes};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::limits::{FIELDS, Limit, NAME_BYTES};

/// The members of a JSON object in their order, duplicates included, and at most one more than
/// [`FIELDS`] of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

/// Reads the entries of a JSON array, and at most one more than the limit of them.
struct Entries(&'static Limit);

impl<'a> Members<'a> {
    /// Returns the value of the first member called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor { most: FIELDS.most + 1 }).map(Self)
    }
}

impl<'de> DeserializeSeed<'de> for Entries {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() <= self.0.most {
            match list.next_element()? {
                Some(entry) => entries.push(entry),
                None => return Ok(entries),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(entries)
    }
}

/// Parses a body.
///
/// # Errors
/// A client error if the body is not a single JSON object, has too many members, or has a duplicate
/// member: parsers disagree on which of the two values to use.
pub(crate) fn read_object(body: &[u8]) -> Result<Members<'_>, Error> {
    let members: Members<'_> = from_bytes(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let message = format!("the body must be a JSON object: see {place}");
        Error::InvalidBody { message, param: None }
    })?;
    if members.0.len() > FIELDS.most {
        let message = format!("the body may have at most {} fields", FIELDS.most);
        return Err(Error::InvalidBody { message, param: None });
    }
    check_names(&members)?;
    let mut seen = BTreeSet::new();
    match members.0.iter().find(|(name, _)| !seen.insert(&**name)) {
        Some((name, _)) => Err(invalid(cut(name), "is given more than once")),
        None => Ok(members),
    }
}

/// Checks the length of all names: one with an escape is copied.
///
/// # Errors
/// A client error that names the first that is too long.
pub(crate) fn check_names(members: &Members<'_>) -> Result<(), Error> {
    match members.0.iter().find(|(name, _)| name.len() > NAME_BYTES.most) {
        Some((name, _)) => Err(NAME_BYTES.exceeded(cut(name))),
        None => Ok(()),
    }
}

/// Reads the value of the field `name`, which must be `kind`. For a string there is [`read_text`].
///
/// # Errors
/// A client error that names the field and `kind`.
pub(crate) fn read<'a, T: Deserialize<'a>>(
    name: &'static str,
    value: &'a RawValue,
    kind: &str,
) -> Result<T, Error> {
    let wrong = || invalid(name, &format!("must be {kind}"));
    // The parser's error would quote the whole string.
    if is_string(value) {
        return Err(wrong());
    }
    serde_json::from_str(value.get()).map_err(|_| wrong())
}

/// Reads the members of the object in the field `name`.
///
/// # Errors
/// A client error that names the field.
pub(crate) fn read_members<'a>(
    name: &'static str,
    value: &'a RawValue,
    kind: &str,
) -> Result<Members<'a>, Error> {
    let members: Members<'a> = read(name, value, kind)?;
    FIELDS.check(members.0.len(), name)?;
    Ok(members)
}

/// Reads the entries of the array in the field `name`.
///
/// # Errors
/// A client error that names the field.
pub(crate) fn read_entries<'a>(
    name: &'static str,
    value: &'a RawValue,
    kind: &str,
    limit: &'static Limit,
) -> Result<Vec<&'a RawValue>, Error> {
    if !value.get().starts_with('[') {
        return Err(invalid(name, &format!("must be {kind}")));
    }
    let entries = Entries(limit)
        .deserialize(&mut serde_json::Deserializer::from_str(value.get()))
        .unwrap_or_default();
    limit.check(entries.len(), name)?;
    Ok(entries)
}

/// Reads the string in the field `name`.
///
/// # Errors
/// A client error that names the field and `kind`.
pub(crate) fn read_text<'a>(
    name: &'static str,
    value: &'a RawValue,
    kind: &str,
) -> Result<Text<'a>, Error> {
    text(value).ok_or_else(|| invalid(name, &format!("must be {kind}")))
}

/// Returns the string that `value` is, if it is one. Copies it only if it contains an escape.
pub(crate) fn text(value: &RawValue) -> Option<Text<'_>> {
    let text = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if text.contains('\\') { Some(escapes::unescape(text)?.into()) } else { Some(text.into()) }
}

/// Prints `value`, which consists of strings and numbers, so that printing it cannot fail.
///
/// It has room for `length` bytes from the beginning, because a buffer that grows takes three times
/// its size.
pub(crate) fn print(value: &impl Serialize, length: usize) -> Vec<u8> {
    let mut json = Vec::with_capacity(length);
    serde_json::to_writer(&mut json, value).map_or_else(|_| Vec::new(), |()| json)
}

/// Checks whether `value` is a string.
pub(crate) fn is_string(value: &RawValue) -> bool {
    value.get().starts_with('"')
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
        let many: Vec<_> = (0..=FIELDS.most).map(|number| format!(r#""{number}":0"#)).collect();
        let many = format!("{{{}}}", many.join(","));
        let long = format!(r#"{{"{}":0}}"#, "x".repeat(NAME_BYTES.most + 1));
        for (body, expected) in [
            ("", None),
            ("[]", None),
            ("null", None),
            ("{} {}", None),
            (r#"{"a":1"#, None),
            (r#"{"a":1,"\u0061":2}"#, Some("a")),
            (&many, None),
            (&long, Some(&cut(&"x".repeat(1025)))),
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
