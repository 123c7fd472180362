//! `PATCH /tokens/{id}`: what is known of a key, changed.

use gateway::{Error, Reply};
use http::StatusCode;

use crate::Act;
use crate::fields::{Fields, read_body};
use crate::info::Info;

/// Changes the fields that are given; `null` takes one back. The record is written whole.
pub(crate) fn patch(act: &mut Act<'_>, id: &str) -> Result<Reply, Error> {
    act.entry.action = Some("patch");
    let id = act.require_admin_of(id)?;
    let fields: Fields = read_body(&act.call.body)?;
    let mut record = act.read(&id)?;
    fields.apply(&mut record, act)?;
    record.update(act.context.store)?;
    Ok(Reply::json(StatusCode::OK, &Info::of(&record)))
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Record, Team};

    use crate::testing::{ADMIN, Host, NOW, body, key};

    #[test]
    fn what_is_given_is_changed_and_null_takes_it_back() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}", key(0).id().as_str());
        let patch = |change: &str| body(&host.call("PATCH", &path, ADMIN, change).unwrap());
        let before = patch("");
        let changed = patch(
            r#"{"name":"Navy","limited":false,"disabled":true,"note":"n","providers":[],
                "models":["a"],"metadata":{"a":"b"},"expiresAt":"2027-01-01T00:00:00Z"}"#,
        );
        assert_eq!((&changed["name"], &changed["disabled"]), (&"Navy".into(), &true.into()));
        assert_eq!(changed["expiresAt"], "2027-01-01T00:00:00.000Z");
        assert_eq!(changed["providers"], serde_json::json!([]));
        assert!(Team::find(&host.store, &key(0), NOW).is_err());
        let back = patch(
            r#"{"name":"Blue","limited":true,"disabled":null,"note":null,"providers":null,
                "models":null,"metadata":null,"expiresAt":null}"#,
        );
        assert_eq!(back, before);
        assert!(Team::find(&host.store, &key(0), NOW).is_ok());
    }

    #[test]
    fn a_key_that_is_revoked_meanwhile_does_not_come_back() {
        // After the change has read the record, and after it has written it.
        for steps in [1, 2] {
            let host = Host::with_a_key();
            host.store.interrupt_after(steps, |store| Record::revoke(store, &key(0).id()).unwrap());
            let path = format!("/tokens/{}", key(0).id().as_str());
            let _ = host.call("PATCH", &path, ADMIN, r#"{"note":"n"}"#);
            assert!(
                matches!(Team::find(&host.store, &key(0), NOW), Err(Error::InvalidKey)),
                "{steps}"
            );
        }
    }

    #[test]
    fn a_bad_change_changes_nothing() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}", key(0).id().as_str());
        for change in [
            r#"{"teamId":"red"}"#,
            r#"{"id":"x"}"#,
            r#"{"name":"Navy","note":""}"#,
            r#"{"name":"Navy","expiresAt":"2020-01-01T00:00:00Z"}"#,
            "[]",
        ] {
            let outcome = host.call("PATCH", &path, ADMIN, change);
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{change}");
        }
        assert_eq!(Record::find(&host.store, &key(0), NOW).unwrap().name, "Blue");
    }

    #[test]
    fn a_failing_store_leaves_the_record_as_it_was() {
        for steps in 0..2 {
            let host = Host::with_a_key();
            host.store.fail_after(steps);
            let path = format!("/tokens/{}", key(0).id().as_str());
            let outcome = host.call("PATCH", &path, ADMIN, r#"{"disabled":true}"#);
            assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
            host.store.recover();
            assert!(Team::find(&host.store, &key(0), NOW).is_ok(), "{steps}");
        }
    }
}
