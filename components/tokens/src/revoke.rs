//! `DELETE /tokens/{id}`: a key that opens nothing any more, from the next request on.

use gateway::{Error, Headers, Record, Reply};
use http::StatusCode;

use crate::Act;

/// Removes the key `id`.
pub(crate) fn revoke(act: &mut Act<'_>, id: &str) -> Result<Reply, Error> {
    act.entry.action = Some("revoke");
    let id = act.require_admin_of(id)?;
    act.read(&id)?;
    Record::remove(act.context.store, &id)?;
    let headers = [("cache-control", "no-store")].into_iter().collect::<Headers>();
    Ok(Reply { status: StatusCode::NO_CONTENT, headers, body: Vec::new() })
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Team};

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
