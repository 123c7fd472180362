//! The fields of a request that its response repeats.

use serde_json::value::RawValue;

use crate::json::Members;
use crate::json::value::Value;

/// The fields that a response repeats.
#[derive(Clone, Debug, Default)]
pub(crate) struct Echo {
    fields: Vec<(&'static str, Box<RawValue>)>,
    pub(super) service_tier: Option<String>,
    /// The namespaces whose functions the model may call.
    pub(super) namespaces: Vec<String>,
}

/// The fields, with their values where the request has none.
const REPEATED: [(&str, &str); 18] = [
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", r#""disabled""#),
    ("user", "null"),
];

/// The longest value in bytes that is repeated: a stream repeats all of them three times.
const MAX_BYTES: usize = 64 * 1024;

impl Echo {
    /// Copies what a response to the request with these `members` repeats.
    pub(super) fn of(members: &Members<'_>) -> Self {
        let mut echo = Self::default();
        for (name, default) in REPEATED {
            match members.get(name).filter(|value| is_repeated(value.get())) {
                Some(given) => echo.fields.push((name, given.to_owned())),
                None => echo.add(name, default),
            }
        }
        // Nothing is ever stored.
        echo.add("store", "false");
        echo
    }

    /// Returns the fields and their values.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        self.fields.iter().map(|(name, value)| (*name, Value::Raw(value)))
    }

    /// Adds a field with the value `json`.
    fn add(&mut self, name: &'static str, json: &str) {
        let value = RawValue::from_string(json.to_owned());
        self.fields.extend(value.ok().map(|value| (name, value)));
    }
}

/// Checks whether the value `json` is repeated.
fn is_repeated(json: &str) -> bool {
    json != "null" && json.len() <= MAX_BYTES
}
