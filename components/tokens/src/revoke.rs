//! `DELETE /tokens/{id}`: revokes a key, effective from the next request.

use gateway::{Error, Headers, Record, Response};
use http::StatusCode;

use crate::Action;

/// Revokes the key `id`.
pub(crate) fn revoke(action: &mut Action<'_>, id: &str) -> Result<Response, Error> {
    action.entry.action = Some("revoke");
    let id = action.require_admin_for(id)?;
    // Only checked for existence, not parsed: a key with an unreadable record can be revoked, too.
    action.context.store.get(&id.store_key())?.ok_or(Error::UnknownKeyId)?;
    Record::revoke(action.context.store, &id)?;
    let headers = [("cache-control", "no-store")].into_iter().collect::<Headers>();
    Ok(Response { status: StatusCode::NO_CONTENT, headers, body: Vec::new() })
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Store as _, Team};

    use crate::testing::{ADMIN, Host, NOW, key};

    #[test]
    fn revoke_makes_the_key_invalid() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}", key(0).id().as_str());
        let response = host.send("DELETE", &path, ADMIN, "").unwrap();
        assert_eq!((response.status.as_u16(), response.body.len()), (204, 0));
        assert!(matches!(Team::find(&host.store, &key(0), NOW), Err(Error::InvalidKey)));
        assert!(matches!(host.send("DELETE", &path, ADMIN, ""), Err(Error::UnknownKeyId)));
    }

    #[test]
    fn revoke_of_an_unreadable_record_succeeds() {
        let host = Host::with_a_key();
        host.store.set(&key(0).id().store_key(), b"{").unwrap();
        let path = format!("/tokens/{}", key(0).id().as_str());
        assert_eq!(host.send("DELETE", &path, ADMIN, "").unwrap().status, 204);
    }

    #[test]
    fn revoke_with_failing_store_is_503() {
        for steps in 0..3 {
            let host = Host::with_a_key();
            host.store.fail_after(steps);
            let path = format!("/tokens/{}", key(0).id().as_str());
            let outcome = host.send("DELETE", &path, ADMIN, "");
            assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
        }
    }
}
