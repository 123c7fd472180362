//! Tool names that Bedrock would refuse, under another name for one request.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html>

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use crate::converse::request::JSON_TOOL;

/// The most characters of a name.
const LONGEST: usize = 64;
/// The characters that are left of a name that gets another.
const KEPT: usize = LONGEST - HASH - 1;
/// The hex digits that tell such names apart.
const HASH: usize = 16;

/// The tools' names of one request that go out as others: Bedrock's, and the client's behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<(String, String)>);

impl Names {
    /// The name that goes out for the client's `name`: the same wherever it is valid, and otherwise
    /// one that depends on `name` alone, so that a longer conversation meets the prompt cache.
    pub(crate) fn alias<'a>(&mut self, name: &'a str) -> Cow<'a, str> {
        if is_valid(name) {
            return Cow::Borrowed(name);
        }
        let alias = mint(name);
        self.0.push((alias.clone(), name.to_owned()));
        Cow::Owned(alias)
    }

    /// The client's name for the one that came back.
    pub(crate) fn original<'a>(&'a self, alias: &'a str) -> &'a str {
        let known = self.0.iter().find(|(given, _)| given == alias);
        known.map_or(alias, |(_, original)| original)
    }
}

/// Whether a client's tool may have this name. One is our own.
fn is_valid(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_allowed) && name != JSON_TOOL
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What can be kept of `name`, for the model to understand, and a hash of it.
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
    fn valid_names_stay_and_others_come_back() {
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
            let mut names = Names::default();
            let alias = names.alias(name).into_owned();
            assert_eq!(alias == name, stays, "{name}");
            assert!(is_valid(&alias), "{name}: {alias}");
            assert_eq!(names.original(&alias), name);
            assert_eq!(Names::default().alias(name), alias, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_its_own() {
        assert_eq!(Names::default().original("other"), "other");
    }

    proptest! {
        #[test]
        fn names_stay_apart(one in "\\PC{0,80}", other in "\\PC{0,80}") {
            let mut names = Names::default();
            let aliases = [names.alias(&one).into_owned(), names.alias(&other).into_owned()];
            prop_assert_eq!(aliases[0] == aliases[1], one == other);
            prop_assert!(aliases.iter().all(|alias| is_valid(alias)));
        }
    }
}
