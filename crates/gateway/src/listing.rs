//! Lists of models, cut down to those a key may use.

use serde_json::value::RawValue;

use crate::Error;
use crate::json::{Members, Text, from_bytes};

/// Bytes a list may have that is cut down.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Where the lists of OpenAI's shape, Gemini's and Cloudflare's have their models, and what those call
/// their names.
const LISTS: [&str; 3] = ["data", "models", "result"];
const NAMES: [&str; 2] = ["id", "name"];

/// Whether `path` lists models, in OpenAI's shape or in a provider's own.
pub fn is_list(path: &str) -> bool {
    path.rsplit('/').next() == Some("models")
}

/// The list in `body` without the models whose name is not `allowed`.
///
/// # Errors
/// [`Error::UnusableAnswer`] for a body that is no list: what cannot be cut down is not shown.
pub fn filter(body: &[u8], allowed: impl Fn(&str) -> bool) -> Result<Vec<u8>, Error> {
    let no_list = || Error::unusable("a list of models of an unknown shape");
    let Members(members) = from_bytes(body).map_err(|_| no_list())?;
    let mut is_list = false;
    let mut text = String::with_capacity(body.len());
    for (name, value) in &members {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&serde_json::to_string(name).map_err(|_| no_list())?);
        text.push(':');
        match LISTS.contains(&&**name).then(|| entries(value)).flatten() {
            Some(entries) => {
                is_list = true;
                push_list(entries.into_iter().filter(|entry| is_for(entry, &allowed)), &mut text);
            }
            // Anthropic's names of the first and the last, which may be among those that are not shown.
            None if matches!(&**name, "first_id" | "last_id") => text.push_str("null"),
            None => text.push_str(value.get()),
        }
    }
    text.push('}');
    if is_list { Ok(text.into_bytes()) } else { Err(no_list()) }
}

fn entries(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn push_list<'a>(entries: impl Iterator<Item = &'a RawValue>, text: &mut String) {
    text.push('[');
    let start = text.len();
    for entry in entries {
        if text.len() > start {
            text.push(',');
        }
        text.push_str(entry.get());
    }
    text.push(']');
}

/// Whether an entry has a name, and one that is `allowed`.
fn is_for(entry: &RawValue, allowed: impl Fn(&str) -> bool) -> bool {
    let members: Option<Members<'_>> = serde_json::from_str(entry.get()).ok();
    let value = members.and_then(|members| NAMES.iter().find_map(|name| members.get(name)));
    let name: Option<Text<'_>> = value.and_then(|value| serde_json::from_str(value.get()).ok());
    name.is_some_and(|name| allowed(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_down_and_else_as_it_was() {
        for (body, expected) in [
            (
                r#"{"object":"list","data":[{"id":"a","x":1.50},{"id":"b"}],"has_more":false}"#,
                r#"{"object":"list","data":[{"id":"a","x":1.50}],"has_more":false}"#,
            ),
            (r#"{"models":[{"name":"b"},{"name":"a"}]}"#, r#"{"models":[{"name":"a"}]}"#),
            (r#"{"data":[{"id":"b"}],"last_id":"b"}"#, r#"{"data":[],"last_id":null}"#),
            (r#"{"data":[{"x":"a"},1,"a"]}"#, r#"{"data":[]}"#),
            (r#"{"data":[]}"#, r#"{"data":[]}"#),
        ] {
            let found = filter(body.as_bytes(), |name| name == "a").unwrap();
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_list_is_not_shown() {
        for body in ["", "[]", "{}", r#"{"data":{}}"#, "{\"data\":[\"\u{1}\"]}", "null"] {
            assert!(filter(body.as_bytes(), |_| true).is_err(), "{body}");
        }
    }

    #[test]
    fn a_path_that_lists_ends_so() {
        for (path, expected) in [
            ("/models", true),
            ("/v1beta/models", true),
            ("/v1beta/openai/models", true),
            ("/models/a", false),
            ("/files", false),
        ] {
            assert_eq!(is_list(path), expected, "{path}");
        }
    }
}
