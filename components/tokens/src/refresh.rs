//! `POST /tokens/refresh`: a new key for the team of an old one.

use gateway::service::Context;
use gateway::{ApiKey, Error, Reply, Team};
use http::StatusCode;

use crate::info::Info;

/// Makes a new key for the team of `old`, which then opens nothing any more.
///
/// The new record is written before the old one goes: a failure in between leaves the team with
/// its old key, never with none.
pub(crate) fn refresh(old: &ApiKey, context: &Context<'_>) -> Result<Reply, Error> {
    let key = ApiKey::from_random((context.random)());
    let team = Team::find(context.store, old)?.with_key(&key);
    team.save(context.store, &key.id())?;
    context.store.delete(&old.id().store_key())?;
    Ok(Reply::json(StatusCode::OK, &Info::of(&team).with_key(&key)))
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Team};

    use crate::testing::{ADMIN, Host, json, key};

    fn host_with_a_key() -> Host {
        let host = Host::default();
        let body = r#"{"teamId":"blue","name":"Blue","limited":true}"#;
        host.call("POST", "/tokens", ADMIN, body).unwrap();
        host
    }

    #[test]
    fn refresh_moves_the_team_to_a_new_key() {
        for with_key_in_path in [true, false] {
            let host = host_with_a_key();
            let old = key(0);
            let reply = if with_key_in_path {
                host.call("POST", &format!("/tokens/{}/refresh", old.reveal()), "", "")
            } else {
                host.call("POST", "/tokens/refresh", &format!("Bearer {}", old.reveal()), "")
            };
            let json = json(&reply.unwrap());
            let key = crate::testing::key(1);
            assert_eq!(json["apiKey"], key.reveal());
            assert_eq!(json["createdAt"], "2026-01-01T00:00:00.007Z");
            let team = Team::find(&host.store, &key).unwrap();
            assert_eq!((team.name.as_str(), team.limited), ("Blue", true));
            assert!(matches!(Team::find(&host.store, &old), Err(Error::InvalidKey)));
        }
    }

    #[test]
    fn refresh_takes_only_a_living_key() {
        let host = host_with_a_key();
        let path = format!("/tokens/{}/refresh", key(0).reveal());
        assert!(host.call("POST", &path, "", "").is_ok());
        assert!(matches!(host.call("POST", &path, "", ""), Err(Error::InvalidKey)));
        let by_header = host.call("POST", "/tokens/refresh", "", "");
        assert!(matches!(by_header, Err(Error::MissingKey)));
        let as_admin = host.call("POST", "/tokens/refresh", ADMIN, "");
        assert!(matches!(as_admin, Err(Error::MalformedKey)));
    }

    #[test]
    fn a_failing_store_never_leaves_a_team_without_a_key() {
        for steps in 0..3 {
            let host = host_with_a_key();
            host.store.fail_after(steps);
            let path = format!("/tokens/{}/refresh", key(0).reveal());
            let outcome = host.call("POST", &path, "", "");
            assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
            host.store.recover();
            assert!(Team::find(&host.store, &key(0)).is_ok(), "{steps}");
        }
    }
}
