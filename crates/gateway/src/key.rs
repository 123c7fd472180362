//! Team keys: what a client sends, and the two shapes derived from it that may be kept.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, Headers};

/// What every team key starts with.
pub const PREFIX: &str = "sk_";

/// Random bytes in a key.
pub const SECRET_BYTES: usize = 32;

/// The headers a client may carry its key in, in the order they are tried: OpenAI's and most
/// others', Anthropic's, Azure's and Google's SDKs.
pub const CREDENTIAL_HEADERS: [&str; 4] =
    ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// A team key in plain text: `sk_` and 64 hex digits. Shown once, never stored.
#[derive(Clone)]
pub struct ApiKey {
    text: String,
    hash: KeyHash,
}

/// The public name of a key: the first 32 hex digits of its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

/// SHA-256 of a key, in hex: the only form of it that is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyHash(String);

// === impl ApiKey ===

impl ApiKey {
    /// Makes a key of 32 random bytes.
    pub fn from_random(secret: [u8; SECRET_BYTES]) -> Self {
        Self::new(format!("{PREFIX}{}", hex::encode(secret)))
    }

    fn new(text: String) -> Self {
        let hash = KeyHash(digest(&text));
        Self { text, hash }
    }

    /// Takes `text` as a key if it has the form of one.
    ///
    /// # Errors
    /// [`Error::MalformedKey`] for anything but `sk_` and 64 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix(PREFIX).ok_or(Error::MalformedKey)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() == 2 * SECRET_BYTES && digits.bytes().all(is_hex) {
            return Ok(Self::new(text.to_owned()));
        }
        Err(Error::MalformedKey)
    }

    /// Finds the client's key in its headers.
    ///
    /// An SDK may carry a placeholder in one header and the key in another, so the first header
    /// that holds a well-formed key counts.
    ///
    /// # Errors
    /// [`Error::MissingKey`] without any credential, [`Error::MalformedKey`] if none is a key.
    pub fn from_headers(headers: &Headers) -> Result<Self, Error> {
        let mut candidates =
            CREDENTIAL_HEADERS.iter().flat_map(|name| headers.get_all(name)).peekable();
        candidates.peek().ok_or(Error::MissingKey)?;
        candidates
            .filter_map(|value| std::str::from_utf8(value).ok())
            .find_map(|value| Self::parse(without_scheme(value)).ok())
            .ok_or(Error::MalformedKey)
    }

    /// The public name of this key.
    pub fn id(&self) -> KeyId {
        KeyId::of_hash(&self.hash.0)
    }

    /// The form of this key that may be stored.
    pub fn hash(&self) -> &KeyHash {
        &self.hash
    }

    /// The key itself, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(redacted)")
    }
}

/// The token of an `Authorization: Bearer` value; other values are the key itself.
pub fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value.trim(),
    }
}

/// SHA-256 of `text` in hex, for names in the store that must not tell it.
pub fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Whether a team key stands anywhere in `text`.
pub fn appears_in(text: &str) -> bool {
    let length = PREFIX.len() + 2 * SECRET_BYTES;
    text.as_bytes()
        .windows(length)
        .filter(|window| window.starts_with(PREFIX.as_bytes()))
        .filter_map(|window| std::str::from_utf8(window).ok())
        .any(|candidate| ApiKey::parse(candidate).is_ok())
}

// === impl KeyId ===

impl KeyId {
    /// Hex digits in an id.
    pub const LENGTH: usize = 32;

    /// What the store's keys of teams start with.
    const STORED: &str = "key:";

    /// Takes `text` as an id if it has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == Self::LENGTH && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }

    /// The id of the key that has this hash.
    pub(crate) fn of_hash(hash: &str) -> Self {
        Self(hash.chars().take(Self::LENGTH).collect())
    }

    /// The id in a key of the store, if that is one of a team.
    pub fn stored(key: &str) -> Option<Self> {
        key.strip_prefix(Self::STORED).and_then(Self::parse)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the store keeps this key's team.
    pub fn store_key(&self) -> String {
        format!("{}{}", Self::STORED, self.0)
    }

    /// Where the store keeps that this key was revoked.
    pub(crate) fn revoked_key(&self) -> String {
        format!("revoked:{}", self.0)
    }
}

// === impl KeyHash ===

impl KeyHash {
    /// The hash in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHash(redacted)")
    }
}

/// Compares two secrets in a time that does not depend on where they differ.
pub fn is_same_secret(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| (*name, *value)).collect()
    }

    #[test]
    fn from_random_makes_a_key_that_parses() {
        let mut secret = [0; SECRET_BYTES];
        (0..).zip(&mut secret).for_each(|(index, byte)| *byte = index);
        let key = ApiKey::from_random(secret);
        assert_eq!(key.reveal(), KEY);
        assert!(ApiKey::parse(key.reveal()).is_ok());
    }

    #[test]
    fn parse_refuses_what_is_not_a_key() {
        let long = format!("{KEY}0");
        let upper = KEY.to_uppercase();
        for text in ["", "sk_", "sk-0001", &KEY[..66], &long, &upper, &KEY.replace('0', "g")] {
            assert!(matches!(ApiKey::parse(text), Err(Error::MalformedKey)), "{text}");
        }
    }

    #[test]
    fn from_headers_reads_every_sdks_header() {
        let bearer = format!("Bearer {KEY}");
        let odd_case = format!("bearer   {KEY} ");
        for (name, value) in [
            ("authorization", bearer.as_str()),
            ("authorization", &odd_case),
            ("authorization", KEY),
            ("x-api-key", KEY),
            ("api-key", KEY),
            ("x-goog-api-key", KEY),
        ] {
            let key = ApiKey::from_headers(&headers(&[(name, value)]));
            assert_eq!(key.map(|key| key.text).ok().as_deref(), Some(KEY), "{name}: {value}");
        }
    }

    #[test]
    fn from_headers_skips_a_placeholder() {
        let both = headers(&[("authorization", "Bearer unused"), ("x-api-key", KEY)]);
        assert!(ApiKey::from_headers(&both).is_ok());
    }

    #[test]
    fn from_headers_tells_missing_from_malformed() {
        assert!(matches!(ApiKey::from_headers(&headers(&[])), Err(Error::MissingKey)));
        for value in ["Bearer", "Basic dXNlcg==", "Bearer sk-proj-1", "\u{7f}"] {
            let outcome = ApiKey::from_headers(&headers(&[("authorization", value)]));
            assert!(matches!(outcome, Err(Error::MalformedKey)), "{value}");
        }
    }

    #[test]
    fn appears_in_finds_a_key_anywhere() {
        for (text, expected) in [
            (format!("/models?key={KEY}&a=b"), true),
            (format!("sk_{KEY}"), true),
            (KEY.to_owned(), true),
            (format!("/models?key={}", &KEY[..66]), false),
            ("sk_ä".repeat(40), false),
            (String::new(), false),
        ] {
            assert_eq!(appears_in(&text), expected, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = ApiKey::new(KEY.to_owned());
        assert_eq!(format!("{key:?} {:?}", key.hash()), "ApiKey(redacted) KeyHash(redacted)");
    }

    #[test]
    fn id_is_the_head_of_the_hash() {
        let key = ApiKey::new(KEY.to_owned());
        assert!(key.hash().as_str().starts_with(key.id().as_str()));
        assert_eq!(key.id().as_str().len(), KeyId::LENGTH);
        assert_eq!(key.id().store_key(), format!("key:{}", key.id().as_str()));
    }
}
