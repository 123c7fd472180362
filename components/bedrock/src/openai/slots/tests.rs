//! Lists of objects, as a request has them.

use super::*;
use crate::limits::{MESSAGES, PARTS};
use crate::openai::request::Message;

/// Returns the error for a list of messages.
fn error(json: &str) -> String {
    let list: &RawValue = serde_json::from_str(json).unwrap();
    let outcome: Result<Vec<Message<'_>>, Error> = read_list("messages", list, &MESSAGES, &PARTS);
    outcome.unwrap_err().to_string()
}

#[test]
fn read_list_with_an_invalid_entry_says_what_is_wrong() {
    for (json, expected) in [
        ("{}", "`messages` is malformed: invalid type: map, expected an array"),
        ("\"a\"", "`messages` is malformed: invalid type: string, expected an array"),
        ("[1]", "`messages[0]` is malformed: invalid type: integer `1`, expected an object"),
        ("[null]", "`messages[0]` is malformed: invalid type: null, expected an object"),
        ("[[]]", "`messages[0]` is malformed: invalid type: sequence, expected an object"),
        (r#"[{"role":"a"},{}]"#, "`messages[1]` is malformed: missing field `role`"),
        (r#"[{"role":"a","role":"b"}]"#, "`messages[0]` is malformed: duplicate field `role`"),
        (r#"[{"role":null}]"#, "`messages[0]` is malformed: expected a string"),
        (r#"[{"role":"\ud800"}]"#, "`messages[0]` is malformed: expected a string"),
        (
            r#"[{"role":"a","content":{}}]"#,
            "`messages[0]` is malformed: expected a string or an array of parts",
        ),
        (
            r#"[{"role":"a","content":[{"type":"text"},{}]}]"#,
            "`messages[0]` is malformed: missing field `type`",
        ),
        (
            r#"[{"role":"a","tool_calls":{}}]"#,
            "`messages[0]` is malformed: invalid type: map, expected an array",
        ),
    ] {
        assert_eq!(error(json), expected, "{json}");
    }
}

#[test]
fn read_list_ignores_unknown_fields_and_null() {
    let json = r#"[{"role":"a","content":null,"tool_calls":null,"x":[{}],"cache_control":null}]"#;
    let list: &RawValue = serde_json::from_str(json).unwrap();
    let messages: Vec<Message<'_>> = read_list("messages", list, &MESSAGES, &PARTS).unwrap();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((&*message.role, message.tool_calls.len()), ("a", 0));
    assert!(message.content.is_none() && message.cache_control.is_none());
}
