//! The form of a log line: one JSON object in ASCII.

use std::fmt::Write as _;

use crate::http::json::to_ascii;
use crate::limits::amount::Usd;

/// The value of a field; a field without one is left out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// A text that the gateway has made.
    Text(Option<&'a str>),
    /// A text of someone else, and the most bytes that it may have as JSON.
    Cut(Option<&'a str>, usize),
    /// A number.
    Number(Option<u64>),
    /// An amount of dollars.
    Dollars(Option<Usd>),
    /// A flag, which is left out unless it is set.
    Flag(bool),
}

/// Formats the fields as one line, with its line feed.
pub(super) fn format(fields: &[(&str, Value<'_>)]) -> String {
    let mut json = String::with_capacity(512);
    for (name, value) in fields {
        if let Some(value) = value.to_json() {
            json.push(if json.is_empty() { '{' } else { ',' });
            // Writing to a string cannot fail.
            let _ = write!(json, "\"{name}\":{value}");
        }
    }
    json.push_str("}\n");
    json
}

impl Value<'_> {
    fn to_json(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(quoted(text?)),
            Self::Cut(text, most) => Some(quoted(&shortened(text?, most))),
            Self::Number(number) => Some(number?.to_string()),
            Self::Dollars(amount) => Some(amount?.to_string()),
            Self::Flag(is_set) => is_set.then(|| "true".to_owned()),
        }
    }
}

/// Formats `text` as JSON in ASCII.
fn quoted(text: &str) -> String {
    // A string can always be serialised.
    to_ascii(&serde_json::to_string(text).unwrap_or_default())
}

/// Cuts `text` so that it has at most `length` bytes as JSON in ASCII, with a mark at its end.
fn shortened(text: &str, length: usize) -> String {
    let mut used = 0;
    let fits = |character: &char| {
        used += match character {
            '"' | '\\' => 2,
            ' '..='~' => 1,
            '\0'..='\u{ffff}' => 6,
            _ => 12,
        };
        used <= length
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    if kept.len() < text.len() {
        kept.push_str("...");
    }
    kept
}
