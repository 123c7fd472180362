//! Names that stand for a provider's models, and the syntax of Bedrock's ids, which is the one provider
//! that has such names.

use std::borrow::Cow;

use serde::Deserialize;

use crate::http::json::{Members, Text};
use crate::{Error, LimitedModels, Team};

/// The end of the name of the variable that defines a provider's aliases: `bedrock_model_aliases`.
pub const SETTING_SUFFIX: &str = "_model_aliases";

/// The setting that defines Bedrock's aliases.
pub const SETTING: &str = "bedrock_model_aliases";

/// The built-in aliases: models that every account can use without an inference profile.
const BUILT_IN: [(&str, &str); 3] = [
    ("nova-pro", "amazon.nova-pro-v1:0"),
    ("nova-lite", "amazon.nova-lite-v1:0"),
    ("nova-micro", "amazon.nova-micro-v1:0"),
];

/// The maximum length of an id.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
const MAX_ID_LENGTH: usize = 2048;

/// How much of an unknown name an error repeats, in characters.
const SHOWN: usize = 64;

/// The aliases: the built-in ones, and those of the setting `bedrock_model_aliases`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aliases(Vec<Alias>);

/// An alias: a name and the model that it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alias {
    name: Cow<'static, str>,
    id: Cow<'static, str>,
    base: Option<String>,
}

/// The model that a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The id or ARN that requests are sent to.
    pub id: &'a str,
    /// The id that identifies the model; the same, unless an ARN hides the model.
    pub base: &'a str,
}

/// An entry of the setting that names the model behind an ARN.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow, default)]
    base: Option<Text<'a>>,
}

impl Default for Aliases {
    fn default() -> Self {
        let alias =
            |(name, id)| Alias { name: Cow::Borrowed(name), id: Cow::Borrowed(id), base: None };
        Self(BUILT_IN.into_iter().map(alias).collect())
    }
}

impl Aliases {
    /// Parses the setting, and adds its aliases to the built-in ones.
    ///
    /// The setting is empty, or a JSON object whose values are ids, or objects with `model` and
    /// `base` for ARNs that do not show their model.
    ///
    /// # Errors
    /// [`Error::Configuration`] for anything else.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let mut aliases = Self::default();
        if json.trim().is_empty() {
            return Ok(aliases);
        }
        let Members(members) =
            serde_json::from_str(json).map_err(|_| wrong("must be a JSON object"))?;
        for (name, value) in members {
            aliases.set(read_alias(&name, value.get())?);
        }
        Ok(aliases)
    }

    /// Finds the model for `name`: an alias, a full id or an ARN.
    ///
    /// # Errors
    /// A client error that lists the aliases.
    pub fn find<'a>(&'a self, name: &'a str) -> Result<Target<'a>, Error> {
        if let Some(alias) = self.0.iter().find(|alias| alias.name == name) {
            return Ok(alias.target());
        }
        if is_id(name) {
            return Ok(Target { id: name, base: name });
        }
        Err(self.unknown(name))
    }

    /// Returns the aliases with their models.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Target<'_>)> {
        self.0.iter().map(|alias| (&*alias.name, alias.target()))
    }

    /// Returns the names of a model that a scope may list: `name` itself, and the id that it stands for.
    pub fn names<'a>(&'a self, name: &'a str) -> [&'a str; 2] {
        [name, self.find(name).map_or(name, |target| target.id)]
    }

    /// Returns the model that `team` gets in place of `name`, if the operator chose one for any name of
    /// the model.
    pub fn substitute<'a>(
        &self,
        name: &str,
        team: &Team,
        provider: &str,
        limited_models: &'a LimitedModels,
    ) -> Option<&'a str> {
        let is_same = |one: &str, other: &str| self.is_same(one, other);
        limited_models.substitute_same(team, provider, name, &is_same)
    }

    /// Checks whether two names are for one model: both may be aliases, ids or ARNs.
    fn is_same(&self, one: &str, other: &str) -> bool {
        let others = self.ids(other);
        self.ids(one).iter().any(|one| others.iter().any(|other| is_same_id(one, other)))
    }

    /// Returns all ids that are known for the model `name`.
    fn ids<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let mut ids = vec![name];
        let is_named = |alias: &&Alias| alias.name == name || alias.id == name;
        for alias in self.0.iter().filter(is_named) {
            ids.extend([&*alias.id, alias.target().base]);
        }
        // The ARN of a model or of a profile ends with its id.
        let tails: Vec<&str> = ids.iter().filter_map(|id| arn_id(id)).collect();
        ids.extend(tails);
        ids
    }

    /// Adds an alias, which replaces one of the same name.
    fn set(&mut self, alias: Alias) {
        self.0.retain(|earlier| earlier.name != alias.name);
        self.0.push(alias);
    }

    /// Creates the error for an unknown name.
    fn unknown(&self, name: &str) -> Error {
        let names: Vec<&str> = self.iter().map(|(name, _)| name).collect();
        let (name, names) = (name.chars().take(SHOWN).collect::<String>(), names.join(", "));
        let message = format!("unknown model `{name}`: use {names} or a full Bedrock model id");
        Error::invalid_param("model", message)
    }
}

impl Alias {
    /// Returns the model of the alias.
    fn target(&self) -> Target<'_> {
        Target { id: &self.id, base: self.base.as_deref().unwrap_or(&self.id) }
    }
}

/// Reads one entry of the setting.
fn read_alias(name: &str, json: &str) -> Result<Alias, Error> {
    let entry = match json.chars().next() {
        Some('{') => serde_json::from_str(json).ok(),
        _ => serde_json::from_str(json).ok().map(|model| Entry { model, base: None }),
    };
    match entry {
        Some(Entry { model, base })
            if !name.is_empty() && is_id(&model) && base.as_deref().is_none_or(is_id) =>
        {
            let (id, base) = (model.0.into_owned(), base.map(|base| base.0.into_owned()));
            Ok(Alias { name: Cow::Owned(name.to_owned()), id: Cow::Owned(id), base })
        }
        _ => Err(wrong(r#"maps names to model ids, or to {"model": an ARN, "base": a model id}"#)),
    }
}

/// Checks whether `name` can be a model's id or ARN.
///
/// It becomes a segment of a signed path, so nothing in it may end the path or leave its folder,
/// however often a proxy decodes it.
fn is_id(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    let is_safe = |segment: &str| !matches!(segment, "" | ".") && !segment.contains("..");
    (name.contains('.') || name.starts_with("arn:"))
        && name.len() <= MAX_ID_LENGTH
        && name.bytes().all(is_plain)
        && name.split('/').all(is_safe)
}

/// Returns the id in an ARN, unless the ARN hides it.
fn arn_id(arn: &str) -> Option<&str> {
    let (kind, id) = arn.strip_prefix("arn:")?.splitn(5, ':').nth(4)?.split_once('/')?;
    matches!(kind, "foundation-model" | "inference-profile").then_some(id)
}

/// Checks whether two ids name one model, of which an inference profile has the id with a region before
/// it: `us.anthropic.claude-…`.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
fn is_same_id(one: &str, other: &str) -> bool {
    let (plain, other_plain) = (without_region(one), without_region(other));
    one == other || plain == other || one == other_plain || plain == other_plain
}

/// Strips what stands before the vendor of an id, or the vendor if nothing does. Ids that are compared
/// without their vendors still name different models, because no two vendors share a model's name.
fn without_region(id: &str) -> &str {
    match id.split_once('.') {
        Some((_, rest)) if rest.contains('.') => rest,
        _ => id,
    }
}

/// Creates the error for an invalid setting.
fn wrong(why: &str) -> Error {
    Error::Configuration(format!("{SETTING} {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROFILE: &str = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";

    fn target(setting: &str, name: &str) -> Option<(String, String)> {
        let aliases = Aliases::parse(setting).unwrap();
        aliases.find(name).ok().map(|target| (target.id.to_owned(), target.base.to_owned()))
    }

    #[test]
    fn find_of_a_name_returns_its_model() {
        let hidden =
            format!(r#"{{"claude":{{"model":"{PROFILE}","base":"anthropic.claude-opus-5"}}}}"#);
        let bare = format!(r#"{{"claude":{{"model":"{PROFILE}"}}}}"#);
        for (setting, name, id, base) in [
            ("", "nova-pro", "amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
            (" {} ", "nova-lite", "amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            (
                r#"{"x":"us.meta.a"}"#,
                "nova-micro",
                "amazon.nova-micro-v1:0",
                "amazon.nova-micro-v1:0",
            ),
            (r#"{"nova-pro":"us.amazon.b"}"#, "nova-pro", "us.amazon.b", "us.amazon.b"),
            (r#"{"a.b":"c.d"}"#, "a.b", "c.d", "c.d"),
            (&hidden, "claude", PROFILE, "anthropic.claude-opus-5"),
            (&bare, "claude", PROFILE, PROFILE),
            ("", PROFILE, PROFILE, PROFILE),
            ("", "deepseek.v3.2", "deepseek.v3.2", "deepseek.v3.2"),
        ] {
            let expected = Some((id.to_owned(), base.to_owned()));
            assert_eq!(target(setting, name), expected, "{setting} {name}");
        }
    }

    #[test]
    fn is_same_knows_aliases_profiles_and_arns() {
        let setting = format!(
            r#"{{"claude":"us.anthropic.claude-opus-5","hidden":{{"model":"{PROFILE}","base":"meta.llama3.2"}}}}"#
        );
        let aliases = Aliases::parse(&setting).unwrap();
        let arn = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-pro-v1:0";
        for (one, other, expected) in [
            ("nova-pro", "nova-pro", true),
            ("nova-pro", "amazon.nova-pro-v1:0", true),
            ("nova-pro", "us.amazon.nova-pro-v1:0", true),
            ("nova-pro", arn, true),
            ("us.amazon.nova-pro-v1:0", "eu.amazon.nova-pro-v1:0", true),
            ("nova-pro", "amazon.nova-lite-v1:0", false),
            ("claude", "anthropic.claude-opus-5", true),
            ("claude", "global.anthropic.claude-opus-5", true),
            ("claude", "anthropic.claude-opus-5-5", false),
            ("hidden", PROFILE, true),
            ("us.meta.llama3.2", PROFILE, true),
            ("meta.llama3.2", "hidden", true),
            ("deepseek.v3.2", "deepseek.v3.1", false),
            ("unknown", "other", false),
        ] {
            assert_eq!(aliases.is_same(one, other), expected, "{one} {other}");
            assert_eq!(aliases.is_same(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn find_of_an_invalid_id_lists_the_aliases() {
        let long = format!("a.{}", "x".repeat(MAX_ID_LENGTH));
        for name in [
            "",
            "gpt-4o",
            "a b.c",
            "a.b\n",
            "a..b",
            "a.b?x",
            "a.b#x",
            "a.b%2F",
            "a.b\\c",
            "a.b/./c",
            "a.b//c",
            "/a.b",
            "a.b/",
            "a.bä",
            "arn:a/../b",
            &long,
        ] {
            let error = Aliases::default().find(name).unwrap_err();
            assert_eq!(error.param(), Some("model"), "{name}");
            let text = error.to_string();
            assert!(text.contains("use nova-pro, nova-lite, nova-micro or a full"), "{text}");
            assert!(text.len() < 300, "{text}");
        }
    }

    #[test]
    fn parse_of_a_bad_setting_names_it() {
        for setting in [
            "[]",
            "{",
            "null",
            r#"{"a":1}"#,
            r#"{"a":"b"}"#,
            r#"{"a":"b.c?"}"#,
            r#"{"":"b.c"}"#,
            r#"{"a":{"base":"b.c"}}"#,
            r#"{"a":{"model":"b.c","base":"d"}}"#,
            r#"{"a":{"model":"b.c","x":1}}"#,
            r#"{"a":["b.c"]}"#,
        ] {
            let error = Aliases::parse(setting).unwrap_err().to_string();
            assert!(error.contains("bedrock_model_aliases"), "{setting}: {error}");
        }
    }

    proptest! {
        #[test]
        fn find_of_any_name_never_panics(name in any::<String>()) {
            if let Ok(target) = Aliases::default().find(&name) {
                prop_assert!(!target.id.contains(".."));
            }
        }
    }
}
