//! The parts of JSON that is known to be valid, found without building values.

use std::borrow::Cow;

use crate::json::escapes::unescape;

/// What is left of a JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    /// Creates a scanner of `json`, which must be valid.
    pub(crate) fn new(json: &'a str) -> Self {
        Self(json)
    }

    /// Returns the first byte of the next token. Separators are skipped, because in valid JSON they
    /// are where they must be.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.0 = self.0.trim_start_matches([' ', '\t', '\n', '\r', ',', ':']);
        self.0.bytes().next()
    }

    /// Skips a bracket.
    pub(crate) fn skip(&mut self) {
        self.peek();
        self.0 = self.0.get(1..).unwrap_or_default();
    }

    /// Returns the next value with all that is in it.
    pub(crate) fn value(&mut self) -> Option<&'a str> {
        self.peek()?;
        let (value, rest) = self.0.split_at_checked(extent(self.0).length)?;
        self.0 = rest;
        Some(value)
    }
}

/// Returns the members of `object`, each name as it is written. Nothing for anything but an object.
pub(crate) fn members(object: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut scanner = Scanner::new(object);
    let is_object = scanner.peek() == Some(b'{');
    scanner.skip();
    std::iter::from_fn(move || {
        let name = scanner.value().filter(|name| is_object && !name.is_empty())?;
        Some((name, scanner.value()?))
    })
}

/// Returns the value of the first member of `object` that is called `name`.
pub(crate) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    members(object).find(|(given, _)| name_of(given) == name).map(|(_, value)| value)
}

/// Returns the name that is written as the string `json`.
pub(crate) fn name_of(json: &str) -> Cow<'_, str> {
    let text = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    if text.contains('\\') { unescape(text).unwrap_or_default().into() } else { text.into() }
}

/// Returns the depth of brackets in `json`.
pub(crate) fn depth(json: &str) -> usize {
    extent(json).depth
}

/// The extent of a value.
struct Extent {
    length: usize,
    depth: usize,
}

/// Measures the value at the beginning of `json`.
fn extent(json: &str) -> Extent {
    let (mut level, mut depth) = (0_usize, 0);
    let (mut is_string, mut is_escaped) = (false, false);
    for (index, byte) in json.bytes().enumerate() {
        let mut length = index + 1;
        if is_string {
            is_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
        } else {
            match byte {
                b'"' => is_string = true,
                b'{' | b'[' => level += 1,
                b'}' | b']' if level > 0 => level -= 1,
                b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if level == 0 => {
                    length = index;
                }
                _ => continue,
            }
            depth = depth.max(level);
        }
        if level == 0 && !is_string {
            return Extent { length, depth };
        }
    }
    Extent { length: json.len(), depth }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_without_white_space() {
        let object =
            r#" {"a" : [1, {"b": "}"}] ,"c\u0022":null , "e":-1.5e3,"f":"x\\\"," , "g": {} } "#;
        let found: Vec<_> = members(object).map(|(name, value)| (name_of(name), value)).collect();
        let expected = [
            ("a", r#"[1, {"b": "}"}]"#),
            ("c\"", "null"),
            ("e", "-1.5e3"),
            ("f", r#""x\\\",""#),
            ("g", "{}"),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.into(), value)));
        assert_eq!((member(object, "c\""), member(object, "b")), (Some("null"), None));
        for other in ["[]", "{}", "1", "\"a\"", "[1,2]", "null"] {
            assert_eq!(members(other).count(), 0, "{other}");
        }
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        for (json, expected) in
            [("1", 0), (r#""[[""#, 0), ("[]", 1), (r#"{"a":[{}],"b":[]}"#, 3), ("[[[]],[]]", 3)]
        {
            assert_eq!(depth(json), expected, "{json}");
        }
    }
}
