//! Aliases, within one request, for tool names that Bedrock would reject.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::translate::json_tool::JSON_TOOL;

/// The maximum length of a name.
const MAX_LENGTH: usize = 64;
/// The characters of the original name that an alias keeps.
const KEPT: usize = MAX_LENGTH - HASH - 1;
/// The hex digits that keep aliases distinct.
const HASH: usize = 16;

/// The client's names that were replaced in one request, by their aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ToolNames(pub(crate) BTreeMap<String, String>);

impl ToolNames {
    /// Returns the name to send for the client's `name`: the same if it is valid, otherwise an
    /// alias that depends on `name` alone, so that a longer conversation still hits the prompt
    /// cache.
    pub(crate) fn alias<'a>(&mut self, name: &'a str) -> Cow<'a, str> {
        if is_valid(name) {
            return Cow::Borrowed(name);
        }
        let alias = mint(name);
        self.0.entry(alias.clone()).or_insert_with(|| name.to_owned());
        Cow::Owned(alias)
    }

    /// Returns the client's name for a name in a response.
    pub(crate) fn original<'a>(&'a self, alias: &'a str) -> &'a str {
        self.0.get(alias).map_or(alias, String::as_str)
    }
}

/// Checks whether a client's tool may have this name. One valid name is reserved for the synthetic
/// tool.
fn is_valid(name: &str) -> bool {
    (1..=MAX_LENGTH).contains(&name.len()) && name.bytes().all(is_allowed) && name != JSON_TOOL
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Creates an alias: the valid characters of `name`, which the model understands, and a hash.
fn mint(name: &str) -> String {
    let allowed = |character: char| match u8::try_from(character) {
        Ok(byte) if is_allowed(byte) => character,
        _ => '_',
    };
    let kept: String = name.chars().take(KEPT).map(allowed).collect();
    let hash = hex::encode(Sha256::digest(name.as_bytes()));
    format!("{kept}_{}", hash.get(..HASH).unwrap_or(&hash))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn alias_of_a_valid_name_is_itself_and_others_map_back() {
        let (longest, long) = ("x".repeat(64), "x".repeat(65));
        for (name, stays) in [
            ("get_weather", true),
            ("Get-Weather-2", true),
            (longest.as_str(), true),
            (&long, false),
            ("weather.get", false),
            ("wetter für heute", false),
            ("", false),
            (JSON_TOOL, false),
        ] {
            let mut names = ToolNames::default();
            let alias = names.alias(name).into_owned();
            assert_eq!(alias == name, stays, "{name}");
            assert!(is_valid(&alias), "{name}: {alias}");
            assert_eq!(names.original(&alias), name);
            assert_eq!(ToolNames::default().alias(name), alias, "{name}");
        }
    }

    #[test]
    fn original_of_an_unknown_name_is_itself() {
        assert_eq!(ToolNames::default().original("other"), "other");
    }

    proptest! {
        #[test]
        fn aliases_of_different_names_differ(one in "\\PC{0,80}", other in "\\PC{0,80}") {
            let mut names = ToolNames::default();
            let aliases = [names.alias(&one).into_owned(), names.alias(&other).into_owned()];
            prop_assert_eq!(aliases[0] == aliases[1], one == other);
            prop_assert!(aliases.iter().all(|alias| is_valid(alias)));
        }
    }
}
