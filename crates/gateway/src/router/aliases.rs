//! Aliases: names for models that lead to one model, or to several that are asked one after the other.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::http::json::{Members, Text};
use crate::{Error, Scope};

/// The setting with the aliases.
pub const SETTING: &str = "model_aliases";

/// The operator's aliases.
#[derive(Clone, Debug, Default)]
pub struct ModelAliases(Vec<(String, Vec<Target>)>);

/// A model that an alias leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    model: String,
    weight: u64,
}

impl ModelAliases {
    /// Parses the setting, or nothing: a JSON object of names, each with a model or a list of models as
    /// `provider/model`. An entry of a list may be `{"model": "…", "weight": 9}`.
    ///
    /// # Errors
    /// [`Error::Configuration`] that names the alias at fault.
    pub fn parse(json: &str) -> Result<Self, Error> {
        if json.trim().is_empty() {
            return Ok(Self::default());
        }
        let Ok(Members(members)) = serde_json::from_str(json) else {
            return Err(Error::Configuration(format!("{SETTING} must be a JSON object")));
        };
        let alias = |(name, value): (Cow<'_, str>, &RawValue)| match targets(value.get()) {
            Some(targets) if is_name(&name) => Ok((name.into_owned(), targets)),
            _ => {
                let rule = "must be like {\"fast\": [\"openai/gpt-4o-mini\", …]}";
                Err(Error::Configuration(format!("{SETTING}: `{name}` {rule}")))
            }
        };
        members.into_iter().map(alias).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the models that `alias` leads to, in the order in which they are asked; nothing if there is
    /// no such alias. `random` chooses the first one by the weights.
    pub fn targets(&self, alias: &str, random: u64) -> Option<Vec<&str>> {
        let (_, targets) = self.0.iter().find(|(name, _)| name == alias)?;
        let total: u64 = targets.iter().map(|target| target.weight).sum();
        let mut left = random.checked_rem(total).unwrap_or(0);
        let chosen = targets.iter().position(|target| {
            let is_chosen = left < target.weight;
            left = left.saturating_sub(target.weight);
            is_chosen
        });
        let chosen =
            chosen.filter(|_| targets.iter().any(|target| target.weight != 1)).unwrap_or(0);
        let first = targets.iter().skip(chosen).take(1);
        let others = targets.iter().enumerate().filter(|(place, _)| *place != chosen);
        Some(
            first
                .chain(others.map(|(_, target)| target))
                .map(|target| target.model.as_str())
                .collect(),
        )
    }

    /// Returns the scope of a request that `alias` has led to `provider`, if the key's own `scope` names the
    /// alias: then it needs no further scope for the models that the alias has at that provider.
    ///
    /// What a client claims is only taken for what the operator has set: to name an alias is the same as
    /// to take one of its models.
    pub fn granted(&self, alias: &str, provider: &str, scope: &Scope) -> Option<Scope> {
        let names_it = scope.models.iter().flatten().any(|pattern| pattern == alias);
        let models = self.of_provider(alias, provider);
        (names_it && !models.is_empty()).then_some(Scope { providers: None, models: Some(models) })
    }

    /// Returns the whole names of the models that `alias` has at `provider`.
    fn of_provider(&self, alias: &str, provider: &str) -> Vec<String> {
        let targets = self.targets(alias, 0).unwrap_or_default().into_iter();
        let is_own =
            |name: &&str| name.strip_prefix(provider).is_some_and(|rest| rest.starts_with('/'));
        targets.filter(is_own).map(ToOwned::to_owned).collect()
    }
}

/// Checks whether `name` can be an alias: a name with a slash would look like a model of a provider.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '*', ' ']) && !name.contains(char::is_control)
}

/// Reads the models of an alias: one, or a list.
fn targets(json: &str) -> Option<Vec<Target>> {
    if let Ok(Text(model)) = serde_json::from_str(json) {
        return Some(vec![target(&model, 1)?]);
    }
    let entries: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let targets: Option<Vec<Target>> = entries.into_iter().map(entry).collect();
    targets.filter(|targets| !targets.is_empty())
}

/// Reads one entry of a list.
fn entry(value: &RawValue) -> Option<Target> {
    if let Ok(Text(model)) = serde_json::from_str(value.get()) {
        return target(&model, 1);
    }
    let members: Members<'_> = serde_json::from_str(value.get()).ok()?;
    if members.0.iter().any(|(name, _)| !matches!(&**name, "model" | "weight")) {
        return None;
    }
    let Text(model) = serde_json::from_str(members.get("model")?.get()).ok()?;
    let weight =
        members.get("weight").map_or(Some(1), |weight| weight.get().parse::<u32>().ok())?;
    target(&model, u64::from(weight))
}

fn target(model: &str, weight: u64) -> Option<Target> {
    let is_valid = model.contains('/') && !model.contains('*');
    is_valid.then(|| Target { model: model.to_owned(), weight })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_begin_with_the_one_that_the_weights_choose() {
        let aliases = ModelAliases::parse(
            r#"{"one":"a/x","two":["a/x","b/y"],"three":[{"model":"a/x","weight":1},{"model":"b/y","weight":3},"c/z"]}"#,
        )
        .unwrap();
        for (alias, random, expected) in [
            ("one", 7, vec!["a/x"]),
            ("two", 0, vec!["a/x", "b/y"]),
            ("two", 1, vec!["a/x", "b/y"]),
            ("three", 0, vec!["a/x", "b/y", "c/z"]),
            ("three", 1, vec!["b/y", "a/x", "c/z"]),
            ("three", 3, vec!["b/y", "a/x", "c/z"]),
            ("three", 4, vec!["c/z", "a/x", "b/y"]),
            ("three", 5, vec!["a/x", "b/y", "c/z"]),
        ] {
            assert_eq!(aliases.targets(alias, random), Some(expected), "{alias} {random}");
        }
        assert_eq!(aliases.targets("four", 0), None);
    }

    #[test]
    fn granted_covers_the_models_of_the_alias_and_no_others() {
        let aliases = ModelAliases::parse(r#"{"fast":["one/a","two/b","onetwo/c"]}"#).unwrap();
        let scope = |models: &[&str]| Scope {
            providers: Some(vec!["nothing".to_owned()]),
            models: Some(models.iter().map(|model| (*model).to_owned()).collect()),
        };
        let granted = aliases.granted("fast", "one", &scope(&["x", "fast"])).unwrap();
        assert!(granted.check_provider("one").is_ok());
        assert!(granted.check_model("one", &["a"]).is_ok());
        for (provider, model) in [("one", "b"), ("two", "a"), ("one", "aa")] {
            assert!(granted.check_model(provider, &[model]).is_err(), "{provider} {model}");
        }
        for (alias, provider, models) in [
            ("fast", "three", &["fast"][..]),
            ("fast", "one", &["f*"]),
            ("fast", "one", &["one/a"]),
            ("other", "one", &["other"]),
        ] {
            assert_eq!(
                aliases.granted(alias, provider, &scope(models)),
                None,
                "{alias} {models:?}"
            );
        }
        assert_eq!(aliases.granted("fast", "one", &Scope::default()), None);
    }

    #[test]
    fn parse_names_the_alias_at_fault() {
        for json in [
            r#"{"a":[]}"#,
            r#"{"a":"x"}"#,
            r#"{"a":["x/*"]}"#,
            r#"{"a/b":"x/y"}"#,
            r#"{"a":[{"model":"x/y","weight":-1}]}"#,
            r#"{"a":[{"model":"x/y","wieght":1}]}"#,
            r#"{"a":7}"#,
        ] {
            let error = ModelAliases::parse(json).unwrap_err().to_string();
            assert!(error.contains("model_aliases: `a"), "{json}: {error}");
        }
        assert!(ModelAliases::parse("[]").is_err());
        assert!(ModelAliases::parse(" ").is_ok());
    }
}
