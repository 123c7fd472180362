//! What a key may be used for.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::http::bytes::find;

/// The providers and models that a key may use. An absent list allows everything; a present list
/// allows only its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Providers by their route prefixes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    /// Patterns of models: `*` matches any characters, and a pattern is matched against the model's
    /// bare name and against `provider/model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
}

/// The prefixes of the AI Gateway's dynamic routes and of its own choice, which may be given in place of a model.
/// <https://developers.cloudflare.com/ai-gateway/features/dynamic-routing/>
const DYNAMIC: [&str; 2] = ["dynamic/", "cloudflare/"];

/// Returns which of them `model` starts with.
fn dynamic(model: &str) -> Option<&'static str> {
    DYNAMIC.into_iter().find(|prefix| model.starts_with(prefix))
}

impl Scope {
    /// Checks whether it allows everything.
    pub fn is_unrestricted(&self) -> bool {
        *self == Self::default()
    }

    /// Checks whether `model` needs a pattern that allows it: the scope restricts models, or it
    /// restricts anything and `model` is a dynamic route, which may lead to any provider.
    pub fn governs(&self, model: &str) -> bool {
        self.restricts_models() || !self.is_unrestricted() && dynamic(model).is_some()
    }

    /// Checks whether it restricts models, so that a request must name an allowed one.
    pub fn restricts_models(&self) -> bool {
        self.models.is_some()
    }

    /// Checks that requests to `provider` are allowed.
    ///
    /// # Errors
    /// [`Error::NotInScope`] for a provider that is not in the list.
    pub fn check_provider(&self, provider: &str) -> Result<(), Error> {
        if self.providers.as_ref().is_none_or(|known| known.iter().any(|name| name == provider)) {
            return Ok(());
        }
        Err(Error::NotInScope(format!("may not use the provider {provider}")))
    }

    /// Checks that a model that `provider` knows by any of these `names` is allowed.
    ///
    /// # Errors
    /// [`Error::NotInScope`] for a model that no pattern matches.
    pub fn check_model(&self, provider: &str, names: &[&str]) -> Result<(), Error> {
        if names.iter().any(|name| self.allows_model(provider, name)) {
            return Ok(());
        }
        let name: String =
            names.first().into_iter().flat_map(|name| name.chars()).take(64).collect();
        Err(Error::NotInScope(format!("may not use the model {name}")))
    }

    /// Checks whether a pattern matches the model that `provider` knows as `name`.
    pub fn allows_model(&self, provider: &str, name: &str) -> bool {
        self.rule_for(provider, name).is_some()
    }

    /// Returns the pattern that allows the model, or `*` if models are not restricted. For a key with
    /// any restriction, only a pattern that contains `dynamic/` allows a dynamic route.
    pub fn rule_for(&self, provider: &str, name: &str) -> Option<&str> {
        if !self.governs(name) {
            return Some("*");
        }
        let full = format!("{provider}/{name}");
        let prefix = dynamic(name);
        let is_match = |pattern: &&String| {
            (matches(pattern, name) || matches(pattern, &full))
                && prefix.is_none_or(|prefix| pattern.contains(prefix))
        };
        self.models.iter().flatten().find(is_match).map(String::as_str)
    }
}

/// Checks whether `pattern` matches all of `text`. A `*` in it stands for any characters.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        // Without a star, all of the text must have been the pattern.
        return rest.is_empty();
    };
    for part in parts {
        // The earliest match leaves the most text for the parts that follow.
        let Some(start) = find(rest.as_bytes(), part.as_bytes()) else {
            return false;
        };
        rest = rest.get(start + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(models: &[&str]) -> Scope {
        let models = models.iter().map(|model| (*model).to_owned()).collect();
        Scope { providers: None, models: Some(models) }
    }

    #[test]
    fn allows_model_matches_the_bare_name_and_the_full_one() {
        for (pattern, name, expected) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("*mini", "gpt-4o-mini", true),
            ("gpt*mini", "gpt-4o-mini", true),
            ("gpt*o*mini", "gpt-4o-mini", true),
            ("gpt*o*nano", "gpt-4o-mini", false),
            ("a*a", "a", false),
            ("openai/gpt-4o", "gpt-4o", true),
            ("openai/*", "anything/at-all", true),
            ("azure/*", "gpt-4o", false),
            ("*", "x", true),
            ("", "x", false),
            ("@cf/*", "@cf/meta/llama", true),
        ] {
            assert_eq!(
                scope(&[pattern]).allows_model("openai", name),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn an_absent_list_allows_everything_and_a_present_one_its_entries() {
        let open = Scope::default();
        assert!(open.is_unrestricted() && open.check_provider("x").is_ok());
        assert!(open.check_model("x", &["y"]).is_ok() && !open.restricts_models());
        let closed = Scope { providers: Some(vec![]), models: Some(vec![]) };
        assert!(closed.check_provider("x").is_err() && closed.check_model("x", &["y"]).is_err());
        assert!(closed.restricts_models() && closed.check_model("x", &[]).is_err());
    }

    #[test]
    fn check_model_allows_a_dynamic_route_only_by_name() {
        for (providers, models, expected) in [
            (None, None, true),
            (Some("google"), None, false),
            (Some("google"), Some("*"), false),
            (None, Some("google/*"), false),
            (Some("google"), Some("dynamic/*"), true),
            (None, Some("google/dynamic/cheap"), true),
            (None, Some("dynamic/dear"), false),
        ] {
            let list = |entry: Option<&str>| entry.map(|entry| vec![entry.to_owned()]);
            let scope = Scope { providers: list(providers), models: list(models) };
            let found = scope.check_model("google", &["dynamic/cheap"]).is_ok();
            assert_eq!(found, expected, "{providers:?} {models:?}");
        }
    }

    #[test]
    fn check_model_accepts_any_name_of_a_model() {
        let scope = scope(&["amazon.nova-*"]);
        assert!(scope.check_model("bedrock", &["nova-pro", "amazon.nova-pro-v1:0"]).is_ok());
        let error = scope.check_model("bedrock", &["claude", "anthropic.x"]).unwrap_err();
        assert_eq!(error.to_string(), "this key may not use the model claude");
        assert_eq!(error.shape().code, "model_not_allowed");
    }

    proptest! {
        #[test]
        fn matches_a_text_with_any_part_replaced_by_a_star(text in "[a-c/]{0,8}", cut in 0usize..9, length in 0usize..9) {
            let start = cut.min(text.len());
            let end = (start + length).min(text.len());
            let pattern = format!("{}*{}", &text[..start], &text[end..]);
            prop_assert!(matches(&pattern, &text), "{} {}", pattern, text);
            prop_assert!(matches(&text, &text));
        }

        #[test]
        fn matches_never_panics(pattern in "\\PC{0,12}", text in "\\PC{0,12}") {
            let _ = matches(&pattern, &text);
        }
    }
}
