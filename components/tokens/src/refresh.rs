//! `POST /tokens/refresh`: rotates a key. The old one can stay valid for a grace period.

use std::time::{Duration, SystemTime};

use gateway::keys::time;
use gateway::{ApiKey, Error, KeyId, Record, Response};
use http::StatusCode;

use crate::Action;
use crate::auth::KeyRef;
use crate::claim::{self, Claim};
use crate::idempotency::IdempotencyKey;
use crate::key_view::KeyView;
use crate::query;
use crate::teams::save_marked;

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
    look(action, key_ref, &idempotency_key)?;
    let claim = Claim::take(action, &claimed(&old_id))?;
    // Again, because another rotation may have ended between the first look and the claim.
    let outcome = look(action, key_ref, &idempotency_key)
        .and_then(|found| replace(action, found, &idempotency_key, grace));
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

/// Returns the operation whose claim a change to the key `id` takes.
pub(crate) fn claimed(id: &KeyId) -> String {
    format!("refresh:{}", id.as_str())
}

/// The key to replace.
struct Found {
    record: Record,
    /// The key that the same request has created before without ending this one.
    unfinished: Option<KeyId>,
}

/// Finds the record of the key to replace, and changes nothing.
///
/// # Errors
/// [`Error::AlreadyDone`] if the same request has replaced it, even if the key is gone since.
fn look(
    action: &mut Action<'_>,
    key_ref: &KeyRef,
    idempotency_key: &IdempotencyKey,
) -> Result<Found, Error> {
    let created = idempotency_key.created(action)?;
    let (record, unfinished) = match (action.find_record(key_ref), created) {
        (Ok(record), Some(id)) if record.replaced_by.is_none() => (record, Some(id)),
        (_, Some(id)) => return Err(Error::AlreadyDone { id: id.as_str().to_owned() }),
        (found, None) => (found?, None),
    };
    check_replaceable(&record, &action.now())?;
    if matches!(key_ref, KeyRef::Key(_)) {
        check_interval(&record, action.context.now)?;
    }
    Ok(Found { record, unfinished })
}

/// Deletes the key that an interrupted rotation has left: no one has it, and the old key is as it was.
///
/// # Errors
/// [`Error::InProgress`] if the key is so new that its rotation may still be running.
fn discard(action: &Action<'_>, id: &KeyId) -> Result<(), Error> {
    let store = action.context.store;
    let Some(record) = Record::read(store, id)? else { return Ok(()) };
    let rotated = record.rotated_at.as_deref().and_then(time::parse);
    let elapsed = rotated.and_then(|rotated| action.context.now.duration_since(rotated).ok());
    if elapsed.is_some_and(|elapsed| elapsed >= claim::LONGEST) {
        return store.delete(&id.store_key());
    }
    Err(Error::InProgress)
}

/// Stores a new key in place of the one that was found, and returns it.
fn replace(
    action: &Action<'_>,
    found: Found,
    idempotency_key: &IdempotencyKey,
    grace: Duration,
) -> Result<(ApiKey, Record), Error> {
    let store = action.context.store;
    found.unfinished.map_or(Ok(()), |id| discard(action, &id))?;
    let old = &found.record;
    let key = ApiKey::from_random((action.context.random)());
    let mut new = old.with_key(&key, action.now());
    prune(action, old)?;
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
    save_marked(action, &mut new, |new| new.save(store))?;
    retire(action, old, &new, grace)?;
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
        let record = match Record::read(store, &id) {
            Ok(Some(record)) => record,
            // One that cannot be read authenticates no one, and must not stop the rotation.
            Ok(None) | Err(Error::CorruptRecord(_)) => continue,
            Err(error) => return Err(error),
        };
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
mod tests;
