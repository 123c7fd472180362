//! Team keys: what a client sends, and the two values derived from it that may be stored.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::http::bytes::is_lower_hex;
use crate::{Error, Headers};

/// The prefix of every team key.
pub const PREFIX: &str = "sk_";

/// Random bytes in a key.
pub const SECRET_BYTES: usize = 32;

/// The headers that may carry a key, in the order they are tried: those of OpenAI's and most other
/// SDKs, of Anthropic's, Azure's and Google's.
pub const CREDENTIAL_HEADERS: [&str; 4] =
    ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// A team key in plain text: `sk_` and 64 hex digits. Returned once, never stored.
///
/// A plain key and its stored [`KeyHash`] are different types, so that the one cannot be stored in
/// place of the other.
///
/// ```
/// use gateway::{ApiKey, Headers};
///
/// let issued = ApiKey::from_random([7; 32]);
/// let authorization = format!("Bearer {}", issued.reveal());
/// let headers = Headers::from_iter([("authorization", authorization.as_str())]);
///
/// let sent = ApiKey::from_headers(&headers)?;
/// assert_eq!(sent.id(), issued.id());
/// assert_eq!(format!("{sent:?}"), "ApiKey(redacted)");
/// # Ok::<(), gateway::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiKey {
    text: String,
    hash: KeyHash,
}

/// The public name of a key: the first 32 hex digits of its SHA-256. Not secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

/// SHA-256 of a key, in hex: the only form of it that is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyHash(String);

// === impl ApiKey ===

impl ApiKey {
    /// Creates a key from 32 random bytes.
    pub fn from_random(secret: [u8; SECRET_BYTES]) -> Self {
        Self::new(format!("{PREFIX}{}", hex::encode(secret)))
    }

    fn new(text: String) -> Self {
        let hash = KeyHash(digest(&text));
        Self { text, hash }
    }

    /// Parses a key.
    ///
    /// # Errors
    /// [`Error::MalformedKey`] for anything but `sk_` and 64 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix(PREFIX).ok_or(Error::MalformedKey)?;
        if is_lower_hex(digits, 2 * SECRET_BYTES) {
            return Ok(Self::new(text.to_owned()));
        }
        Err(Error::MalformedKey)
    }

    /// Finds the client's key in its headers.
    ///
    /// An SDK may send a placeholder in one header and the key in another, so the first well-formed
    /// key is used.
    ///
    /// # Errors
    /// [`Error::MissingKey`] without any credential, [`Error::MalformedKey`] if no credential is a key.
    pub fn from_headers(headers: &Headers) -> Result<Self, Error> {
        let mut candidates =
            CREDENTIAL_HEADERS.iter().flat_map(|name| headers.get_all(name)).peekable();
        candidates.peek().ok_or(Error::MissingKey)?;
        candidates
            .filter_map(|value| std::str::from_utf8(value).ok())
            .find_map(|value| Self::parse(without_scheme(value)).ok())
            .ok_or(Error::MalformedKey)
    }

    /// Returns the public name of this key.
    pub fn id(&self) -> KeyId {
        KeyId::of_hash(&self.hash.0)
    }

    /// Returns the form of this key that may be stored.
    pub fn hash(&self) -> &KeyHash {
        &self.hash
    }

    /// Returns the key itself, for the one response that contains it.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(redacted)")
    }
}

/// Returns the token of an `Authorization: Bearer` value.
pub fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Strips the scheme of an `Authorization: Bearer` value; other values are the key itself.
pub fn without_scheme(value: &str) -> &str {
    bearer(value).unwrap_or_else(|| value.trim())
}

/// Hashes `text` with SHA-256, in hex, for names in the store that must not reveal it.
pub fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Checks whether `text` contains a team key.
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
    /// Number of hex digits in an id.
    pub const LENGTH: usize = 32;

    /// The prefix of the store keys that hold records.
    const STORED: &str = "key:";

    /// Parses an id; returns nothing if `text` is not one.
    pub fn parse(text: &str) -> Option<Self> {
        is_lower_hex(text, Self::LENGTH).then(|| Self(text.to_owned()))
    }

    /// Returns the id of the key that has this hash.
    pub(crate) fn of_hash(hash: &str) -> Self {
        Self(hash.chars().take(Self::LENGTH).collect())
    }

    /// Returns the id in a store key, if that holds a record.
    pub fn stored(key: &str) -> Option<Self> {
        key.strip_prefix(Self::STORED).and_then(Self::parse)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the store key of this key's record.
    pub fn store_key(&self) -> String {
        format!("{}{}", Self::STORED, self.0)
    }

    /// Returns the store key of the note that this key was revoked.
    pub(crate) fn revoked_key(&self) -> String {
        format!("revoked:{}", self.0)
    }
}

// === impl KeyHash ===

impl KeyHash {
    /// Returns the hash in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHash(redacted)")
    }
}

/// Compares two secrets in constant time, so that the time does not reveal where they differ.
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
    fn parse_rejects_what_is_not_a_key() {
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
    fn from_headers_distinguishes_missing_from_malformed() {
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
    fn id_is_the_start_of_the_hash() {
        let key = ApiKey::new(KEY.to_owned());
        assert!(key.hash().as_str().starts_with(key.id().as_str()));
        assert_eq!(key.id().as_str().len(), KeyId::LENGTH);
        assert_eq!(key.id().store_key(), format!("key:{}", key.id().as_str()));
    }
}
