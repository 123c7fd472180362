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

    /// Checks whether an entry leads to `model`.
    pub fn is_choice(&self, model: &str) -> bool {
        self.0.iter().any(|(_, chosen)| chosen == model)
    }

    /// Returns the model that replaces `model` in a request of `team` to `provider`, if another one
    /// does.
    ///
    /// The narrowest entry applies. Without one the team gets the model it requests.
    pub fn substitute(&self, team: &Team, provider: &str, model: &str) -> Option<&str> {
        self.substitute_same(team, provider, model, &|one, other| one == other)
    }

    /// Returns the model that replaces `model`, as [`substitute`](Self::substitute) does, for a provider
    /// that has several names for a model: an entry for one of them is for all.
    pub fn substitute_same(
        &self,
        team: &Team,
        provider: &str,
        model: &str,
        is_same: &dyn Fn(&str, &str) -> bool,
    ) -> Option<&str> {
        if !team.limited {
            return None;
        }
        let of_provider = |given: &str| {
            let name = given.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
            name.is_some_and(|name| name != "*" && is_same(name, model))
        };
        // An entry for the name itself comes before one for another name of the model.
        self.entry(|given| given == format!("{provider}/{model}"))
            .or_else(|| self.entry(of_provider))
            .or_else(|| self.entry(|given| given == format!("{provider}/*")))
            .or_else(|| self.entry(|given| given == "*"))
            .filter(|chosen| *chosen != model)
    }

    /// Returns the model of the first entry whose name is wanted.
    fn entry(&self, is_wanted: impl Fn(&str) -> bool) -> Option<&str> {
        self.0.iter().find(|(given, _)| is_wanted(given)).map(|(_, model)| model.as_str())
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
    fn an_entry_for_one_name_of_a_model_is_for_all() {
        let map = r#"{"a/big": "a-small", "a/vendor.big": "exact", "a/*": "a-any"}"#;
        let map = LimitedModels::parse(map).unwrap();
        let is_same = |one: &str, other: &str| {
            one.trim_start_matches("vendor.") == other.trim_start_matches("vendor.")
        };
        for (provider, model, expected) in [
            ("a", "big", Some("a-small")),
            ("a", "vendor.big", Some("exact")),
            ("a", "vendor.vendor.big", Some("a-small")),
            ("a", "other", Some("a-any")),
            ("b", "big", None),
        ] {
            let found = map.substitute_same(&limited("blue"), provider, model, &is_same);
            assert_eq!(found, expected, "{provider}/{model}");
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
