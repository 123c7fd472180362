//! The `Idempotency-Key` header: a retry of a request creates no second key.
//!
//! The plain key is never stored, so a retry cannot return it. It gets the id of the key that was
//! created, which can be rotated or revoked.

use std::time::Duration;

use gateway::http::json::from_bytes;
use gateway::keys::api_key::digest;
use gateway::keys::time;
use gateway::{Error, KeyId, Record};
use serde::{Deserialize, Serialize};

use crate::Action;
use crate::claim::Claim;

/// How long a request is remembered.
const RETENTION: Duration = Duration::from_hours(24);

/// The maximum length of the header's value, in bytes.
const MAX_LENGTH: usize = 255;

const HEADER: &str = "idempotency-key";

/// The prefix of all entries in the store.
const PREFIX: &str = "done:";

/// Where in the store the outcome of a request is remembered; nowhere without the header.
pub(crate) struct IdempotencyKey(Option<String>);

/// What is remembered of a request.
#[derive(Serialize, Deserialize)]
struct Outcome {
    /// Id of the key that was created.
    id: String,
    /// When this entry expires, RFC 3339. The store itself has no expiry.
    until: String,
}

impl Outcome {
    fn parse(bytes: &[u8]) -> Option<Self> {
        from_bytes(bytes).ok()
    }
}

impl IdempotencyKey {
    /// Reads the header of a request whose effect is `operation`.
    ///
    /// # Errors
    /// A client error for an invalid header.
    pub(crate) fn read(action: &Action<'_>, operation: &str) -> Result<Self, Error> {
        let Some(value) = action.request.head.headers.get(HEADER) else {
            return Ok(Self(None));
        };
        let is_visible = value.iter().all(u8::is_ascii_graphic);
        if value.is_empty() || value.len() > MAX_LENGTH || !is_visible {
            let rule = "`idempotency-key` must be 1 to 255 visible ASCII characters";
            return Err(Error::invalid_header(HEADER, rule));
        }
        let text = String::from_utf8_lossy(value);
        // Hashed, so that the entry's name has a fixed length whatever the client sends. `operation`
        // separates different requests that happen to use the same value.
        Ok(Self(Some(format!("{PREFIX}{operation}:{}", digest(&text)))))
    }

    /// Checks that the request has not been made before.
    ///
    /// # Errors
    /// [`Error::AlreadyDone`] if it has, and the key it created still exists.
    pub(crate) fn check(&self, action: &Action<'_>) -> Result<(), Error> {
        match self.created(action)? {
            Some(id) => Err(Error::AlreadyDone { id: id.as_str().to_owned() }),
            None => Ok(()),
        }
    }

    /// Returns the id of the key that the same request has created, if that key still exists.
    pub(crate) fn created(&self, action: &Action<'_>) -> Result<Option<KeyId>, Error> {
        let Some(entry) = &self.0 else { return Ok(None) };
        let store = action.context.store;
        let outcome = store.get(entry)?.and_then(|bytes| Outcome::parse(&bytes));
        let known = outcome.filter(|outcome| action.now() < outcome.until);
        let Some(id) = known.and_then(|outcome| KeyId::parse(&outcome.id)) else {
            return Ok(None);
        };
        Ok(Record::read(store, &id)?.map(|_| id))
    }

    /// Takes the claim of the request, so that no other with the same idempotency key is carried out
    /// meanwhile.
    ///
    /// # Errors
    /// [`Error::InProgress`] if there is one.
    pub(crate) fn claim(&self, action: &Action<'_>) -> Result<Option<Claim>, Error> {
        self.0.as_deref().map(|entry| Claim::take(action, entry)).transpose()
    }

    /// Returns the store key under which the request is remembered.
    pub(crate) fn entry(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Checks whether `key` is the store key of a remembered request.
    pub(crate) fn is_entry(key: &str) -> bool {
        key.starts_with(PREFIX)
    }

    /// Checks whether the entry with this `value` is remembered for no longer than `now`.
    pub(crate) fn has_ended(value: &[u8], now: &str) -> bool {
        Outcome::parse(value).is_none_or(|outcome| outcome.until.as_str() <= now)
    }

    /// Records that the key `id` is about to be created.
    ///
    /// Called before the key is stored: a crash in between leaves an entry whose key does not exist,
    /// which [`check`](Self::check) ignores. The other order would let a retry create a second key.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub(crate) fn remember(&self, action: &Action<'_>, id: &KeyId) -> Result<(), Error> {
        let Some(entry) = &self.0 else { return Ok(()) };
        let until = time::rfc3339(action.context.now + RETENTION);
        let outcome = Outcome { id: id.as_str().to_owned(), until };
        action.context.store.set(entry, &serde_json::to_vec(&outcome).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use gateway::Error;

    use crate::testing::{ADMIN, Host, NOW, body, key};

    const BODY: &str = r#"{"teamId":"blue"}"#;

    fn create(host: &Host, idempotency_key: &str) -> Result<gateway::Response, Error> {
        let headers = [("authorization", ADMIN), ("idempotency-key", idempotency_key)];
        host.send_with("POST", "/tokens", &headers, BODY)
    }

    #[test]
    fn retry_creates_no_second_key() {
        let host = Host::default();
        assert_eq!(create(&host, "a").unwrap().status, 201);
        let Err(Error::AlreadyDone { id }) = create(&host, "a") else { panic!() };
        assert_eq!(id, key(0).id().as_str());
        assert_eq!(create(&host, "b").unwrap().status, 201);
        assert_eq!(host.send("POST", "/tokens", ADMIN, BODY).unwrap().status, 201);
    }

    #[test]
    fn retry_of_a_refresh_is_409_for_admin_and_holder() {
        let bearer = format!("Bearer {}", key(0).reveal());
        for (named, credential) in
            [(key(0).id().as_str(), ADMIN), (key(0).id().as_str(), &*bearer), (key(0).reveal(), "")]
        {
            for query in ["", "?graceSeconds=60"] {
                let host = Host::with_a_key();
                let path = format!("/tokens/{named}/refresh{query}");
                let headers = [("authorization", credential), ("idempotency-key", "a")];
                let first = host.send_with("POST", &path, &headers, "").unwrap();
                let again = host.send_with("POST", &path, &headers, "");
                let Err(Error::AlreadyDone { id }) = again else { panic!("{path}: {again:?}") };
                assert_eq!(id, body(&first)["id"], "{path}");
            }
        }
    }

    #[test]
    fn retry_of_a_failed_request_creates_the_key() {
        for steps in 0..9 {
            let host = Host::default();
            host.store.fail_after(steps);
            assert!(matches!(create(&host, "a"), Err(Error::StoreUnavailable(_))), "{steps}");
            host.store.recover();
            host.advance(60);
            assert_eq!(create(&host, "a").unwrap().status, 201, "{steps}");
        }
    }

    #[test]
    fn retry_after_a_day_creates_another_key() {
        let host = Host::default();
        create(&host, "a").unwrap();
        host.advance(24 * 60 * 60 - 1);
        assert!(matches!(create(&host, "a"), Err(Error::AlreadyDone { .. })));
        host.advance(1);
        assert_eq!(create(&host, "a").unwrap().status, 201);
        assert_ne!(host.now(), NOW);
    }

    #[test]
    fn invalid_header_is_rejected() {
        for value in ["", " ", "a b", &"x".repeat(256)] {
            let outcome = create(&Host::default(), value);
            assert!(matches!(outcome, Err(Error::InvalidHeader { .. })), "{value}");
        }
    }
}
