//! `POST /tokens/refresh`: a new key for the team of an old one, which may live on for a while.

use std::time::Duration;

use gateway::{ApiKey, Error, Record, Reply, time};
use http::StatusCode;

use crate::Act;
use crate::access::Named;
use crate::info::Info;
use crate::query;
use crate::retry::Retry;

/// Seconds the old key may live on: a week.
const LONGEST_GRACE: u64 = 7 * 24 * 60 * 60;

/// Rotates the key that is sent as bearer, or as any SDK sends it.
pub(crate) fn refresh_own(act: &mut Act<'_>) -> Result<Reply, Error> {
    act.entry.action = Some("refresh");
    let key = ApiKey::from_headers(&act.call.headers)?;
    rotate(act, &Named::Key(key))
}

/// Rotates the key that is `named` by itself or by its id.
pub(crate) fn refresh(act: &mut Act<'_>, named: &str) -> Result<Reply, Error> {
    act.entry.action = Some("refresh");
    let named = act.identify(named)?;
    rotate(act, &named)
}

/// Makes a new key for the team of the old one, which is `named`.
///
/// The new record is written before the old one goes or gets its end: a failure in between leaves
/// the team with both keys, never with none.
fn rotate(act: &mut Act<'_>, named: &Named) -> Result<Reply, Error> {
    let grace = query::number(act.call, "graceSeconds")?.unwrap_or_default();
    if grace > LONGEST_GRACE {
        let why = "`graceSeconds` may be a week at most: 604800";
        return Err(Error::invalid_param("graceSeconds", why));
    }
    let old_id = named.id();
    act.entry.subject = Some(old_id.as_str().to_owned());
    // A call that is made again finds the old key gone: it is told so before that is noticed.
    let retry = Retry::of(act, &format!("refresh:{}", old_id.as_str()))?;
    retry.check(act)?;
    let old = act.require(named)?;
    check(&old, &act.now())?;
    let key = ApiKey::from_random((act.context.random)());
    retry.note(act, &key.id())?;
    let store = act.context.store;
    let record = old.with_key(&key);
    record.save(store)?;
    if grace == 0 {
        store.delete(&old_id.store_key())?;
    } else {
        let end = time::rfc3339(act.context.now + Duration::from_secs(grace));
        ending(&old, &record, end).save(store)?;
    }
    if Record::is_revoked(store, &old_id)? {
        // Revoked while this was under way: neither of the two is to live.
        store.delete(&key.id().store_key())?;
        store.delete(&old_id.store_key())?;
        return Err(Error::UnknownKeyId);
    }
    Ok(Reply::json(StatusCode::OK, &Info::of(&record).with_key(&key)))
}

/// Refuses what cannot have a successor.
fn check(old: &Record, now: &str) -> Result<(), Error> {
    if let Some(id) = &old.replaced_by {
        return Err(Error::AlreadyDone { id: id.clone() });
    }
    if old.expires_at.as_deref().is_some_and(|end| end <= now) {
        let why = "the key has ended, and so would its successor: change `expiresAt` first";
        return Err(Error::invalid_param("expiresAt", why));
    }
    Ok(())
}

/// The record of `old`, which lives on until `end` at most.
fn ending(old: &Record, new: &Record, end: String) -> Record {
    let mut record = old.clone();
    record.replaced_by = Some(new.id().to_owned());
    record.expires_at = old.expires_at.clone().filter(|earlier| *earlier < end).or(Some(end));
    record
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
            let reply = body(&host.call("POST", &path, credential, "").unwrap());
            assert_eq!(reply["apiKey"], key(1).reveal(), "{path}");
            assert_eq!(
                (&reply["createdAt"], &reply["replaces"]),
                (&NOW.into(), &id.as_str().into())
            );
            let team = Record::find(&host.store, &key(1), NOW).unwrap();
            assert_eq!((team.name.as_str(), team.limited), ("Blue", true));
            assert!(matches!(Team::find(&host.store, &key(0), NOW), Err(Error::InvalidKey)));
        }
    }

    #[test]
    fn an_old_key_lives_on_for_its_grace() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}/refresh?graceSeconds=60", key(0).reveal());
        host.call("POST", &path, "", "").unwrap();
        let old = format!("/tokens/{}", key(0).id().as_str());
        let shown = body(&host.call("GET", &old, ADMIN, "").unwrap());
        assert_eq!(shown["replacedBy"], key(1).id().as_str());
        assert_eq!(shown["expiresAt"], "2026-01-01T00:01:00.007Z");
        assert!(Team::find(&host.store, &key(0), NOW).is_ok());
        host.advance(60);
        assert!(Team::find(&host.store, &key(0), &host.now()).is_err());
        assert!(Team::find(&host.store, &key(1), &host.now()).is_ok());
    }

    #[test]
    fn a_grace_never_makes_a_life_longer() {
        let host = Host::default();
        host.create(r#"{"teamId":"blue","ttlSeconds":30}"#);
        let path = format!("/tokens/{}/refresh?graceSeconds=60", key(0).reveal());
        let new = body(&host.call("POST", &path, "", "").unwrap());
        assert_eq!(new["expiresAt"], "2026-01-01T00:00:30.007Z");
        host.advance(30);
        assert!(Team::find(&host.store, &key(0), &host.now()).is_err());
    }

    #[test]
    fn a_key_that_was_replaced_is_not_replaced_again() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}/refresh?graceSeconds=60", key(0).reveal());
        host.call("POST", &path, "", "").unwrap();
        let Err(Error::AlreadyDone { id }) = host.call("POST", &path, "", "") else { panic!() };
        assert_eq!(id, key(1).id().as_str());
    }

    #[test]
    fn a_key_that_has_ended_has_no_successor() {
        let host = Host::default();
        host.create(r#"{"teamId":"blue","ttlSeconds":30}"#);
        host.advance(30);
        let path = format!("/tokens/{}/refresh", key(0).id().as_str());
        let outcome = host.call("POST", &path, ADMIN, "");
        assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{outcome:?}");
    }

    #[test]
    fn a_key_that_is_revoked_meanwhile_has_no_successor() {
        for query in ["", "?graceSeconds=60"] {
            for steps in 1..4 {
                let host = Host::with_a_key();
                host.store
                    .interrupt_after(steps, |store| Record::revoke(store, &key(0).id()).unwrap());
                let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
                let outcome = host.call("POST", &path, "", "");
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
    fn a_rotation_that_failed_can_be_made_again() {
        for steps in 0..4 {
            let host = Host::with_a_key();
            host.store.fail_after(steps);
            let path = format!("/tokens/{}/refresh", key(0).reveal());
            host.call("POST", &path, "", "").unwrap_err();
            host.store.recover();
            if Team::find(&host.store, &key(0), NOW).is_ok() {
                let again = host.call("POST", &format!("{path}?graceSeconds=60"), "", "").unwrap();
                assert!(body(&again)["apiKey"].is_string(), "{steps}");
            }
        }
    }

    #[test]
    fn graces_are_numbers_up_to_a_week() {
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
            assert_eq!(host.call("POST", &path, "", "").is_ok(), is_right, "{query}");
        }
    }

    #[test]
    fn refresh_takes_only_a_living_key() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}/refresh", key(0).reveal());
        assert!(host.call("POST", &path, "", "").is_ok());
        assert!(matches!(host.call("POST", &path, "", ""), Err(Error::InvalidKey)));
        let by_header = host.call("POST", "/tokens/refresh", "", "");
        assert!(matches!(by_header, Err(Error::MissingKey)));
        let as_admin = host.call("POST", "/tokens/refresh", ADMIN, "");
        assert!(matches!(as_admin, Err(Error::MalformedKey)));
        let by_id = format!("/tokens/{}/refresh", key(0).id().as_str());
        assert!(matches!(host.call("POST", &by_id, ADMIN, ""), Err(Error::UnknownKeyId)));
    }

    #[test]
    fn a_failing_store_never_leaves_a_team_without_a_key_and_revives_none() {
        for query in ["", "?graceSeconds=60"] {
            for steps in 0..3 {
                let host = Host::with_a_key();
                host.store.fail_after(steps);
                let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
                let outcome = host.call("POST", &path, "", "");
                assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
                host.store.recover();
                assert!(Team::find(&host.store, &key(0), NOW).is_ok(), "{query} {steps}");
            }
        }
    }
}
