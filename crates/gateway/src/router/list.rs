//! The list of the models of all providers.

use serde_json::value::RawValue;

use crate::Scope;
use crate::http::json::{Members, Text, from_bytes, quoted};
use crate::router::aliases::ModelAliases;

/// The most bytes of a component's list that are read.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The setting with the most milliseconds that a component may take for its list.
pub const TIMEOUT_SETTING: &str = "v1_list_timeout_ms";

/// Its default.
pub const TIMEOUT_MS: u64 = 2000;

/// A list that is being put together.
#[derive(Debug, Default)]
pub struct ModelList {
    names: Vec<String>,
    entries: String,
}

impl ModelList {
    /// Adds the aliases that a key with this `scope` may use.
    pub fn add_aliases(&mut self, aliases: &ModelAliases, scope: &Scope) {
        for name in aliases.names() {
            let is_allowed =
                scope.models.as_ref().is_none_or(|models| models.iter().any(|model| model == name));
            if is_allowed {
                self.add(name, "\"owned_by\":\"gateway\"");
            }
        }
    }

    /// Adds the models in the list `body` of a component, with `prefix` before their names. Returns whether
    /// it is a list.
    pub fn add_list(&mut self, body: &[u8], prefix: &str) -> bool {
        let Ok(list) = from_bytes::<Members<'_>>(body) else { return false };
        let data = list
            .get("data")
            .and_then(|data| serde_json::from_str::<Vec<&RawValue>>(data.get()).ok());
        let Some(entries) = data else { return false };
        for entry in entries {
            self.add_entry(entry, prefix);
        }
        true
    }

    fn add_entry(&mut self, entry: &RawValue, prefix: &str) {
        let Ok(Members(members)) = serde_json::from_str(entry.get()) else { return };
        let id = members.iter().find(|(name, _)| name == "id");
        let id: Option<Text<'_>> = id.and_then(|(_, id)| serde_json::from_str(id.get()).ok());
        let Some(id) = id else { return };
        // Google's names have a prefix of their own.
        let bare = id.strip_prefix("models/").unwrap_or(&id);
        let others =
            members.iter().filter(|(name, _)| !matches!(&**name, "id" | "object" | "type"));
        let others: Vec<String> =
            others.map(|(name, value)| format!("{}:{}", quoted(name), value.get())).collect();
        self.add(&format!("{prefix}{bare}"), &others.join(","));
    }

    /// Adds a model, unless there is one of that name.
    fn add(&mut self, name: &str, others: &str) {
        if self.names.iter().any(|known| known == name) {
            return;
        }
        let separator = |text: &str| if text.is_empty() { "" } else { "," };
        let entry = format!(
            "{}{{\"id\":{},\"object\":\"model\"{}{others}}}",
            separator(&self.entries),
            quoted(name),
            separator(others)
        );
        self.entries.push_str(&entry);
        self.names.push(name.to_owned());
    }

    /// Returns the entry of the model `name`, if there is one.
    pub fn find(&self, name: &str) -> Option<String> {
        let list = format!("[{}]", self.entries);
        let entries: Vec<&RawValue> = serde_json::from_str(&list).ok()?;
        let place = self.names.iter().position(|known| known == name)?;
        entries.get(place).map(|entry| entry.get().to_owned())
    }

    /// Returns the list, as OpenAI's API has it.
    pub fn into_body(self) -> Vec<u8> {
        format!("{{\"object\":\"list\",\"data\":[{}]}}", self.entries).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_has_unique_names_with_prefixes() {
        let aliases = ModelAliases::parse(r#"{"fast":"one/a","other":"one/b"}"#).unwrap();
        let scope =
            Scope { providers: None, models: Some(vec!["fast".to_owned(), "one/*".to_owned()]) };
        let mut list = ModelList::default();
        list.add_aliases(&aliases, &scope);
        assert!(list.add_list(br#"{"object":"list","data":[{"id":"a","object":"model","created":1},{"id":"a"},{"x":1},7]}"#, "one/"));
        assert!(list.add_list(
            br#"{"data":[{"type":"model","id":"models/g","display_name":"G"}],"has_more":false}"#,
            "two/"
        ));
        assert!(list.add_list(br#"{"data":[]}"#, "three/"));
        for garbage in ["<html>", "[]", "{}", r#"{"data":7}"#] {
            assert!(!list.add_list(garbage.as_bytes(), "four/"), "{garbage}");
        }
        assert_eq!(
            list.find("two/g").as_deref(),
            Some(r#"{"id":"two/g","object":"model","display_name":"G"}"#)
        );
        assert_eq!(list.find("two/x"), None);
        let expected = r#"{"object":"list","data":[{"id":"fast","object":"model","owned_by":"gateway"},{"id":"one/a","object":"model","created":1},{"id":"two/g","object":"model","display_name":"G"}]}"#;
        assert_eq!(String::from_utf8(list.into_body()).unwrap(), expected);
    }
}
