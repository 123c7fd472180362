//! The form of a log line: one JSON object in ASCII.

use std::borrow::Cow;

use crate::http::json::{is_plain, push_ascii};
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
        let start = json.len();
        json.push(if json.is_empty() { '{' } else { ',' });
        json.extend(["\"", name, "\":"]);
        if !value.push_to(&mut json) {
            json.truncate(start);
        }
    }
    json.push_str("}\n");
    json
}

impl Value<'_> {
    /// Appends the value to `json`. Returns `false` if it is absent.
    fn push_to(&self, json: &mut String) -> bool {
        match *self {
            Self::Text(Some(text)) => push_ascii(json, text),
            Self::Cut(Some(text), most) => push_ascii(json, &shortened(text, most)),
            Self::Number(Some(number)) => json.push_str(&number.to_string()),
            Self::Dollars(Some(amount)) => json.push_str(&amount.to_string()),
            Self::Flag(true) => json.push_str("true"),
            Self::Text(None)
            | Self::Cut(None, _)
            | Self::Number(None)
            | Self::Dollars(None)
            | Self::Flag(false) => return false,
        }
        true
    }
}

/// Cuts `text` so that it has at most `length` bytes as JSON in ASCII, with a mark at its end.
fn shortened(text: &str, length: usize) -> Cow<'_, str> {
    if text.len() <= length && is_plain(text) {
        return Cow::Borrowed(text);
    }
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
    Cow::Owned(kept)
}
