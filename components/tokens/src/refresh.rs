//! `POST /tokens/refresh`: rotates a key. The old one can stay valid for a grace period.

use std::time::{Duration, SystemTime};

use gateway::keys::time;
use gateway::{ApiKey, Error, KeyId, Record, Response};
use http::StatusCode;

use crate::Action;
use crate::auth::KeyRef;
use crate::claim::Claim;
use crate::idempotency::IdempotencyKey;
use crate::key_view::KeyView;
use crate::query;

/// The longest grace period: one week.
const MAX_GRACE_SECONDS: u64 = 7 * 24 * 60 * 60;

/// How long the old key stays valid when its holder rotates it and names no other period: long enough to
/// notice that the response was lost.
const OWN_GRACE_SECONDS: u64 = 60;

/// The minimum time between two rotations of a key by its holder.
const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// How many earlier keys of a lineage may be in their grace periods.
const MAX_IN_GRACE: usize = 3;

/// How many earlier keys a record remembers, so that the revocation of one finds its successor.
const MAX_EARLIER: usize = 20;

/// Rotates the key that the request authenticates with, in any header an SDK sends it in.
pub(crate) fn refresh_own(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("refresh");
    let key = ApiKey::from_headers(&action.request.head.headers)?;
    rotate(action, &KeyRef::Key(key), OWN_GRACE_SECONDS)
}

/// Rotates the key that `named`, a plain key or an id, refers to.
pub(crate) fn refresh(action: &mut Action<'_>, named: &str) -> Result<Response, Error> {
    action.entry.action = Some("refresh");
    let key_ref = action.resolve_key(named)?;
    rotate(action, &key_ref, 0)
}

/// Replaces the key of `key_ref` by a new one for the same team.
fn rotate(
    action: &mut Action<'_>,
    key_ref: &KeyRef,
    default_grace: u64,
) -> Result<Response, Error> {
    let grace = read_grace(action, default_grace)?;
    let old_id = key_ref.id();
    action.entry.subject = Some(old_id.as_str().to_owned());
    let idempotency_key = IdempotencyKey::read(action, &format!("refresh:{}", old_id.as_str()))?;
    // Before the claim, so that a request without a valid key writes nothing to the store.
    find_replaceable(action, key_ref, &idempotency_key)?;
    let claim = Claim::take(action, &format!("refresh:{}", old_id.as_str()))?;
    // Again, because another rotation may have ended between the first look and the claim.
    let outcome = find_replaceable(action, key_ref, &idempotency_key)
        .and_then(|old| replace(action, old, &idempotency_key, grace));
    claim.release(action);
    let (key, new) = outcome?;
    Ok(Response::json(StatusCode::OK, &KeyView::new(&new).with_key(&key)))
}

/// Reads how long the old key stays valid.
fn read_grace(action: &Action<'_>, default: u64) -> Result<Duration, Error> {
    let seconds = query::read_number(&action.request.head, "graceSeconds")?.unwrap_or(default);
    if seconds > MAX_GRACE_SECONDS {
        let rule = format!("`graceSeconds` must be at most {MAX_GRACE_SECONDS} (one week)");
        return Err(Error::invalid_param("graceSeconds", rule));
    }
    Ok(Duration::from_secs(seconds))
}

/// Finds the record of the key to replace.
///
/// # Errors
/// [`Error::AlreadyDone`] if the same request has replaced it, even if the key is gone since.
fn find_replaceable(
    action: &mut Action<'_>,
    key_ref: &KeyRef,
    idempotency_key: &IdempotencyKey,
) -> Result<Record, Error> {
    let created = idempotency_key.created(action)?;
    let old = match (action.find_record(key_ref), created) {
        // The host died between the two writes: nobody has the new key, and the old one is as it was.
        (Ok(old), Some(lost)) if old.replaced_by.is_none() => {
            action.context.store.delete(&lost.store_key())?;
            old
        }
        (_, Some(id)) => return Err(Error::AlreadyDone { id: id.as_str().to_owned() }),
        (found, None) => found?,
    };
    check_replaceable(&old, &action.now())?;
    if matches!(key_ref, KeyRef::Key(_)) {
        check_interval(&old, action.context.now)?;
    }
    Ok(old)
}

/// Stores a new key in place of `old`, and returns it.
fn replace(
    action: &Action<'_>,
    old: Record,
    idempotency_key: &IdempotencyKey,
    grace: Duration,
) -> Result<(ApiKey, Record), Error> {
    let store = action.context.store;
    let key = ApiKey::from_random((action.context.random)());
    let mut new = old.with_key(&key, action.now());
    prune(action, &old)?;
    new.earlier.push(old.id().to_owned());
    let forgotten = new.earlier.len().saturating_sub(MAX_EARLIER);
    new.earlier.drain(..forgotten);
    // The rotation before can no longer be retried: its response has arrived, or this key would not be
    // known.
    if let Some(entry) = &old.idempotency {
        store.delete(entry)?;
    }
    new.idempotency = idempotency_key.entry().map(str::to_owned);
    idempotency_key.remember(action, &key.id())?;
    // The new record is stored before the old key ends: a failure in between leaves the team with
    // two keys, never with none.
    new.save(store)?;
    retire(action, &old, &new, grace)?;
    undo_if_revoked(action, &old.key_id(), &key.id())?;
    Ok((key, new))
}

/// Deletes the ended keys among the earlier ones of `old`, and the oldest if too many are in their grace
/// periods. Otherwise a lineage would grow with every rotation.
fn prune(action: &Action<'_>, old: &Record) -> Result<(), Error> {
    let store = action.context.store;
    // The old key is about to be in its grace period, too.
    let mut active = 1;
    for id in old.earlier.iter().rev().filter_map(|id| KeyId::parse(id)) {
        let Some(record) = Record::read(store, &id)? else { continue };
        if record.team().is_active(&action.now()) && active < MAX_IN_GRACE {
            active += 1;
        } else {
            store.delete(&id.store_key())?;
        }
    }
    Ok(())
}

/// Checks that `old` was not created by a rotation a moment ago: a holder in a loop would otherwise
/// keep the store busy.
fn check_interval(old: &Record, now: SystemTime) -> Result<(), Error> {
    let since = old.rotated_at.as_deref().and_then(time::parse);
    // A time in the future is another host's clock, and must not lock the holder out.
    let elapsed = since.and_then(|since| now.duration_since(since).ok());
    match elapsed.and_then(|elapsed| MIN_INTERVAL.checked_sub(elapsed)) {
        Some(left) if !left.is_zero() => {
            Err(Error::RotatedTooRecently { seconds: left.as_secs() + 1 })
        }
        _ => Ok(()),
    }
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
fn retire(action: &Action<'_>, old: &Record, new: &Record, grace: Duration) -> Result<(), Error> {
    let store = action.context.store;
    if grace.is_zero() {
        return store.delete(&old.key_id().store_key());
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
            ("/tokens/refresh?graceSeconds=0".to_owned(), &*bearer),
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
            let team = Record::find(&*host.store, &key(1), NOW).unwrap();
            assert_eq!((team.name.as_str(), team.limited), ("Blue", true));
            assert!(matches!(Team::find(&*host.store, &key(0), NOW), Err(Error::InvalidKey)));
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
        assert!(Team::find(&*host.store, &key(0), NOW).is_ok());
        host.advance(60);
        assert!(Team::find(&*host.store, &key(0), &host.now()).is_err());
        assert!(Team::find(&*host.store, &key(1), &host.now()).is_ok());
    }

    #[test]
    fn refresh_with_grace_never_extends_a_key() {
        let host = Host::default();
        host.create(r#"{"teamId":"blue","ttlSeconds":30}"#);
        let path = format!("/tokens/{}/refresh?graceSeconds=60", key(0).reveal());
        let new = body(&host.send("POST", &path, "", "").unwrap());
        assert_eq!(new["expiresAt"], "2026-01-01T00:00:30.007Z");
        host.advance(30);
        assert!(Team::find(&*host.store, &key(0), &host.now()).is_err());
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
            for steps in 1..8 {
                let host = Host::with_a_key();
                host.store.interrupt_after(steps, |store| {
                    Record::revoke(store, &key(0).id(), NOW).unwrap()
                });
                let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
                let outcome = host.send("POST", &path, "", "");
                assert!(
                    matches!(outcome, Err(Error::UnknownKeyId | Error::InvalidKey)),
                    "{query} {steps}: {outcome:?}"
                );
                for index in [0, 1] {
                    let found = Team::find(&*host.store, &key(index), NOW);
                    assert!(matches!(found, Err(Error::InvalidKey)), "{query} {steps} {index}");
                }
            }
        }
    }

    #[test]
    fn refresh_after_a_failure_can_be_retried() {
        for steps in 0..8 {
            let host = Host::with_a_key();
            host.store.fail_after(steps);
            let path = format!("/tokens/{}/refresh", key(0).reveal());
            host.send("POST", &path, "", "").unwrap_err();
            host.store.recover();
            host.advance(60);
            if Team::find(&*host.store, &key(0), NOW).is_ok() {
                let again = host.send("POST", &format!("{path}?graceSeconds=60"), "", "").unwrap();
                assert!(body(&again)["apiKey"].is_string(), "{steps}");
            }
        }
    }

    #[test]
    fn refresh_in_a_loop_is_429_and_leaves_few_entries() {
        let host = Host::with_a_key();
        let mut entries = Vec::new();
        let mut own = key(0).reveal().to_owned();
        for turn in 0..10_000 {
            host.advance(10);
            let bearer = format!("Bearer {own}");
            let again = format!("turn-{turn}");
            let headers = [("authorization", bearer.as_str()), ("idempotency-key", &again)];
            let path = "/tokens/refresh?graceSeconds=604800";
            let response = body(&host.send_with("POST", path, &headers, "").unwrap());
            response["apiKey"].as_str().unwrap().clone_into(&mut own);
            let bearer = format!("Bearer {own}");
            let outcome = host.send("POST", path, &bearer, "");
            assert!(matches!(outcome, Err(Error::RotatedTooRecently { seconds: 1..=11 })));
            if matches!(turn, 10 | 9_999) {
                entries.push(host.store.len());
            }
        }
        assert_eq!(entries[0], entries[1], "entries after ten rotations and ten thousand");
    }

    #[test]
    fn refresh_by_the_holder_has_a_grace_period_by_default() {
        let bearer = format!("Bearer {}", key(0).reveal());
        for (query, seconds, expected) in
            [("", 59, true), ("", 60, false), ("?graceSeconds=0", 0, false)]
        {
            let host = Host::with_a_key();
            host.send("POST", &format!("/tokens/refresh{query}"), &bearer, "").unwrap();
            host.advance(seconds);
            let found = Team::find(&*host.store, &key(0), &host.now());
            assert_eq!(found.is_ok(), expected, "{query} {seconds}");
        }
    }

    #[test]
    fn refresh_interrupted_at_any_step_leaves_a_usable_key() {
        for query in ["", "?graceSeconds=60"] {
            for steps in 0..16 {
                let host = Host::with_a_key();
                let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
                let headers = [("idempotency-key", "a")];
                host.store.fail_after(steps);
                let first = host.send_with("POST", &path, &headers, "");
                host.store.recover();
                host.advance(30);
                // A retry with the same idempotency key yields a key, unless the old one was replaced
                // already. Without a grace period its end is the last write but one.
                match host.send_with("POST", &path, &headers, "") {
                    Ok(response) => assert!(body(&response)["apiKey"].is_string()),
                    Err(Error::AlreadyDone { .. }) => {
                        let is_old_valid = Team::find(&*host.store, &key(0), &host.now()).is_ok();
                        let is_last = steps >= 8;
                        assert!(is_old_valid || is_last, "{query} {steps}: {first:?}");
                    }
                    Err(error) => panic!("{query} {steps}: {error}"),
                }
                let listed = body(&host.send("GET", "/tokens", ADMIN, "").unwrap());
                assert!(listed["data"].as_array().unwrap().len() <= 2, "{query} {steps}");
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
            for steps in 0..7 {
                let host = Host::with_a_key();
                host.store.fail_after(steps);
                let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
                let outcome = host.send("POST", &path, "", "");
                assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
                host.store.recover();
                assert!(Team::find(&*host.store, &key(0), NOW).is_ok(), "{query} {steps}");
            }
        }
    }
}
