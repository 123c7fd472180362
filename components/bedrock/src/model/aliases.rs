//! Names that stand for models, and what a model's id may look like.

use gateway::translator::Context;
use gateway::{Error, policy};
use serde::Deserialize;

use crate::SLUG;
use crate::json::{Members, Text, cut};
use crate::model::Model;

const SETTING: &str = "bedrock_model_aliases";

/// Our own aliases: models that every account has, without an inference profile.
const OURS: [(&str, &str); 3] = [
    ("nova-pro", "amazon.nova-pro-v1:0"),
    ("nova-lite", "amazon.nova-lite-v1:0"),
    ("nova-micro", "amazon.nova-micro-v1:0"),
];

/// Bytes an id may have.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
const ID_LENGTH: usize = 2048;

/// Names that stand for models: ours, and those of the setting `bedrock_model_aliases`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aliases(Vec<Alias>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Alias {
    name: String,
    id: String,
    base: Option<String>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// The id or ARN that is asked.
    pub(crate) id: &'a str,
    /// The one that tells which model that is: mostly the same.
    pub(crate) base: &'a str,
}

/// An entry of the setting that says what its ARN hides.
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
        let alias = |(name, id): (&str, &str)| Alias {
            name: name.to_owned(),
            id: id.to_owned(),
            base: None,
        };
        Self(OURS.into_iter().map(alias).collect())
    }
}

impl Aliases {
    /// Reads the setting on top of our own: nothing, or a JSON object of ids, and of objects with
    /// `model` and `base` for ARNs that do not say which model they stand for.
    ///
    /// # Errors
    /// [`Error::Configuration`] for anything else.
    pub(crate) fn parse(json: &str) -> Result<Self, Error> {
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

    /// The model that the team of `context` gets where it asks for `name`.
    ///
    /// # Errors
    /// As [`Aliases::find_for`].
    pub(crate) fn resolve_for(&self, name: &str, context: &Context<'_>) -> Result<Model, Error> {
        self.find_for(name, context, |target| Ok(target.model()))
    }

    /// What `read` makes of what the team of `context` gets where it asks for `name`.
    ///
    /// # Errors
    /// As [`Aliases::find`] and `read`, but [`Error::Configuration`] if the model is the operator's
    /// choice: that cannot be mended by the client.
    pub(crate) fn find_for<'a, T>(
        &'a self,
        name: &'a str,
        context: &Context<'a>,
        read: impl FnOnce(Target<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let known = self.find(name).map_or(name, |target| target.id);
        context.team.scope.check_model(SLUG, &[name, known])?;
        let limited_models = context.rules.limited_models;
        match limited_models.substitute(context.team, SLUG, name) {
            None => self.find(name).and_then(read),
            Some(chosen) => self
                .find(chosen)
                .and_then(read)
                .map_err(|error| Error::Configuration(format!("{}: {error}", policy::SETTING))),
        }
    }

    /// What `name` stands for: an alias, a full id or an ARN.
    ///
    /// # Errors
    /// A client's error that lists the aliases.
    pub(crate) fn find<'a>(&'a self, name: &'a str) -> Result<Target<'a>, Error> {
        if let Some(alias) = self.0.iter().find(|alias| alias.name == name) {
            return Ok(alias.target());
        }
        if is_id(name) {
            return Ok(Target { id: name, base: name });
        }
        Err(self.unknown(name))
    }

    /// The aliases and what they stand for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Target<'_>)> {
        self.0.iter().map(|alias| (alias.name.as_str(), alias.target()))
    }

    fn set(&mut self, alias: Alias) {
        self.0.retain(|earlier| earlier.name != alias.name);
        self.0.push(alias);
    }

    fn unknown(&self, name: &str) -> Error {
        let names: Vec<&str> = self.iter().map(|(name, _)| name).collect();
        let (name, names) = (cut(name), names.join(", "));
        let message = format!("unknown model `{name}`: use {names} or a full Bedrock model id");
        Error::invalid_param("model", message)
    }
}

impl Target<'_> {
    fn model(self) -> Model {
        Model { id: self.id.to_owned(), ..Model::of(self.base) }
    }
}

impl Alias {
    fn target(&self) -> Target<'_> {
        Target { id: &self.id, base: self.base.as_deref().unwrap_or(&self.id) }
    }
}

fn read_alias(name: &str, json: &str) -> Result<Alias, Error> {
    let entry = match json.chars().next() {
        Some('{') => serde_json::from_str(json).ok(),
        _ => serde_json::from_str(json).ok().map(|model| Entry { model, base: None }),
    };
    match entry {
        Some(Entry { model, base })
            if !name.is_empty() && is_id(&model) && base.as_deref().is_none_or(is_id) =>
        {
            let base = base.map(|base| base.0.into_owned());
            Ok(Alias { name: name.to_owned(), id: model.0.into_owned(), base })
        }
        _ => Err(wrong(r#"maps names to model ids, or to {"model": an ARN, "base": a model id}"#)),
    }
}

/// Whether `name` can be a model's id or ARN. Nothing in it may end a path or climb in it, however
/// often somebody on the way decodes it.
fn is_id(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    let is_safe = |segment: &str| !matches!(segment, "" | ".") && !segment.contains("..");
    (name.contains('.') || name.starts_with("arn:"))
        && name.len() <= ID_LENGTH
        && name.bytes().all(is_plain)
        && name.split('/').all(is_safe)
}

fn wrong(why: &str) -> Error {
    Error::Configuration(format!("{SETTING} {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Family;

    const PROFILE: &str = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";

    fn target(setting: &str, name: &str) -> Option<(String, String)> {
        let aliases = Aliases::parse(setting).unwrap();
        aliases.find(name).ok().map(|target| (target.id.to_owned(), target.base.to_owned()))
    }

    #[test]
    fn a_name_stands_for_a_model() {
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
    fn a_base_tells_what_an_arn_hides() {
        let setting =
            format!(r#"{{"claude":{{"model":"{PROFILE}","base":"anthropic.claude-opus-5"}}}}"#);
        let aliases = Aliases::parse(&setting).unwrap();
        let plain = Model::of("anthropic.claude-opus-5");
        let expected = Model { id: PROFILE.to_owned(), ..plain };
        assert_eq!(aliases.find("claude").unwrap().model(), expected);
        assert_eq!(aliases.find(PROFILE).unwrap().model().family, Family::Other);
    }

    #[test]
    fn what_is_no_id_is_refused_with_the_aliases() {
        let long = format!("a.{}", "x".repeat(ID_LENGTH));
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
    fn a_bad_setting_is_named() {
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
        fn no_name_makes_it_panic(name in any::<String>()) {
            if let Ok(target) = Aliases::default().find(&name) {
                prop_assert!(!target.id.contains(".."));
            }
        }
    }
}
