//! JSON bodies: the probe reads what every parser reads, and an edit changes only `model`.

use corpus::Input;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::http::body::{Probe, probe};
use crate::http::json::Members;

const WORDS: &str = r#"
    { } [ ] : , " \ // ␣ ␊ ␀ null true false 0 -0.0 1e400 é {} [[[[ {"a":
    model stream "model" "stream" "model":"a" "model":"a", ,"model":"b" "model":1, "stream":true
    "stream":null, ,"stream":false "mod\u0065l": "\u006dodel":"c", \u006d \ud800 \n
"#;

/// Errors of `serde_json` for JSON that the probe only skips: the grammar has no such limits.
const LIMITS: [&str; 4] = [
    "number out of range",
    "recursion limit exceeded",
    "lone leading surrogate in hex escape",
    "unexpected end of hex escape",
];

/// Generates objects by the grammar, with members that the probe reads and others.
fn objects() -> impl Strategy<Value = Input> {
    const NAMES: [&str; 6] =
        ["\"model\"", "\"mod\\u0065l\"", "\"stream\"", "\"Model\"", "\"a\"", "\"\""];
    const VALUES: [&str; 7] =
        ["true", "false", "null", "1.5e3", "[ ]", "{\"model\":1}", "\"\\u0041\""];
    let text = "\\PC{0,8}".prop_map(|text| Value::from(text).to_string());
    let name = prop_oneof![3 => select(&NAMES[..]).prop_map(str::to_owned), 1 => text.clone()];
    let value = prop_oneof![select(&VALUES[..]).prop_map(str::to_owned), text];
    let space = || select(&["", " ", "\r\n\t"][..]);
    let member = (space(), name, space(), value)
        .prop_map(|(before, name, amid, value)| format!("{before}{name}{amid}:{amid}{value}"));
    vec(member, 0..6).prop_map(|members| Input(format!("{{{}}}", members.join(",")).into_bytes()))
}

fn bodies() -> impl Strategy<Value = Input> {
    prop_oneof![2 => super::files("body", WORDS).inputs(), 1 => objects()]
}

/// Reads the model and `stream` from a list of all members; returns nothing for what must be rejected.
fn expected(body: &[u8]) -> Option<(Option<String>, bool)> {
    let members: Members<'_> = serde_json::from_slice(body).ok()?;
    let is_other_case = |given: &str| {
        ["model", "stream"].iter().any(|name| given != *name && given.eq_ignore_ascii_case(name))
    };
    if members.0.iter().any(|(given, _)| is_other_case(given)) {
        return None;
    }
    let one = |name: &str| {
        let mut values = members.0.iter().filter(|(given, _)| given == name);
        let value: Option<&RawValue> = values.next().map(|(_, value)| *value);
        values.next().is_none().then_some(value)
    };
    let model = match one("model")? {
        Some(model) => serde_json::from_str::<Option<String>>(model.get()).ok()?,
        None => None,
    };
    let stream = one("stream")?.map_or("null", RawValue::get);
    Some((model, serde_json::from_str::<Option<bool>>(stream).ok()?.unwrap_or_default()))
}

/// Checks whether a parser that builds a tree of the whole body finds the same.
fn agrees(value: &Value, found: &Probe) -> bool {
    let model = found.model.as_ref().map(|model| model.name.as_str());
    let is_stream = value.get("stream").and_then(Value::as_bool).unwrap_or_default();
    value.is_object()
        && value.get("model").and_then(Value::as_str) == model
        && is_stream == found.is_stream
}

proptest! {
    #[test]
    fn probe_reads_what_every_parser_reads(body in bodies()) {
        let found = probe(&body).ok();
        let read = found.clone().map(|found| (found.model.map(|model| model.name), found.is_stream));
        prop_assert_eq!(read, expected(&body));
        if let Some(found) = found {
            match serde_json::from_slice::<Value>(&body) {
                Ok(value) => prop_assert!(agrees(&value, &found), "{} {:?}", value, found),
                Err(error) => {
                    let error = error.to_string();
                    prop_assert!(LIMITS.iter().any(|limit| error.starts_with(limit)), "{error}");
                }
            }
        }
    }

    #[test]
    fn replace_in_changes_only_model(body in bodies(), name in "\\PC{0,12}") {
        let Some((model, found)) = probe(&body).ok().and_then(|found| Some((found.model.clone()?, found)))
        else {
            return Ok(());
        };
        let text = Value::from(name.as_str()).to_string();
        let edited = model.replace_in(&body, text.as_bytes());
        let (head, tail) = (&body[..model.span.start], &body[model.span.end..]);
        prop_assert_eq!(&edited, &[head, text.as_bytes(), tail].concat());
        let again = probe(&edited).unwrap();
        prop_assert_eq!(again.is_stream, found.is_stream);
        prop_assert_eq!(again.model.map(|model| model.name), Some(name.clone()));
        if let Ok(mut value) = serde_json::from_slice::<Value>(&body) {
            value["model"] = Value::from(name);
            prop_assert_eq!(serde_json::from_slice::<Value>(&edited).unwrap(), value);
        }
    }
}
