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
                drop(Record::revoke(store, &key(0).id(), NOW).unwrap());
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
