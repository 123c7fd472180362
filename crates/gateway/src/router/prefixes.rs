//! The prefixes of models, each of which leads to a component.

use crate::Error;
use crate::http::bytes::is_alphanumeric_or;

/// The setting with the prefixes, which the manifest gives to the component that routes by them.
pub const SETTING: &str = "v1_prefixes";

/// The prefixes, in the manifest's order.
#[derive(Clone, Debug)]
pub struct Prefixes(Vec<Prefix>);

/// One prefix.
#[derive(Clone, Debug)]
struct Prefix {
    /// With its slash.
    text: String,
    component: String,
    /// Whether the component knows its models by names with this prefix.
    is_kept: bool,
}

/// A model, and the component that serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The id of the component, and its route.
    pub component: String,
    /// The component's name for the model; none for a request that names no model.
    pub model: Option<String>,
    /// The whole name.
    pub name: String,
}

impl Prefixes {
    /// Parses words: `openai` leads to the component of that name, `aws-bedrock:bedrock` to another one. A
    /// prefix that ends in a slash, as in `groq/:compat`, stays a part of the model's name.
    ///
    /// # Errors
    /// [`Error::Configuration`] for a word that is not of this form.
    pub fn parse(words: &str) -> Result<Self, Error> {
        let parse = |word: &str| {
            let (text, component) = word.split_once(':').unwrap_or((word, word));
            let is_valid = |text: &str| !text.is_empty() && is_alphanumeric_or(b"-_.@", text);
            let bare = text.strip_suffix('/');
            if !is_valid(bare.unwrap_or(text)) || !is_valid(component) {
                return Err(Error::Configuration(format!("{SETTING}: `{word}` is not a prefix")));
            }
            Ok(Prefix {
                text: format!("{}/", bare.unwrap_or(text)),
                component: component.to_owned(),
                is_kept: bare.is_some(),
            })
        };
        words.split_whitespace().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Finds the component that serves the model called `name`.
    pub fn find(&self, name: &str) -> Option<Served> {
        let fits =
            |prefix: &&Prefix| name.len() > prefix.text.len() && name.starts_with(&prefix.text);
        let prefix = self.0.iter().find(fits)?;
        let model = if prefix.is_kept { name } else { name.strip_prefix(&prefix.text)? };
        Some(Served {
            component: prefix.component.clone(),
            model: Some(model.to_owned()),
            name: name.to_owned(),
        })
    }

    /// Returns the components, each once.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        let is_first = |(place, prefix): &(usize, &Prefix)| {
            self.0.iter().take(*place).all(|other| other.component != prefix.component)
        };
        let found = self.0.iter().enumerate().filter(is_first);
        found.map(|(_, prefix)| prefix.component.as_str())
    }

    /// Checks whether a prefix leads to the component `id`.
    pub fn has_component(&self, id: &str) -> bool {
        self.0.iter().any(|prefix| prefix.component == id)
    }

    /// Returns the prefix for the names in the list of a component's models, which is its first one; empty
    /// if that stays a part of the name.
    pub fn of_component(&self, id: &str) -> &str {
        let first = self.0.iter().find(|prefix| prefix.component == id);
        first.filter(|prefix| !prefix.is_kept).map_or("", |prefix| prefix.text.as_str())
    }

    /// Returns all prefixes, for a message.
    pub fn names(&self) -> String {
        let names: Vec<&str> =
            self.0.iter().map(|prefix| prefix.text.trim_end_matches('/')).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_rejects_what_is_not_a_prefix() {
        for words in ["a/b", "a:", ":a", "a/:b/c", "ü", "/"] {
            assert!(matches!(Prefixes::parse(words), Err(Error::Configuration(_))), "{words}");
        }
    }

    #[test]
    fn components_are_listed_once() {
        let prefixes = Prefixes::parse("one two two-cloud:two any/:three other/:three").unwrap();
        assert_eq!(prefixes.components().collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(
            ["one", "two", "three"].map(|id| prefixes.of_component(id)),
            ["one/", "two/", ""]
        );
    }
}
