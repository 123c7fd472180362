//! `POST /tokens/refresh`: rotates a key. The old one can stay valid for a grace period.

use std::time::Duration;

use gateway::keys::time;
use gateway::{ApiKey, Error, KeyId, Record, Response};
use http::StatusCode;

use crate::Action;
use crate::auth::KeyRef;
use crate::idempotency::IdempotencyKey;
use crate::key_view::KeyView;
use crate::query;

/// The longest grace period: one week.
const MAX_GRACE_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Rotates the key that the request authenticates with, in any header an SDK sends it in.
pub(crate) fn refresh_own(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("refresh");
    let key = ApiKey::from_headers(&action.request.head.headers)?;
    rotate(action, &KeyRef::Key(key))
}

/// Rotates the key that `named`, a plain key or an id, refers to.
pub(crate) fn refresh(action: &mut Action<'_>, named: &str) -> Result<Response, Error> {
    action.entry.action = Some("refresh");
    let key_ref = action.resolve_key(named)?;
    rotate(action, &key_ref)
}

/// Replaces the key of `key_ref` by a new one for the same team.
fn rotate(action: &mut Action<'_>, key_ref: &KeyRef) -> Result<Response, Error> {
    let grace = read_grace(action)?;
    let old_id = key_ref.id();
    action.entry.subject = Some(old_id.as_str().to_owned());
    // On a retry the old key is already gone, so check for a retry before looking it up.
    let idempotency_key = IdempotencyKey::read(action, &format!("refresh:{}", old_id.as_str()))?;
    idempotency_key.check(action)?;
    let old = action.find_record(key_ref)?;
    check_replaceable(&old, &action.now())?;
    let key = ApiKey::from_random((action.context.random)());
    idempotency_key.remember(action, &key.id())?;
    let new = old.with_key(&key);
    // The new record is stored before the old key ends: a failure in between leaves the team with
    // two keys, never with none.
    new.save(action.context.store)?;
    retire(action, &old_id, &old, &new, grace)?;
    undo_if_revoked(action, &old_id, &key.id())?;
    Ok(Response::json(StatusCode::OK, &KeyView::new(&new).with_key(&key)))
}

/// Reads how long the old key stays valid.
fn read_grace(action: &Action<'_>) -> Result<Duration, Error> {
    let seconds = query::read_number(&action.request.head, "graceSeconds")?.unwrap_or_default();
    if seconds > MAX_GRACE_SECONDS {
        let rule = format!("`graceSeconds` must be at most {MAX_GRACE_SECONDS} (one week)");
        return Err(Error::invalid_param("graceSeconds", rule));
    }
    Ok(Duration::from_secs(seconds))
}

/// Checks that `old` can be replaced.
fn check_replaceable(old: &Record, now: &str) -> Result<(), Error> {
    // In its grace period a replaced key is still valid, and replacing it again would give it a
    // second successor. The error names the first.
    if let Some(id) = &old.replaced_by {
        return Err(Error::AlreadyDone { id: id.clone() });
    }
    // Only the admin gets here with an expired key, whose expiry the new key would inherit.
    if old.expires_at.as_deref().is_some_and(|end| end <= now) {
        let reason =
            "the key has expired, and a new one would inherit `expiresAt`: change it first";
        return Err(Error::invalid_param("expiresAt", reason));
    }
    Ok(())
}

/// Deletes the old key, or lets it expire after the `grace` period.
fn retire(
    action: &Action<'_>,
    old_id: &KeyId,
    old: &Record,
    new: &Record,
    grace: Duration,
) -> Result<(), Error> {
    let store = action.context.store;
    if grace.is_zero() {
        return store.delete(&old_id.store_key());
    }
    let end = time::rfc3339(action.context.now + grace);
    let mut record = old.clone();
    record.replaced_by = Some(new.id().to_owned());
    // A grace period never extends a key's life. Times in this form compare as texts.
    record.expires_at = old.expires_at.clone().filter(|earlier| *earlier < end).or(Some(end));
    record.save(store)
}

/// Deletes both keys if the old one was revoked during the rotation.
///
/// The store has no transactions. Revocation is therefore checked last, after both records are
/// written: it must not be undone by a rotation that read the record before.
fn undo_if_revoked(action: &Action<'_>, old_id: &KeyId, new_id: &KeyId) -> Result<(), Error> {
    let store = action.context.store;
    if !Record::is_revoked(store, old_id)? {
        return Ok(());
    }
    store.delete(&new_id.store_key())?;
    store.delete(&old_id.store_key())?;
    Err(Error::UnknownKeyId)
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Record, Team};

    use crate::testing::{ADMIN, Host, NOW, body, key};

    #[test]
    fn refresh_moves_the_team_to_a_new_key() {
        let bearer = format!("Bearer {}", key(0).reveal());
        let id = key(0).id();
        for (path, credential) in [
            (format!("/tokens/{}/refresh", key(0).reveal()), ""),
            ("/tokens/refresh".to_owned(), &*bearer),
            (format!("/tokens/{}/refresh", id.as_str()), &bearer),
            (format!("/tokens/{}/refresh", id.as_str()), ADMIN),
        ] {
            let host = Host::with_a_key();
            let response = body(&host.send("POST", &path, credential, "").unwrap());
            assert_eq!(response["apiKey"], key(1).reveal(), "{path}");
            assert_eq!(
                (&response["createdAt"], &response["replaces"]),
                (&NOW.into(), &id.as_str().into())
            );
            let team = Record::find(&host.store, &key(1), NOW).unwrap();
            assert_eq!((team.name.as_str(), team.limited), ("Blue", true));
            assert!(matches!(Team::find(&host.store, &key(0), NOW), Err(Error::InvalidKey)));
        }
    }

    #[test]
    fn refresh_with_grace_keeps_the_old_key_valid() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}/refresh?graceSeconds=60", key(0).reveal());
        host.send("POST", &path, "", "").unwrap();
        let old = format!("/tokens/{}", key(0).id().as_str());
        let shown = body(&host.send("GET", &old, ADMIN, "").unwrap());
        assert_eq!(shown["replacedBy"], key(1).id().as_str());
        assert_eq!(shown["expiresAt"], "2026-01-01T00:01:00.007Z");
        assert!(Team::find(&host.store, &key(0), NOW).is_ok());
        host.advance(60);
        assert!(Team::find(&host.store, &key(0), &host.now()).is_err());
        assert!(Team::find(&host.store, &key(1), &host.now()).is_ok());
    }

    #[test]
    fn refresh_with_grace_never_extends_a_key() {
        let host = Host::default();
        host.create(r#"{"teamId":"blue","ttlSeconds":30}"#);
        let path = format!("/tokens/{}/refresh?graceSeconds=60", key(0).reveal());
        let new = body(&host.send("POST", &path, "", "").unwrap());
        assert_eq!(new["expiresAt"], "2026-01-01T00:00:30.007Z");
        host.advance(30);
        assert!(Team::find(&host.store, &key(0), &host.now()).is_err());
    }

    #[test]
    fn refresh_of_a_replaced_key_is_409() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}/refresh?graceSeconds=60", key(0).reveal());
        host.send("POST", &path, "", "").unwrap();
        let Err(Error::AlreadyDone { id }) = host.send("POST", &path, "", "") else { panic!() };
        assert_eq!(id, key(1).id().as_str());
    }

    #[test]
    fn refresh_of_an_expired_key_is_400() {
        let host = Host::default();
        host.create(r#"{"teamId":"blue","ttlSeconds":30}"#);
        host.advance(30);
        let path = format!("/tokens/{}/refresh", key(0).id().as_str());
        let outcome = host.send("POST", &path, ADMIN, "");
        assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{outcome:?}");
    }

    #[test]
    fn refresh_during_revocation_leaves_no_key() {
        for query in ["", "?graceSeconds=60"] {
            for steps in 1..4 {
                let host = Host::with_a_key();
                host.store
                    .interrupt_after(steps, |store| Record::revoke(store, &key(0).id()).unwrap());
                let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
                let outcome = host.send("POST", &path, "", "");
                assert!(
                    matches!(outcome, Err(Error::UnknownKeyId)),
                    "{query} {steps}: {outcome:?}"
                );
                for index in [0, 1] {
                    let found = Team::find(&host.store, &key(index), NOW);
                    assert!(matches!(found, Err(Error::InvalidKey)), "{query} {steps} {index}");
                }
            }
        }
    }

    #[test]
    fn refresh_after_a_failure_can_be_retried() {
        for steps in 0..4 {
            let host = Host::with_a_key();
            host.store.fail_after(steps);
            let path = format!("/tokens/{}/refresh", key(0).reveal());
            host.send("POST", &path, "", "").unwrap_err();
            host.store.recover();
            if Team::find(&host.store, &key(0), NOW).is_ok() {
                let again = host.send("POST", &format!("{path}?graceSeconds=60"), "", "").unwrap();
                assert!(body(&again)["apiKey"].is_string(), "{steps}");
            }
        }
    }

    #[test]
    fn refresh_checks_grace_seconds() {
        for (query, is_right) in [
            ("", true),
            ("?graceSeconds=0", true),
            ("?graceSeconds=604800", true),
            ("?graceSeconds=604801", false),
            ("?graceSeconds=-1", false),
            ("?graceSeconds=x", false),
            ("?graceSeconds=", false),
            ("?graceSeconds=1&graceSeconds=2", false),
            ("?grace=1", false),
        ] {
            let host = Host::with_a_key();
            let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
            assert_eq!(host.send("POST", &path, "", "").is_ok(), is_right, "{query}");
        }
    }

    #[test]
    fn refresh_of_an_invalid_key_is_rejected() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}/refresh", key(0).reveal());
        assert!(host.send("POST", &path, "", "").is_ok());
        assert!(matches!(host.send("POST", &path, "", ""), Err(Error::InvalidKey)));
        let by_header = host.send("POST", "/tokens/refresh", "", "");
        assert!(matches!(by_header, Err(Error::MissingKey)));
        let as_admin = host.send("POST", "/tokens/refresh", ADMIN, "");
        assert!(matches!(as_admin, Err(Error::MalformedKey)));
        let by_id = format!("/tokens/{}/refresh", key(0).id().as_str());
        assert!(matches!(host.send("POST", &by_id, ADMIN, ""), Err(Error::UnknownKeyId)));
    }

    #[test]
    fn refresh_with_failing_store_keeps_the_old_key() {
        for query in ["", "?graceSeconds=60"] {
            for steps in 0..3 {
                let host = Host::with_a_key();
                host.store.fail_after(steps);
                let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
                let outcome = host.send("POST", &path, "", "");
                assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
                host.store.recover();
                assert!(Team::find(&host.store, &key(0), NOW).is_ok(), "{query} {steps}");
            }
        }
    }
}
