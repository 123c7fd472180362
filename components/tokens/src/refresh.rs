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
    act.entry.action = Some("refresh");
    let grace = query::number(act.call, "graceSeconds")?.unwrap_or_default();
    if grace > LONGEST_GRACE {
        let why = "`graceSeconds` may be a week at most: 604800";
        return Err(Error::invalid_param("graceSeconds", why));
    }
    let old_id = named.id();
    // A call that is made again finds the old key gone: it is told so before that is noticed.
    let retry = Retry::of(act, &format!("refresh:{}", old_id.as_str()))?;
    retry.check(act)?;
    let old = act.require(named)?;
    if let Some(id) = &old.replaced_by {
        return Err(Error::AlreadyDone { id: id.clone() });
    }
    let key = ApiKey::from_random((act.context.random)());
    retry.note(act, &key.id())?;
    let record = old.with_key(&key);
    record.save(act.context.store)?;
    if grace == 0 {
        Record::remove(act.context.store, &old_id)?;
    } else {
        let end = time::rfc3339(act.context.now + Duration::from_secs(grace));
        let expires_at = old.expires_at.clone().filter(|earlier| *earlier < end).or(Some(end));
        let replaced_by = Some(record.id().to_owned());
        let mut ending = old.clone();
        (ending.expires_at, ending.replaced_by) = (expires_at, replaced_by);
        ending.update(act.context.store)?;
    }
    Ok(Reply::json(StatusCode::OK, &Info::of(&record).with_key(&key)))
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
