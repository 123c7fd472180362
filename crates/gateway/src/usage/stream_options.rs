//! Asks for the usage of a stream, in the body of a request that does not.

use serde_json::value::RawValue;

use crate::Error;
use crate::http::bytes::span_of;
use crate::http::json::{Members, from_bytes};

const OPTIONS: &str = "stream_options";
const INCLUDE: &str = "include_usage";

/// Checks whether the operation at `path` has these options: chat completions and completions.
pub fn applies_to(path: &str) -> bool {
    path.ends_with("/completions")
}

/// Returns `body`, a JSON object that was probed, with `stream_options.include_usage` set to `true`; nothing
/// if it is already, or if it has a type that only the provider can judge. All other bytes stay as they are.
///
/// # Errors
/// [`Error::InvalidBody`] for options that are given twice: providers differ in which of them they use.
pub fn include_usage(body: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let Ok(members) = from_bytes::<Members<'_>>(body) else { return Ok(None) };
    check_once(&members, OPTIONS)?;
    let Some(options) = members.get(OPTIONS).filter(|options| options.get() != "null") else {
        let value = format!("\"{OPTIONS}\":{{\"{INCLUDE}\":true}}");
        return Ok(Some(match members.get(OPTIONS) {
            Some(null) => replaced(body, null.get(), &format!("{{\"{INCLUDE}\":true}}")),
            None => inserted(body, &value, members.0.is_empty()),
        }));
    };
    let Ok(inner) = from_bytes::<Members<'_>>(options.get().as_bytes()) else { return Ok(None) };
    check_once(&inner, INCLUDE)?;
    Ok(match inner.get(INCLUDE).map(RawValue::get) {
        Some(value @ ("false" | "null")) => Some(replaced(body, value, "true")),
        Some(_) => None,
        None => {
            let value = format!("\"{INCLUDE}\":true");
            let edited = inserted(options.get().as_bytes(), &value, inner.0.is_empty());
            Some(replaced(body, options.get(), &String::from_utf8_lossy(&edited)))
        }
    })
}

fn check_once(members: &Members<'_>, name: &'static str) -> Result<(), Error> {
    if members.0.iter().filter(|(given, _)| given == name).count() > 1 {
        return Err(Error::invalid_param(name, format!("`{name}` is given more than once")));
    }
    Ok(())
}

/// Replaces `part` of `body`, which is a slice of it.
fn replaced(body: &[u8], part: &str, by: &str) -> Vec<u8> {
    let span = span_of(part, body);
    let (before, after) =
        (body.get(..span.start).unwrap_or_default(), body.get(span.end..).unwrap_or_default());
    [before, by.as_bytes(), after].concat()
}

/// Inserts a member at the start of the object `json`.
fn inserted(json: &[u8], member: &str, is_empty: bool) -> Vec<u8> {
    let open = json.iter().position(|byte| *byte == b'{').map_or(0, |place| place + 1);
    let (before, after) = json.split_at(open.min(json.len()));
    let comma: &[u8] = if is_empty { b"" } else { b"," };
    [before, member.as_bytes(), comma, after].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn include_usage_edits_only_the_options() {
        for (body, expected) in [
            ("{}", Some(r#"{"stream_options":{"include_usage":true}}"#)),
            (r#" { "a": 1 } "#, Some(r#" {"stream_options":{"include_usage":true}, "a": 1 } "#)),
            (r#"{"stream_options":null}"#, Some(r#"{"stream_options":{"include_usage":true}}"#)),
            (
                r#"{"stream_options": { } ,"b":2}"#,
                Some(r#"{"stream_options": {"include_usage":true } ,"b":2}"#),
            ),
            (
                r#"{"stream_options":{"include_obfuscation":false}}"#,
                Some(r#"{"stream_options":{"include_usage":true,"include_obfuscation":false}}"#),
            ),
            (
                r#"{"stream_options":{"include_usage":false},"x":false}"#,
                Some(r#"{"stream_options":{"include_usage":true},"x":false}"#),
            ),
            (
                r#"{"stream_options":{"include_usage" : null}}"#,
                Some(r#"{"stream_options":{"include_usage" : true}}"#),
            ),
            (
                r#"{"a":{"stream_options":{"include_usage":true}}}"#,
                Some(
                    r#"{"stream_options":{"include_usage":true},"a":{"stream_options":{"include_usage":true}}}"#,
                ),
            ),
            (r#"{"stream_options":{"include_usage":true}}"#, None),
            (r#"{"stream_options":{"include_usage":"yes"}}"#, None),
            (r#"{"stream_options":7}"#, None),
            ("[]", None),
        ] {
            let edited = include_usage(body.as_bytes()).unwrap();
            let edited = edited.map(|body| String::from_utf8(body).unwrap());
            assert_eq!(edited.as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn include_usage_given_twice_is_an_error() {
        for body in [
            r#"{"stream_options":{},"stream_options":{}}"#,
            r#"{"stream_options":{"include_usage":true,"include_usage":false}}"#,
        ] {
            assert!(
                matches!(include_usage(body.as_bytes()), Err(Error::InvalidBody { .. })),
                "{body}"
            );
        }
    }
}
