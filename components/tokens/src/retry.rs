//! `Idempotency-Key`: a call that is made again makes no second key.
//!
//! The key itself is never kept, so a retried call cannot be answered with it: it is told the id of
//! the key that was made, which can be rotated or revoked.

use std::time::Duration;

use gateway::json::from_bytes;
use gateway::{Error, KeyId, Record, time};
use serde::{Deserialize, Serialize};

use crate::Act;

/// How long a retry is known as one.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Bytes the header may have.
const LENGTH: usize = 255;

const HEADER: &str = "idempotency-key";

/// Where it is remembered that a call was made; nowhere, if its client does not ask for that.
pub(crate) struct Retry(Option<String>);

#[derive(Serialize, Deserialize)]
struct Done {
    /// The key that was made.
    id: String,
    /// When this is forgotten, RFC 3339.
    until: String,
}

impl Retry {
    /// The retry that `act` may be, of doing `what`.
    ///
    /// # Errors
    /// A client's error for a header that is none.
    pub(crate) fn of(act: &Act<'_>, what: &str) -> Result<Self, Error> {
        let Some(value) = act.call.headers.get(HEADER) else {
            return Ok(Self(None));
        };
        let is_plain = value.iter().all(u8::is_ascii_graphic);
        if value.is_empty() || value.len() > LENGTH || !is_plain {
            let why = "`idempotency-key` must be 1 to 255 visible ASCII characters";
            return Err(Error::invalid_header(HEADER, why));
        }
        let text = String::from_utf8_lossy(value);
        Ok(Self(Some(format!("done:{what}:{}", gateway::key::digest(&text)))))
    }

    /// Refuses what was done before.
    ///
    /// # Errors
    /// [`Error::AlreadyDone`] if the key that was made then is still there.
    pub(crate) fn check(&self, act: &Act<'_>) -> Result<(), Error> {
        let Some(place) = &self.0 else { return Ok(()) };
        let store = act.context.store;
        let done: Option<Done> = store.get(place)?.and_then(|bytes| from_bytes(&bytes).ok());
        if let Some(Done { id, until }) = done
            && act.now() < until
            && let Some(known) = KeyId::parse(&id)
            && Record::read(store, &known)?.is_some()
        {
            return Err(Error::AlreadyDone { id });
        }
        Ok(())
    }

    /// Notes that the key `id` is about to be made. The note comes first: a crash before the key is
    /// stored leaves a note of a key that is not there, which counts for nothing.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`].
    pub(crate) fn note(&self, act: &Act<'_>, id: &KeyId) -> Result<(), Error> {
        let Some(place) = &self.0 else { return Ok(()) };
        let until = time::rfc3339(act.context.now + REMEMBERED);
        let done = Done { id: id.as_str().to_owned(), until };
        act.context.store.set(place, &serde_json::to_vec(&done).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use gateway::Error;

    use crate::testing::{ADMIN, Host, NOW, body, key};

    const BODY: &str = r#"{"teamId":"blue"}"#;

    fn create(host: &Host, idempotency_key: &str) -> Result<gateway::Reply, Error> {
        let headers = [("authorization", ADMIN), ("idempotency-key", idempotency_key)];
        host.call_with("POST", "/tokens", &headers, BODY)
    }

    #[test]
    fn a_retried_call_makes_no_second_key() {
        let host = Host::default();
        assert_eq!(create(&host, "a").unwrap().status, 201);
        let Err(Error::AlreadyDone { id }) = create(&host, "a") else { panic!() };
        assert_eq!(id, key(0).id().as_str());
        assert_eq!(create(&host, "b").unwrap().status, 201);
        assert_eq!(host.call("POST", "/tokens", ADMIN, BODY).unwrap().status, 201);
    }

    #[test]
    fn a_rotation_is_retried_by_itself_whoever_asked_for_it() {
        let bearer = format!("Bearer {}", key(0).reveal());
        for (named, credential) in
            [(key(0).id().as_str(), ADMIN), (key(0).id().as_str(), &*bearer), (key(0).reveal(), "")]
        {
            for query in ["", "?graceSeconds=60"] {
                let host = Host::with_a_key();
                let path = format!("/tokens/{named}/refresh{query}");
                let headers = [("authorization", credential), ("idempotency-key", "a")];
                let first = host.call_with("POST", &path, &headers, "").unwrap();
                let again = host.call_with("POST", &path, &headers, "");
                let Err(Error::AlreadyDone { id }) = again else { panic!("{path}: {again:?}") };
                assert_eq!(id, body(&first)["id"], "{path}");
            }
        }
    }

    #[test]
    fn a_key_that_was_never_stored_is_no_reason_to_refuse() {
        for steps in 0..3 {
            let host = Host::default();
            host.store.fail_after(steps);
            assert!(matches!(create(&host, "a"), Err(Error::StoreUnavailable(_))), "{steps}");
            host.store.recover();
            assert_eq!(create(&host, "a").unwrap().status, 201, "{steps}");
        }
    }

    #[test]
    fn it_is_forgotten_after_a_day() {
        let host = Host::default();
        create(&host, "a").unwrap();
        host.advance(24 * 60 * 60 - 1);
        assert!(matches!(create(&host, "a"), Err(Error::AlreadyDone { .. })));
        host.advance(1);
        assert_eq!(create(&host, "a").unwrap().status, 201);
        assert_ne!(host.now(), NOW);
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        for value in ["", " ", "a b", &"x".repeat(256)] {
            let outcome = create(&Host::default(), value);
            assert!(matches!(outcome, Err(Error::InvalidHeader { .. })), "{value}");
        }
    }
}
