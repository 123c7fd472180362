//! Embeddings in the encoding that the client requested.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::http::json::{Members, from_bytes, quoted};

/// The maximum length of a response that is encoded, in bytes: 2,048 vectors of 1,536 numbers have about
/// 60 MB as text.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Encodes the vectors of an embeddings response as Base64 of little-endian 32-bit floats, which the client
/// requested and some providers do not return: OpenAI's SDKs would read numbers as an empty vector.
/// <https://platform.openai.com/docs/api-reference/embeddings/create>
///
/// A response that is not a list of vectors is returned unchanged.
pub fn encode(body: Vec<u8>) -> Vec<u8> {
    encoded(&body).map_or(body, String::into_bytes)
}

fn encoded(body: &[u8]) -> Option<String> {
    let Members(members) = from_bytes(body).ok()?;
    let mut text = String::with_capacity(body.len());
    push_members(&members, &mut text, |name, value, text| {
        let entries: Vec<&RawValue> = match name {
            "data" => serde_json::from_str(value.get()).ok()?,
            _ => return Some(false),
        };
        text.push('[');
        for (index, entry) in entries.into_iter().enumerate() {
            text.push_str(if index > 0 { "," } else { "" });
            push_entry(entry, text)?;
        }
        text.push(']');
        Some(true)
    })?;
    Some(text)
}

/// Writes an entry of the list, with its vector encoded if it has numbers.
fn push_entry(entry: &RawValue, text: &mut String) -> Option<()> {
    let Members(members) = serde_json::from_str(entry.get()).ok()?;
    push_members(&members, text, |name, value, text| {
        if name != "embedding" || !value.get().starts_with('[') {
            return Some(false);
        }
        let vector: Vec<f32> = serde_json::from_str(value.get()).ok()?;
        let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
        text.push('"');
        STANDARD.encode_string(bytes, text);
        text.push('"');
        Some(true)
    })
}

/// Writes an object. `push` may write a member's value in another form, and then returns `true`.
fn push_members(
    members: &[(std::borrow::Cow<'_, str>, &RawValue)],
    text: &mut String,
    push: impl Fn(&str, &RawValue, &mut String) -> Option<bool>,
) -> Option<()> {
    text.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        text.push_str(if index > 0 { "," } else { "" });
        text.push_str(&quoted(name));
        text.push(':');
        if !push(name, value, text)? {
            text.push_str(value.get());
        }
    }
    text.push('}');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encode_changes_vectors_of_numbers_only() {
        for (body, expected) in [
            (
                r#"{"object":"list","data":[{"index":0,"embedding":[1, 0.5,-2e0]},{"embedding":[]}],"x":[1.50]}"#,
                r#"{"object":"list","data":[{"index":0,"embedding":"AACAPwAAAD8AAADA"},{"embedding":""}],"x":[1.50]}"#,
            ),
            (r#"{"data":[{"embedding":"AAAA"}]}"#, r#"{"data":[{"embedding":"AAAA"}]}"#),
            (r#"{"data":[{"embedding":["a"]}]}"#, r#"{"data":[{"embedding":["a"]}]}"#),
            (r#"{"data":{}}"#, r#"{"data":{}}"#),
            ("[1]", "[1]"),
            ("", ""),
        ] {
            let found = encode(body.as_bytes().to_vec());
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{body}");
        }
    }
}
