//! The models of limited teams, which get the one the operator chose.

use crate::http::json::Members;
use crate::{Error, Team};

/// The setting that holds the map.
pub const SETTING: &str = "limited_models";

/// The operator's map for limited teams: from `provider/model`, `provider/*` or `*` to a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitedModels(Vec<(String, String)>);

impl LimitedModels {
    /// Parses the setting: a JSON object of strings, or nothing.
    ///
    /// # Errors
    /// [`Error::Configuration`] for anything else.
    pub fn parse(json: &str) -> Result<Self, Error> {
        if json.trim().is_empty() {
            return Ok(Self::default());
        }
        let wrong = |why: &str| Err(Error::Configuration(format!("{SETTING} {why}")));
        let Ok(Members(members)) = serde_json::from_str(json) else {
            return wrong("must be a JSON object");
        };
        let mut entries = Vec::with_capacity(members.len());
        for (name, value) in members {
            match serde_json::from_str::<String>(value.get()) {
                Ok(model) if is_pattern(&name) && !model.trim().is_empty() => {
                    entries.push((name.into_owned(), model));
                }
                _ => return wrong("maps `provider/model`, `provider/*` or `*` to a model"),
            }
        }
        Ok(Self(entries))
    }

    /// Checks whether `team` is restricted by an entry.
    pub fn applies_to(&self, team: &Team) -> bool {
        team.limited && !self.0.is_empty()
    }

    /// Returns the model that replaces `model` in a request of `team` to `provider`, if another one
    /// does.
    ///
    /// The narrowest entry applies. Without one the team gets the model it requests.
    pub fn substitute(&self, team: &Team, provider: &str, model: &str) -> Option<&str> {
        if !team.limited {
            return None;
        }
        let entry = |name: &str| {
            self.0.iter().find(|(given, _)| given == name).map(|(_, model)| model.as_str())
        };
        entry(&format!("{provider}/{model}"))
            .or_else(|| entry(&format!("{provider}/*")))
            .or_else(|| entry("*"))
            .filter(|chosen| *chosen != model)
    }
}

/// Checks whether `name` is `*`, `provider/*` or `provider/model`.
fn is_pattern(name: &str) -> bool {
    name == "*"
        || name.split_once('/').is_some_and(|(provider, model)| {
            !provider.is_empty() && provider != "*" && !model.is_empty()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::team::tests::{limited, team};

    #[test]
    fn the_narrowest_entry_counts() {
        let map = r#"{"a/big": "a-small", "a/*": "a-any", "*": "dynamic/cheap"}"#;
        let map = LimitedModels::parse(map).unwrap();
        for (provider, model, expected) in [
            ("a", "big", Some("a-small")),
            ("a", "other", Some("a-any")),
            ("a", "a-any", None),
            ("b", "big", Some("dynamic/cheap")),
        ] {
            assert_eq!(
                map.substitute(&limited("blue"), provider, model),
                expected,
                "{provider}/{model}"
            );
            assert_eq!(map.substitute(&team("blue"), provider, model), None);
        }
    }

    #[test]
    fn without_an_entry_a_team_gets_what_it_asks_for() {
        for map in ["", " ", "{}", r#"{"a/big": "x"}"#] {
            let map = LimitedModels::parse(map).unwrap();
            assert_eq!(map.substitute(&limited("blue"), "a", "other"), None);
        }
    }

    #[test]
    fn a_bad_map_is_named() {
        for map in [
            "{",
            "[]",
            "null",
            r#"{"*": 1}"#,
            r#"{"*": ""}"#,
            r#"{"gpt-4o": "x"}"#,
            r#"{"*/x": "y"}"#,
            r#"{"a/": "y"}"#,
            r#"{"/x": "y"}"#,
        ] {
            let error = LimitedModels::parse(map).unwrap_err().to_string();
            assert!(error.contains("limited_models"), "{map}: {error}");
        }
    }
}
