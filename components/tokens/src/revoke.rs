//! `DELETE /tokens/{id}`: a key that opens nothing any more, from the next request on.

use gateway::{Error, Headers, Record, Reply};
use http::StatusCode;

use crate::Act;

/// Removes the key `id`.
pub(crate) fn revoke(act: &mut Act<'_>, id: &str) -> Result<Reply, Error> {
    act.entry.action = Some("revoke");
    let id = act.require_admin_of(id)?;
    // A record that cannot be read can be ended all the same.
    act.context.store.get(&id.store_key())?.ok_or(Error::UnknownKeyId)?;
    Record::revoke(act.context.store, &id)?;
    let headers = [("cache-control", "no-store")].into_iter().collect::<Headers>();
    Ok(Reply { status: StatusCode::NO_CONTENT, headers, body: Vec::new() })
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Store as _, Team};

    use crate::testing::{ADMIN, Host, NOW, key};

    #[test]
    fn a_revoked_key_opens_nothing() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}", key(0).id().as_str());
        let reply = host.call("DELETE", &path, ADMIN, "").unwrap();
        assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
        assert!(matches!(Team::find(&host.store, &key(0), NOW), Err(Error::InvalidKey)));
        assert!(matches!(host.call("DELETE", &path, ADMIN, ""), Err(Error::UnknownKeyId)));
    }

    #[test]
    fn a_record_that_cannot_be_read_can_be_ended() {
        let host = Host::with_a_key();
        host.store.set(&key(0).id().store_key(), b"{").unwrap();
        let path = format!("/tokens/{}", key(0).id().as_str());
        assert_eq!(host.call("DELETE", &path, ADMIN, "").unwrap().status, 204);
    }

    #[test]
    fn a_failing_store_says_so() {
        for steps in 0..3 {
            let host = Host::with_a_key();
            host.store.fail_after(steps);
            let path = format!("/tokens/{}", key(0).id().as_str());
            let outcome = host.call("DELETE", &path, ADMIN, "");
            assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
        }
    }
}
