//! `DELETE /tokens/{id}`: revokes a key, effective from the next request.

use gateway::{Error, KeyId, Record, Response};
use http::StatusCode;
use serde::Serialize;

use crate::{Action, query};

/// The response to a revocation after which keys of the same lineage are left, or were revoked, too.
#[derive(Serialize)]
struct Revocation<'a> {
    /// The ids of the keys that were revoked.
    revoked: Vec<&'a str>,
    /// The ids of the keys of the same lineage that remain.
    remaining: Vec<&'a str>,
}

/// Revokes the key `id`, and with `?lineage=true` all keys that were rotated from the same first key.
///
/// A thief may have rotated a stolen key: the response names the keys that remain.
pub(crate) fn revoke(action: &mut Action<'_>, id: &str) -> Result<Response, Error> {
    action.entry.action = Some("revoke");
    let id = action.require_admin_for(id)?;
    let is_whole_lineage = read_lineage(action)?;
    let store = action.context.store;
    // A key with an unreadable record can be revoked, too.
    let exists = store.get(&id.store_key())?.is_some();
    // Before anything else, so that no failure of what follows keeps the key valid.
    let record = if exists { Record::revoke(store, &id, &action.now())? } else { None };
    let Some(lineage) = find_lineage(action, &id, record.as_ref())? else {
        return respond(action, &id, exists, is_whole_lineage, &[]);
    };
    let relatives = if is_whole_lineage {
        revoke_all(action, &id, &lineage)?
    } else {
        relatives_of(action, &id, &lineage)?
    };
    respond(action, &id, exists, is_whole_lineage, &relatives)
}

/// Revokes all keys of a lineage but the key `id`, and returns them.
///
/// A key may be rotated while the store is searched. A rotation that ends after the note on its key undoes
/// itself; the successor of an earlier one is found by the next search.
fn revoke_all(action: &Action<'_>, id: &KeyId, lineage: &str) -> Result<Vec<Record>, Error> {
    let store = action.context.store;
    let mut revoked = Vec::new();
    let mut searches_without_a_key = 0;
    while searches_without_a_key < 2 {
        let mut found = relatives_of(action, id, lineage)?;
        searches_without_a_key = if found.is_empty() { searches_without_a_key + 1 } else { 0 };
        for relative in &found {
            Record::revoke(store, &relative.key_id(), &action.now())?;
        }
        revoked.append(&mut found);
    }
    Ok(revoked)
}

/// Responds with what was revoked and what remains.
fn respond(
    action: &Action<'_>,
    id: &KeyId,
    exists: bool,
    is_whole_lineage: bool,
    relatives: &[Record],
) -> Result<Response, Error> {
    let now = action.now();
    let own = exists.then_some(id.as_str());
    let ids = relatives.iter().map(Record::id);
    let (revoked, remaining): (Vec<&str>, Vec<&str>) = if is_whole_lineage {
        (own.into_iter().chain(ids).collect(), Vec::new())
    } else {
        let is_left = |record: &&Record| record.expires_at.as_ref().is_none_or(|end| now < *end);
        (own.into_iter().collect(), relatives.iter().filter(is_left).map(Record::id).collect())
    };
    match (revoked.as_slice(), remaining.last()) {
        ([], Some(newest)) => Err(Error::Replaced { id: (*newest).to_owned() }),
        ([], None) => Err(Error::UnknownKeyId),
        ([_], None) if !is_whole_lineage => Ok(Response::no_content()),
        _ => Ok(Response::json(StatusCode::OK, &Revocation { revoked, remaining })),
    }
}

/// Reads whether all keys of the lineage are to be revoked.
fn read_lineage(action: &Action<'_>) -> Result<bool, Error> {
    match query::read_params(&action.request.head, ["lineage"])? {
        [None | Some("false")] => Ok(false),
        [Some("true")] => Ok(true),
        [Some(_)] => Err(Error::invalid_param("lineage", "`lineage` must be `true` or `false`")),
    }
}

/// Finds the lineage of the key `id`, whose record was `record` if it had a readable one. A key that was
/// never rotated is alone in its lineage, and needs no search.
fn find_lineage(
    action: &Action<'_>,
    id: &KeyId,
    record: Option<&Record>,
) -> Result<Option<String>, Error> {
    match record {
        Some(record) if record.lineage.is_none() && record.replaced_by.is_none() => Ok(None),
        Some(record) => Ok(Some(record.lineage().to_owned())),
        // Without a record, a successor of the key says which lineage it was of.
        None => {
            let others = read_others(action, id)?;
            let successor = others.iter().find(|other| is_successor(other, id.as_str()));
            Ok(successor.map(|successor| successor.lineage().to_owned()))
        }
    }
}

/// Returns the stored keys of a lineage but the key `id`, the oldest first.
fn relatives_of(action: &Action<'_>, id: &KeyId, lineage: &str) -> Result<Vec<Record>, Error> {
    let mut relatives = read_others(action, id)?;
    relatives.retain(|other| other.lineage() == lineage);
    relatives.sort_by(|one, other| one.rotated_at.cmp(&other.rotated_at));
    Ok(relatives)
}

/// Reads all records but that of the key `id`.
fn read_others(action: &Action<'_>, id: &KeyId) -> Result<Vec<Record>, Error> {
    let store = action.context.store;
    let mut others = Vec::new();
    for other in store.keys()?.iter().filter_map(|key| KeyId::stored(key)).filter(|it| it != id) {
        match Record::read(store, &other) {
            Ok(record) => others.extend(record),
            // One unreadable record must not hide the others.
            Err(Error::CorruptRecord(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(others)
}

/// Checks whether `other` was rotated from the key `id`, directly or not.
fn is_successor(other: &Record, id: &str) -> bool {
    other.lineage.as_deref() == Some(id)
        || other.replaces.as_deref() == Some(id)
        || other.earlier.iter().any(|earlier| earlier == id)
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Store as _, Team};

    use crate::testing::{ADMIN, Host, NOW, body, key};

    #[test]
    fn revoke_makes_the_key_invalid() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}", key(0).id().as_str());
        let response = host.send("DELETE", &path, ADMIN, "").unwrap();
        assert_eq!((response.status.as_u16(), response.body.len()), (204, 0));
        assert!(matches!(Team::find(&*host.store, &key(0), NOW), Err(Error::InvalidKey)));
        assert!(matches!(host.send("DELETE", &path, ADMIN, ""), Err(Error::UnknownKeyId)));
    }

    /// Rotates the key number `index`, without or with a grace period.
    fn rotate(host: &Host, index: u8, query: &str) {
        host.advance(60);
        let path = format!("/tokens/{}/refresh{query}", key(index).id().as_str());
        host.send("POST", &path, ADMIN, "").unwrap();
    }

    #[test]
    fn revoke_names_the_keys_that_remain() {
        let host = Host::with_a_key();
        rotate(&host, 0, "?graceSeconds=600");
        rotate(&host, 1, "");
        rotate(&host, 2, "");
        let ids: Vec<String> = (0..4).map(|index| key(index).id().as_str().to_owned()).collect();
        for gone in [&ids[1], &ids[2]] {
            let outcome = host.send("DELETE", &format!("/tokens/{gone}"), ADMIN, "");
            let Err(Error::Replaced { id }) = outcome else { panic!("{outcome:?}") };
            assert_eq!(id, ids[3]);
        }
        let response = host.send("DELETE", &format!("/tokens/{}", ids[0]), ADMIN, "").unwrap();
        let expected = serde_json::json!({"revoked": [ids[0]], "remaining": [ids[3]]});
        assert_eq!((response.status.as_u16(), body(&response)), (200, expected));
        assert!(Team::find(&*host.store, &key(3), &host.now()).is_ok());
    }

    #[test]
    fn revoke_of_a_lineage_leaves_no_key() {
        for index in 0..4 {
            let host = Host::with_a_key();
            let stranger = host.create(r#"{"teamId":"red"}"#);
            rotate(&host, 0, "?graceSeconds=600");
            rotate(&host, 2, "");
            let ids = [0, 2, 3, 4].map(|index| key(index).id().as_str().to_owned());
            let path = format!("/tokens/{}?lineage=true", ids[index]);
            let outcome = host.send("DELETE", &path, ADMIN, "");
            assert_eq!(outcome.is_ok(), index < 3, "{outcome:?}");
            for (index, expected) in [(0, index == 3), (1, true), (2, false), (3, index == 3)] {
                let found = Team::find(&*host.store, &key(index), &host.now());
                assert_eq!(found.is_ok(), expected, "{index}");
            }
            assert_eq!(stranger["teamId"], "red");
        }
        let host = Host::with_a_key();
        let path = format!("/tokens/{}?lineage=yes", key(0).id().as_str());
        assert!(matches!(host.send("DELETE", &path, ADMIN, ""), Err(Error::InvalidBody { .. })));
    }

    #[test]
    fn revoke_of_a_lineage_leaves_no_key_even_if_it_is_rotated_meanwhile() {
        for query in ["", "?graceSeconds=600"] {
            for generation in 0..2 {
                for step in 0..24 {
                    let host = Host::with_a_key();
                    let thief = host.sibling();
                    if generation == 1 {
                        rotate(&host, 0, "?graceSeconds=600");
                        thief.advance(60);
                    }
                    let path = format!("/tokens/{}/refresh{query}", key(generation).reveal());
                    thief.advance(60);
                    host.store.interrupt_after(step, move |_| {
                        let _ = thief.send("POST", &path, "", "");
                    });
                    let id = key(0).id();
                    let path = format!("/tokens/{}?lineage=true", id.as_str());
                    host.send("DELETE", &path, ADMIN, "").unwrap();
                    let left = host.store.keys().unwrap();
                    let left: Vec<_> = left.iter().filter(|key| key.starts_with("key:")).collect();
                    assert!(left.is_empty(), "{query} {generation} {step}: {left:?}");
                }
            }
        }
    }

    #[test]
    fn revoke_in_a_full_store_makes_the_key_invalid() {
        let host = Host::with_a_key();
        host.store.fill();
        let path = format!("/tokens/{}", key(0).id().as_str());
        assert_eq!(host.send("DELETE", &path, ADMIN, "").unwrap().status, 204);
        assert!(matches!(Team::find(&*host.store, &key(0), NOW), Err(Error::InvalidKey)));
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
