//! `PATCH /tokens/{id}`: updates a key.

use gateway::{Error, KeyId, Record, Response};
use http::StatusCode;

use crate::Action;
use crate::claim::Claim;
use crate::fields::{Fields, read_body};
use crate::key_view::KeyView;
use crate::refresh::claimed;
use crate::teams::save_marked;

/// Updates the fields that the body contains; `null` clears one.
///
/// It takes the claim of a rotation: an update of a record that is being replaced would be lost, or would
/// bring the old key back.
pub(crate) fn patch(action: &mut Action<'_>, id: &str) -> Result<Response, Error> {
    action.entry.action = Some("patch");
    let id = action.require_admin_for(id)?;
    let fields: Fields = read_body(&(action.request.body)()?)?;
    let claim = Claim::take(action, &claimed(&id))?;
    let outcome = update(action, &id, fields);
    claim.release(action);
    Ok(Response::json(StatusCode::OK, &KeyView::new(&outcome?)))
}

/// Applies the changes to the record of the key `id`, and returns it.
fn update(action: &Action<'_>, id: &KeyId, fields: Fields) -> Result<Record, Error> {
    let mut record = action.read_record(id)?;
    fields.apply(&mut record, action)?;
    // Not `save`: if the key was revoked since it was read, the update must not restore it.
    save_marked(action, &mut record, |record| record.update(action.context.store))?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Record, Store as _, Team};

    use crate::testing::{ADMIN, Host, NOW, body, key};

    #[test]
    fn patch_sets_given_fields_and_null_clears_them() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}", key(0).id().as_str());
        let patch = |change: &str| body(&host.send("PATCH", &path, ADMIN, change).unwrap());
        let before = patch("");
        let changed = patch(
            r#"{"name":"Navy","limited":false,"disabled":true,"note":"n","providers":[],
                "models":["a"],"metadata":{"a":"b"},"expiresAt":"2027-01-01T00:00:00Z"}"#,
        );
        assert_eq!((&changed["name"], &changed["disabled"]), (&"Navy".into(), &true.into()));
        assert_eq!(changed["expiresAt"], "2027-01-01T00:00:00.000Z");
        assert_eq!(changed["providers"], serde_json::json!([]));
        assert!(Team::find(&*host.store, &key(0), NOW).is_err());
        let back = patch(
            r#"{"name":"Blue","limited":true,"disabled":null,"note":null,"providers":null,
                "models":null,"metadata":null,"expiresAt":null}"#,
        );
        assert_eq!(back, before);
        assert!(Team::find(&*host.store, &key(0), NOW).is_ok());
    }

    #[test]
    fn patch_during_revocation_does_not_restore_the_key() {
        for steps in 0..8 {
            let host = Host::with_a_key();
            host.store.interrupt_after(steps, |store| {
                drop(Record::revoke(store, &key(0).id(), NOW).unwrap());
            });
            let path = format!("/tokens/{}", key(0).id().as_str());
            let _ = host.send("PATCH", &path, ADMIN, r#"{"note":"n"}"#);
            assert!(
                matches!(Team::find(&*host.store, &key(0), NOW), Err(Error::InvalidKey)),
                "{steps}"
            );
        }
    }

    #[test]
    fn patch_during_rotation_does_not_restore_the_key() {
        for steps in 0..8 {
            let host = Host::with_a_key();
            let other = host.sibling();
            host.store.interrupt_after(steps, move |_| {
                let _ = other.send("POST", &format!("/tokens/{}/refresh", key(0).reveal()), "", "");
            });
            let path = format!("/tokens/{}", key(0).id().as_str());
            let outcome = host.send("PATCH", &path, ADMIN, r#"{"note":"n"}"#);
            let keys = host.store.keys().unwrap();
            let stored = keys.iter().filter(|key| key.starts_with("key:")).count();
            assert_eq!(stored, 1, "{steps}: {outcome:?}");
        }
    }

    #[test]
    fn patch_with_invalid_field_changes_nothing() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}", key(0).id().as_str());
        for change in [
            r#"{"teamId":"red"}"#,
            r#"{"id":"x"}"#,
            r#"{"name":"Navy","note":""}"#,
            r#"{"name":"Navy","expiresAt":"2020-01-01T00:00:00Z"}"#,
            "[]",
        ] {
            let outcome = host.send("PATCH", &path, ADMIN, change);
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{change}");
        }
        assert_eq!(Record::find(&*host.store, &key(0), NOW).unwrap().name, "Blue");
    }

    #[test]
    fn patch_with_failing_store_changes_nothing() {
        for steps in 0..4 {
            let host = Host::with_a_key();
            host.store.fail_after(steps);
            let path = format!("/tokens/{}", key(0).id().as_str());
            let outcome = host.send("PATCH", &path, ADMIN, r#"{"disabled":true}"#);
            assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
            host.store.recover();
            assert!(Team::find(&*host.store, &key(0), NOW).is_ok(), "{steps}");
        }
    }
}
