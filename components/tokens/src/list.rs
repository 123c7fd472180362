//! `GET /tokens`: lists keys, page by page.

use gateway::{Error, KeyId, Record, Response};
use http::StatusCode;
use serde::Serialize;

use crate::Action;
use crate::key_view::KeyView;
use crate::query;
use crate::sweep::sweep;

/// The default number of keys on a page.
const DEFAULT_LIMIT: u64 = 50;

/// The maximum number of keys on a page, because every key costs a read of the store.
const MAX_LIMIT: u64 = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    data: Vec<KeyView<'a>>,
    /// Id of the page's last key, after which the next page starts; `null` on the last page.
    next_cursor: Option<&'a str>,
    /// Ids on this page whose records are unreadable. Their teams are unknown, so a filter by team
    /// does not apply to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'a str>,
}

/// The most records that one request reads, so that a search for few keys among very many ends.
const MAX_READS: usize = 20_000;

/// Records read from the store, and the ids of those that cannot be read.
struct Found {
    records: Vec<Record>,
    unreadable: Vec<KeyId>,
    /// The last key that was looked at, if the search ended before the last key of all.
    stopped_at: Option<KeyId>,
}

/// Which keys are wanted.
struct Filter {
    team_id: Option<String>,
    /// The start of an id, a name or a team's id, in lower case.
    prefix: Option<String>,
}

/// Lists keys in the order of their ids.
///
/// That order says nothing about age, but it is stable: an id is a valid cursor even after its key
/// was revoked.
pub(crate) fn list(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("list");
    action.require_admin()?;
    let [team_id, prefix, limit, cursor] =
        query::read_params(&action.request.head, ["teamId", "prefix", "limit", "cursor"])?;
    let limit = query::parse_limit(limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let filter = Filter {
        team_id: team_id.map(query::decode),
        prefix: prefix.map(|prefix| query::decode(prefix).to_lowercase()),
    };
    let after = cursor.map(|cursor| KeyId::parse(cursor).ok_or_else(invalid_cursor)).transpose()?;
    let Found { records, unreadable, stopped_at } = find(action, &filter, after.as_ref(), limit)?;
    let (page, is_more) = match records.get(..limit) {
        Some(page) if page.len() < records.len() => (page, true),
        _ => (records.as_slice(), false),
    };
    let stopped_at = stopped_at.as_ref().map(KeyId::as_str);
    let next_cursor = page.last().filter(|_| is_more).map(Record::id).or(stopped_at);
    let data = page.iter().map(|record| KeyView::new(record).with_use(record, action));
    let data = data.collect::<Result<_, _>>()?;
    // Ids behind the cursor belong to the next page, which reports them again.
    let is_here = |id: &&str| next_cursor.is_none_or(|cursor| *id <= cursor);
    let unreadable = unreadable.iter().map(KeyId::as_str).filter(is_here).collect();
    Ok(Response::json(StatusCode::OK, &Page { data, next_cursor, unreadable }))
}

/// Finds the records after the id `after`, at most one more than `limit`: the extra one shows that
/// there is another page.
///
/// An unreadable record is reported, not an error: it must not hide the other keys.
fn find(
    action: &Action<'_>,
    filter: &Filter,
    after: Option<&KeyId>,
    limit: usize,
) -> Result<Found, Error> {
    let stored = action.context.store.keys()?;
    sweep(action, &stored);
    let ids = stored.iter().filter_map(|key| KeyId::stored(key));
    let mut ids: Vec<KeyId> = ids.filter(|id| after.is_none_or(|after| id > after)).collect();
    ids.sort_unstable();
    let mut found = Found { records: Vec::new(), unreadable: Vec::new(), stopped_at: None };
    let is_cut = ids.len() > MAX_READS;
    ids.truncate(MAX_READS);
    let last = ids.last().filter(|_| is_cut).cloned();
    for id in ids {
        match Record::read(action.context.store, &id) {
            Ok(Some(record)) if filter.includes(&record) => found.records.push(record),
            // Another team's key, or one revoked since the ids were read.
            Ok(_) => {}
            Err(Error::CorruptRecord(_)) => found.unreadable.push(id),
            Err(error) => return Err(error),
        }
        if found.records.len() > limit {
            return Ok(found);
        }
    }
    Ok(Found { stopped_at: last, ..found })
}

impl Filter {
    fn includes(&self, record: &Record) -> bool {
        let starts = |prefix: &String| {
            let names = [record.id(), &record.name, &record.team_id];
            names.iter().any(|name| name.to_lowercase().starts_with(prefix.as_str()))
        };
        self.team_id.as_ref().is_none_or(|id| record.team_id == *id)
            && self.prefix.as_ref().is_none_or(starts)
    }
}

fn invalid_cursor() -> Error {
    Error::invalid_param("cursor", "`cursor` must be the `nextCursor` of the previous page")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gateway::{Error, Store as _};
    use serde_json::Value;

    use crate::testing::{ADMIN, Host, body, key};

    fn host() -> Host {
        let host = Host::default();
        for team in ["blue", "red", "blue", "grün & co"] {
            host.create(&format!(r#"{{"teamId":"{team}"}}"#));
        }
        host
    }

    fn page(host: &Host, query: &str) -> Value {
        body(&host.send("GET", &format!("/tokens{query}"), ADMIN, "").unwrap())
    }

    fn ids(page: &Value) -> Vec<String> {
        let ids = page["data"].as_array().unwrap().iter();
        ids.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn list_pages_through_all_keys_without_their_hashes() {
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
    fn list_with_unreadable_record_shows_the_others() {
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
            let reported = page.get("unreadable").cloned().unwrap_or(Value::Array(vec![]));
            assert_eq!(reported, serde_json::json!(broken), "{query}");
        }
    }

    #[test]
    fn list_by_team_or_prefix_returns_its_keys() {
        let host = host();
        let path = format!("/tokens/{}", key(3).id().as_str());
        host.send("PATCH", &path, ADMIN, r#"{"name":"Team key"}"#).unwrap();
        for (query, expected) in [
            ("?teamId=blue", 2),
            ("?teamId=bl%75e", 2),
            ("?teamId=gr%C3%BCn+%26%20co", 1),
            ("?teamId=nobody", 0),
            ("?teamId=%", 0),
            ("?prefix=BL", 2),
            ("?prefix=gr%C3%BC", 1),
            ("?prefix=team", 1),
            ("?prefix=red&teamId=blue", 0),
            (&format!("?prefix={}", &key(1).id().as_str()[..8]), 1),
        ] {
            assert_eq!(ids(&page(&host, query)).len(), expected, "{query}");
        }
    }

    #[test]
    fn list_with_invalid_parameter_is_400() {
        for query in
            ["?limit=0", "?limit=201", "?limit=x", "?cursor=x", "?page=2", "?limit=1&limit=2"]
        {
            let outcome = host().send("GET", &format!("/tokens{query}"), ADMIN, "");
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{query}");
        }
    }

    #[test]
    fn list_with_failing_store_is_503() {
        for steps in 0..3 {
            let host = host();
            host.store.fail_after(steps);
            let outcome = host.send("GET", "/tokens", ADMIN, "");
            assert!(matches!(outcome, Err(Error::StoreUnavailable(_))), "{steps}");
        }
    }
}
