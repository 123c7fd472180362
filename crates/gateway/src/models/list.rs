//! Lists of models, filtered to those a key may use.

use serde_json::value::RawValue;

use crate::http::json::{Members, Text, from_bytes, quoted};
use crate::{Error, Scope};

/// The maximum length of a list that is filtered, in bytes.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The members that hold the models in OpenAI's lists, Gemini's and Cloudflare's, and the members that
/// hold a model's name.
const LISTS: [&str; 3] = ["data", "models", "result"];
const NAMES: [&str; 2] = ["id", "name"];

/// Filters a list of models by a key's scope.
#[derive(Clone, Debug)]
pub struct ModelFilter {
    provider: &'static str,
    scope: Scope,
    bare_model: fn(&str) -> &str,
}

impl ModelFilter {
    /// Creates a filter for lists of `provider`, which also knows a model by its bare name.
    pub fn new(provider: &'static str, scope: &Scope, bare_model: fn(&str) -> &str) -> Self {
        Self { provider, scope: scope.clone(), bare_model }
    }

    /// Removes the models from `body` that the key may not use.
    ///
    /// # Errors
    /// [`Error::InvalidUpstreamResponse`] for a body that is not a list: what cannot be filtered is
    /// not shown.
    pub fn apply(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        filter(body, |name| {
            self.scope.check_model(self.provider, &[(self.bare_model)(name), name]).is_ok()
        })
    }
}

/// Checks whether `path` lists models, in OpenAI's API or in a provider's own.
pub fn is_list(path: &str) -> bool {
    path.rsplit('/').next() == Some("models")
}

/// Returns the model that a request for `path` shows, if its last segment names one.
pub fn shown_model(path: &str) -> Option<&str> {
    let (before, model) = path.rsplit_once('/')?;
    (before.ends_with("/models") && !model.contains('%')).then_some(model)
}

fn filter(body: &[u8], allowed: impl Fn(&str) -> bool) -> Result<Vec<u8>, Error> {
    let no_list = || Error::invalid_response("a list of models in an unknown format");
    let Members(members) = from_bytes(body).map_err(|_| no_list())?;
    let mut is_list = false;
    let mut text = String::with_capacity(body.len());
    for (name, value) in &members {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&quoted(name));
        text.push(':');
        match LISTS.contains(&&**name).then(|| entries(value)).flatten() {
            Some(entries) => {
                is_list = true;
                push_list(entries.into_iter().filter(|entry| is_for(entry, &allowed)), &mut text);
            }
            // Anthropic's first and last name, which may be of models that are not shown.
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

/// Checks whether an entry has a name that is `allowed`.
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
    fn filter_removes_models_and_nothing_more() {
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
    fn filter_rejects_what_is_not_a_list() {
        for body in ["", "[]", "{}", r#"{"data":{}}"#, "{\"data\":[\"\u{1}\"]}", "null"] {
            assert!(filter(body.as_bytes(), |_| true).is_err(), "{body}");
        }
    }

    #[test]
    fn shown_model_is_the_last_segment() {
        for (path, expected) in [
            ("/models/a", Some("a")),
            ("/v1beta/models/gemini-2.5", Some("gemini-2.5")),
            ("/models", None),
            ("/files/a", None),
            ("/models/%61", None),
            ("/models/a/b", None),
        ] {
            assert_eq!(shown_model(path), expected, "{path}");
        }
    }

    #[test]
    fn is_list_looks_at_the_last_segment() {
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
