//! JSON, read so that a guest stays small: from text only, because each kind of source adds a reader
//! of its own, and an object's members as a list.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use serde_json::value::RawValue;

/// A string that borrows from the JSON it was read from, unless it contains an escape.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, DeriveDeserialize, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The members of a JSON object in their order, duplicates included.
#[derive(Clone, Debug, Default)]
pub struct Members<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

/// Parses JSON, which must be UTF-8.
///
/// # Errors
/// As [`serde_json::from_str`].
pub fn from_bytes<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> serde_json::Result<T> {
    let text = std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?;
    serde_json::from_str(text)
}

/// Returns `text` as a JSON string.
pub fn quoted(text: &str) -> String {
    // A string always serialises.
    serde_json::to_string(text).unwrap_or_default()
}

/// Appends `text` to `json` as a JSON string in ASCII.
pub fn push_ascii(json: &mut String, text: &str) {
    if is_plain(text) {
        json.extend(["\"", text, "\""]);
    } else {
        json.push_str(&to_ascii(&quoted(text)));
    }
}

/// Checks whether `text` is its own form in a JSON string of ASCII. Most texts are, and are copied as a whole.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

/// Escapes every character of the JSON text `json` that is not visible ASCII, as JSON allows in strings.
pub fn to_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && !character.is_ascii_control() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

/// Reads the members of a JSON object, and keeps the first `most` of them.
#[derive(Clone, Copy, Debug)]
pub struct MembersVisitor {
    /// The number of members that are kept.
    pub most: usize,
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> Members<'a> {
    /// Returns the value of the first member called `name`.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor { most: usize::MAX }).map(Self)
    }
}

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            if members.len() < self.most {
                members.push((name.0, value));
            }
        }
        Ok(members)
    }
}
