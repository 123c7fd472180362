//! `GET /tokens`: the keys there are, page by page.

use gateway::{Error, KeyId, Record, Reply};
use http::StatusCode;
use serde::Serialize;

use crate::Act;
use crate::info::Info;
use crate::query;

/// Keys on a page, unless fewer or more are asked for.
const USUAL: u64 = 50;
const MOST: u64 = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    data: Vec<Info<'a>>,
    /// Where the next page begins; `null` at the end.
    next_cursor: Option<&'a str>,
    /// Keys of this page whose records cannot be read, of whatever team they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'a str>,
}

/// What the store has after a place.
struct Found {
    records: Vec<Record>,
    unreadable: Vec<KeyId>,
}

/// Lists keys in the order of their ids, which is no order of time but stays the same.
pub(crate) fn list(act: &mut Act<'_>) -> Result<Reply, Error> {
    act.entry.action = Some("list");
    act.require_admin()?;
    let [team_id, limit, cursor] = query::read(act.call, ["teamId", "limit", "cursor"])?;
    let limit = limit.map_or(Ok(USUAL), |limit| query::parse("limit", limit))?;
    if !(1..=MOST).contains(&limit) {
        return Err(Error::invalid_param("limit", "`limit` must be between 1 and 200"));
    }
    let team_id = team_id.map(decoded);
    let after = cursor.map(|cursor| KeyId::parse(cursor).ok_or_else(no_cursor)).transpose()?;
    let Found { records, unreadable } = find(act, team_id.as_deref(), after.as_ref(), limit)?;
    let (page, is_more) = match usize::try_from(limit).ok().and_then(|limit| records.get(..limit)) {
        Some(page) if page.len() < records.len() => (page, true),
        _ => (records.as_slice(), false),
    };
    let next_cursor = page.last().filter(|_| is_more).map(Record::id);
    let data = page.iter().map(Info::of).collect();
    let is_here = |id: &&str| next_cursor.is_none_or(|cursor| *id <= cursor);
    let unreadable = unreadable.iter().map(KeyId::as_str).filter(is_here).collect();
    Ok(Reply::json(StatusCode::OK, &Page { data, next_cursor, unreadable }))
}

/// The records after the one of `after`, and one more than `limit`, which tells that there are more.
/// One that cannot be read keeps nobody from seeing the others.
fn find(
    act: &Act<'_>,
    team_id: Option<&str>,
    after: Option<&KeyId>,
    limit: u64,
) -> Result<Found, Error> {
    let stored = act.context.store.keys()?;
    let mut ids: Vec<KeyId> = stored.iter().filter_map(|key| KeyId::stored(key)).collect();
    ids.sort_unstable();
    let (mut records, mut unreadable) = (Vec::new(), Vec::new());
    for id in ids.into_iter().filter(|id| after.is_none_or(|after| id > after)) {
        match Record::read(act.context.store, &id) {
            Ok(Some(record)) if team_id.is_none_or(|id| record.team_id == id) => {
                records.push(record);
            }
            // Another team's, or gone since the ids were read.
            Ok(_) => {}
            Err(Error::CorruptRecord(_)) => unreadable.push(id),
            Err(error) => return Err(error),
        }
        if records.len() as u64 > limit {
            break;
        }
    }
    Ok(Found { records, unreadable })
}

fn no_cursor() -> Error {
    Error::invalid_param("cursor", "`cursor` must be the `nextCursor` of another page")
}

/// A query's value without its escapes.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'%').then(|| {
            let mut ahead = rest.clone();
            let digits = [ahead.next()?, ahead.next()?];
            let code = u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
            rest = ahead;
            Some(code)
        });
        bytes.push(match byte {
            b'+' => b' ',
            byte => escaped.flatten().unwrap_or(byte),
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gateway::{Error, Store as _};
    use serde_json::Value;

    use crate::testing::{ADMIN, Host, body};

    fn host() -> Host {
        let host = Host::default();
        for team in ["blue", "red", "blue", "grün & co"] {
            host.create(&format!(r#"{{"teamId":"{team}"}}"#));
        }
        host
    }

    fn page(host: &Host, query: &str) -> Value {
        body(&host.call("GET", &format!("/tokens{query}"), ADMIN, "").unwrap())
    }

    fn ids(page: &Value) -> Vec<String> {
        let ids = page["data"].as_array().unwrap().iter();
        ids.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn all_keys_come_page_by_page_without_their_hashes() {
        let host = host();
        let all = page(&host, "");
        assert_eq!((ids(&all).len(), &all["nextCursor"]), (4, &Value::Null));
        assert!(!all.to_string().contains("hash") && !all.to_string().contains("sk_"));
        let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
        for expected in [3, 1] {
            let page = page(&host, &query);
            assert_eq!(ids(&page).len(), expected);
            seen.extend(ids(&page));
            query = format!("?limit=3&cursor={}", page["nextCursor"].as_str().unwrap_or_default());
        }
        assert_eq!(seen, ids(&all));
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 4);
    }

    #[test]
    fn a_record_that_cannot_be_read_hides_no_other() {
        let host = host();
        let all = ids(&page(&host, ""));
        host.store.set(&format!("key:{}", all[1]), b"{").unwrap();
        for (query, expected, broken) in [
            ("", vec![0, 2, 3], vec![1]),
            ("?teamId=nobody", vec![], vec![1]),
            ("?limit=1", vec![0], vec![]),
            ("?limit=2", vec![0, 2], vec![1]),
        ] {
            let page = page(&host, query);
            let expected: Vec<&String> =
                expected.into_iter().map(|index: usize| &all[index]).collect();
            assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{query}");
            let broken: Vec<&String> = broken.into_iter().map(|index: usize| &all[index]).collect();
            let told = page.get("unreadable").cloned().unwrap_or(Value::Array(vec![]));
            assert_eq!(told, serde_json::json!(broken), "{query}");
        }
    }

    #[test]
    fn a_teams_keys_are_found() {
        let host = host();
        for (query, expected) in [
            ("?teamId=blue", 2),
            ("?teamId=bl%75e", 2),
            ("?teamId=gr%C3%BCn+%26%20co", 1),
            ("?teamId=nobody", 0),
            ("?teamId=%", 0),
        ] {
            assert_eq!(ids(&page(&host, query)).len(), expected, "{query}");
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        for query in
            ["?limit=0", "?limit=201", "?limit=x", "?cursor=x", "?page=2", "?limit=1&limit=2"]
        {
            let outcome = host().call("GET", &format!("/tokens{query}"), ADMIN, "");
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{query}");
        }
    }

    #[test]
    fn a_failing_store_says_so() {
        for steps in 0..3 {
            let host = host();
            host.store.fail_after(steps);
            let outcome = host.call("GET", "/tokens", ADMIN, "");
            assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
        }
    }
}
