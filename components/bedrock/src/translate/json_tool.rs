//! The synthetic tool whose input is the response, for models without support for schemas.

use serde_json::value::RawValue;

use crate::json::Members;

/// A tool whose input is the response: how a model without support for schemas keeps to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonTool {
    /// Whether the response is the input's member `value`, because its schema is not an object's.
    pub(crate) is_wrapped: bool,
}

/// The name of that tool.
pub(crate) const JSON_TOOL: &str = "json_tool_call";

/// Returns the response that the synthetic tool's `input` holds. A response that was cut short is
/// returned as far as it goes.
pub(crate) fn json_text(tool: JsonTool, input: &str) -> String {
    if input.trim().is_empty() {
        return "{}".to_owned();
    }
    if !tool.is_wrapped {
        return compact(input);
    }
    match serde_json::from_str::<Members<'_>>(input) {
        Ok(members) => compact(members.get("value").map_or(input, RawValue::get)),
        // Cut short, so it does not parse: the wrapper ends at the first colon.
        Err(_) => input.split_once(':').map_or_else(String::new, |(_, rest)| compact(rest)),
    }
}

/// Removes the white space between the tokens of `json`.
pub(crate) fn compact(json: &str) -> String {
    let mut is_string = false;
    let mut is_escaped = false;
    let is_kept = |character: &char| {
        if is_string {
            is_string = is_escaped || *character != '"';
            is_escaped = !is_escaped && *character == '\\';
            return true;
        }
        is_string = *character == '"';
        !character.is_ascii_whitespace()
    };
    json.chars().filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_keeps_white_space_in_strings() {
        for (json, expected) in [
            ("{ \"a\" : [ 1 , 2.50 ] }\n", r#"{"a":[1,2.50]}"#),
            (r#"{"a b": "c \" d\\" , "e": " "}"#, r#"{"a b":"c \" d\\","e":" "}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(compact(json), expected, "{json}");
        }
    }

    #[test]
    fn json_text_of_an_input_is_the_response() {
        for (is_wrapped, input, expected) in [
            (false, r#"{"a": 1}"#, r#"{"a":1}"#),
            (false, r#"{"value": 1}"#, r#"{"value":1}"#),
            (true, r#"{"value": [1, 2]}"#, "[1,2]"),
            (true, r#"{"value": "a b"}"#, r#""a b""#),
            (true, r#"{"other": 1}"#, r#"{"other":1}"#),
            (true, r#"{"value": [1, "#, "[1,"),
            (true, r#"{"val"#, ""),
            (true, "", "{}"),
        ] {
            assert_eq!(json_text(JsonTool { is_wrapped }, input), expected, "{input}");
        }
    }
}
