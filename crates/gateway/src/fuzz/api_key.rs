//! Team keys: only the documented form is accepted, in every header, and none is printed.

use corpus::Input;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sha2::{Digest, Sha256};

use crate::keys::api_key::{ApiKey, CREDENTIAL_HEADERS, KeyId, appears_in};
use crate::{Error, Headers};

const WORDS: &str = r#"
    sk_ sk- SK_ 0123456789abcdef 000000000000000000000000000000000000000000000000 f F g 0 é " , %73
    ␣ ␉ ␍␊ ␀ Bearer␣ bearer␣ Basic␣
"#;

fn keys() -> impl Strategy<Value = String> {
    "sk_[0-9a-f]{64}"
}

/// Generates header values: the corpus's, and well-formed keys.
fn values() -> impl Strategy<Value = Input> {
    let scheme = select(vec!["", "Bearer ", "bearer  ", "BEARER "]);
    let proper =
        (scheme, keys()).prop_map(|(scheme, key)| Input(format!("{scheme}{key}").into_bytes()));
    prop_oneof![3 => super::lines("api_key.txt", WORDS).inputs(), 1 => proper]
}

/// Checks for the documented form: `sk_` and 64 lower-case hex digits.
fn is_key(text: &[u8]) -> bool {
    let (prefix, digits) = text.split_at(text.len().min(3));
    prefix == b"sk_"
        && digits.len() == 64
        && digits.iter().all(|digit| b"0123456789abcdef".contains(digit))
}

/// Returns the key in a header's value, with or without the scheme.
fn carried(value: &[u8]) -> Option<&str> {
    let value = std::str::from_utf8(value).ok()?;
    let (scheme, token) = value.split_at_checked(7).unwrap_or(("", value));
    let token = if scheme.to_lowercase() == "bearer " { token } else { value };
    is_key(token.trim().as_bytes()).then(|| token.trim())
}

proptest! {
    #[test]
    fn parse_accepts_only_the_documented_form(text in prop_oneof![values(), keys().prop_map(|key| Input(key.into_bytes()))]) {
        let text = String::from_utf8_lossy(&text);
        let parsed = ApiKey::parse(&text);
        prop_assert_eq!(parsed.is_ok(), is_key(text.as_bytes()));
        prop_assert_eq!(appears_in(&text), text.as_bytes().windows(67).any(is_key));
        match parsed {
            Ok(key) => {
                let hash = hex::encode(Sha256::digest(text.as_bytes()));
                prop_assert_eq!(key.reveal(), &*text);
                prop_assert_eq!(key.hash().as_str(), &hash);
                prop_assert_eq!(key.id(), KeyId::parse(&hash[..KeyId::LENGTH]).unwrap());
                let shown = format!("{key:?} {key:#?} {:?}", key.hash());
                prop_assert!(!shown.contains(|shown: char| shown.is_ascii_digit()), "{shown}");
            }
            Err(error) => {
                prop_assert!(matches!(error, Error::MalformedKey));
                let same = format!("{:?} {}", Error::MalformedKey, Error::MalformedKey);
                prop_assert_eq!(format!("{error:?} {}", error.chain()), same);
            }
        }
    }

    #[test]
    fn from_headers_uses_the_first_header_with_a_key(
        given in vec((select(vec!["authorization", "x-api-key", "api-key", "x-goog-api-key", "accept"]), values()), 0..4),
    ) {
        let headers = Headers::from_list(
            given.iter().map(|(name, value)| ((*name).to_owned(), value.0.clone())).collect(),
        );
        let in_turn = CREDENTIAL_HEADERS.iter().flat_map(|wanted| {
            given.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| &**value)
        });
        let is_missing = in_turn.clone().next().is_none();
        match (ApiKey::from_headers(&headers), in_turn.clone().find_map(carried)) {
            (Ok(found), expected) => prop_assert_eq!(Some(found.reveal()), expected),
            (Err(Error::MissingKey), None) => prop_assert!(is_missing),
            (Err(Error::MalformedKey), None) => prop_assert!(!is_missing),
            (other, expected) => prop_assert!(false, "{:?} {:?}", other, expected),
        }
    }
}
