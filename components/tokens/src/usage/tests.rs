use gateway::limits::account::Account;
use gateway::limits::amount::Usd;
use gateway::limits::counters::Counters as _;
use gateway::{Error, Store as _, Team};
use serde_json::{Value, json};

use super::*;
use crate::testing::{ADMIN, Host, body, key};

/// Counts `amount` of every metric for the key `index` on a day.
fn count(host: &Host, index: u8, day: &str, amount: i64) {
    let team = Team::find(&*host.store, &key(index), &host.now()).unwrap();
    let account = Account::new(&team, None);
    for metric in Metric::ALL {
        host.store.increment(&account.usage().counter(day, metric), amount).unwrap();
    }
}

fn get(host: &Host, query: &str) -> Value {
    body(&host.send("GET", &format!("/tokens/usage{query}"), ADMIN, "").unwrap())
}

/// Returns period, team and requests of every row.
fn rows(page: &Value) -> Vec<(String, String, i64)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let row =
        |row: &Value| (text(row, "period"), text(row, "teamId"), row["requests"].as_i64().unwrap());
    page["data"].as_array().unwrap().iter().map(row).collect()
}

fn expected(rows: &[(&str, &str, i64)]) -> Vec<(String, String, i64)> {
    rows.iter()
        .map(|(period, team, count)| ((*period).to_owned(), (*team).to_owned(), *count))
        .collect()
}

/// Creates a host with use of the team `blue` on three days and of `red` on one. The time is 2026-01-01.
fn host() -> Host {
    let host = Host::default();
    host.create(r#"{"teamId":"blue"}"#);
    host.create(r#"{"teamId":"red, inc"}"#);
    for (index, day, amount) in
        [(0, "20251231", 1), (0, "20260101", 2), (0, "20260102", 4), (1, "20260101", 8)]
    {
        count(&host, index, day, amount);
    }
    host
}

#[test]
fn usage_by_day_and_by_month() {
    let host = host();
    for (query, wanted) in [
        ("?team=blue", &[("2026-01-01", "blue", 2)][..]),
        (
            "?team=blue&from=2026-01&to=2026-01",
            &[("2026-01-01", "blue", 2), ("2026-01-02", "blue", 4)],
        ),
        (
            "?team=blue&from=2025-12-31&to=2026-01-01",
            &[("2025-12-31", "blue", 1), ("2026-01-01", "blue", 2)],
        ),
        (
            "?team=blue&from=2025-12&to=2026-02&by=month",
            &[("2025-12", "blue", 1), ("2026-01", "blue", 6)],
        ),
        ("?team=red,+inc", &[("2026-01-01", "red, inc", 8)]),
        ("?team=nobody", &[]),
        ("?from=2024-01&to=2024-02", &[]),
    ] {
        assert_eq!(rows(&get(&host, query)), expected(wanted), "{query}");
    }
    let first = &get(&host, "?team=blue")["data"][0];
    let wanted = json!({
        "period": "2026-01-01", "teamId": "blue", "key": key(0).id().as_str(), "requests": 2,
        "inputTokens": 2, "outputTokens": 2, "cachedTokens": 2, "cacheWriteTokens": 2,
        "reasoningTokens": 2, "costUsd": "0.000000002",
    });
    assert_eq!(*first, wanted);
    assert_eq!(get(&host, "")["totals"]["requests"], 10);
}

#[test]
fn usage_pages_through_all_rows() {
    let host = host();
    let (mut seen, mut query) = (Vec::new(), "?from=2025-12&to=2026-01&limit=3".to_owned());
    let base = query.clone();
    for count in [3, 1] {
        let page = get(&host, &query);
        assert_eq!(rows(&page).len(), count);
        seen.extend(rows(&page));
        let cursor = page["nextCursor"].as_str().unwrap_or_default().replace(' ', "%20");
        query = format!("{base}&cursor={cursor}");
    }
    seen.sort();
    assert_eq!(seen, rows_of_all(&host));
}

fn rows_of_all(host: &Host) -> Vec<(String, String, i64)> {
    let mut all = rows(&get(host, "?from=2025-12&to=2026-01"));
    all.sort();
    all
}

#[test]
fn usage_of_a_rotated_or_revoked_key_remains() {
    let host = host();
    host.send("POST", &format!("/tokens/{}/refresh", key(0).reveal()), "", "").unwrap();
    count(&host, 2, "20260101", 100);
    // By the id of the new key, which knows its lineage.
    let query = format!("?key={}", key(2).id().as_str());
    assert_eq!(rows(&get(&host, &query)), expected(&[("2026-01-01", "blue", 102)]));
    host.send("DELETE", &format!("/tokens/{}", key(2).id().as_str()), ADMIN, "").unwrap();
    assert_eq!(rows(&get(&host, "?team=blue")), expected(&[("2026-01-01", "blue", 102)]));
    let query = format!("?key={}", key(0).id().as_str());
    assert_eq!(rows(&get(&host, &query)), expected(&[("2026-01-01", "blue", 102)]));
}

#[test]
fn usage_as_csv_names_the_next_page() {
    let host = host();
    let headers = [("authorization", ADMIN), ("accept", "text/csv")];
    let response = host
        .send_with("GET", "/tokens/usage?from=2025-12&to=2026-01&limit=2", &headers, "")
        .unwrap();
    assert_eq!(response.headers.get_str("content-type"), Some("text/csv; charset=utf-8"));
    assert!(response.headers.get_str("x-next-cursor").is_some());
    let text = String::from_utf8(response.body).unwrap();
    let id = key(0).id().as_str().to_owned();
    assert!(
        text.contains(&format!("2025-12-31,\"blue\",{id},1,1,1,1,1,1,0.000000001\r\n")),
        "{text}"
    );
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn usage_with_invalid_parameter_is_400() {
    for query in [
        "?from=2026-1-1",
        "?from=yesterday",
        "?from=2026-02&to=2026-01",
        "?by=year",
        "?key=x",
        "?limit=0",
        "?limit=5001",
        "?per=model",
        "?day=2026-01-01",
    ] {
        let outcome = host().send("GET", &format!("/tokens/usage{query}"), ADMIN, "");
        assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{query}");
    }
}

#[test]
fn usage_without_counters_says_so() {
    let host = host();
    host.store.remove_counters();
    let outcome = host.send("GET", "/tokens/usage", ADMIN, "");
    assert!(matches!(outcome, Err(Error::Configuration(_))), "{outcome:?}");
}

#[test]
fn own_usage_shows_the_key_and_its_limits() {
    let host = Host::default();
    host.create(
        r#"{"teamId":"blue","limits":{"requestsPerMinute":2,"budgets":[{"unit":"usd","amount":"0.5","window":"month"}]}}"#,
    );
    host.create(r#"{"teamId":"red"}"#);
    host.send("PUT", "/tokens/teams/blue", ADMIN, r#"{"limits":{"parallelRequests":3}}"#).unwrap();
    count(&host, 0, "20260101", 5);
    count(&host, 1, "20260101", 7);
    let bearer = format!("Bearer {}", key(0).reveal());
    let own = body(&host.send("GET", "/tokens/self/usage", &bearer, "").unwrap());
    assert_eq!((&own["today"]["requests"], &own["teamId"]), (&json!(5), &json!("blue")));
    assert_eq!(
        own["limits"],
        json!([
            {"limit": "key requests/minute", "amount": 2, "used": 0, "resetsAt": "2026-01-01T00:02:00.000Z", "reached": false},
            {"limit": "key usd/month", "amount": "0.5", "used": "0", "resetsAt": "2026-02-01T00:00:00.000Z", "reached": false},
            {"limit": "team requests in flight", "amount": 3, "used": 0, "reached": false},
        ])
    );
    assert!(!own.to_string().contains("sk_") && !own.to_string().contains(key(1).id().as_str()));
    for credential in ["", ADMIN, "Bearer sk_1"] {
        let error = host.send("GET", "/tokens/self/usage", credential, "").unwrap_err();
        assert_eq!(error.shape().status, 401, "{credential}");
    }
}

#[test]
fn explain_names_the_limit_that_refuses() {
    let mut host = Host::default();
    host.limited_models = r#"{"*":"small"}"#;
    let question = r#"{"provider":"openai","model":"gpt-4o"}"#;
    let elsewhere = r#"{"provider":"azure","model":"gpt-4o"}"#;
    for (mode, question, used, allowed, rule, sent) in [
        ("block", question, 0, true, "unrestricted", Some("gpt-4o")),
        ("block", question, 10, false, "limits: key usd/day", None),
        ("limit", question, 10, true, "unrestricted", Some("small")),
        ("audit", question, 10, true, "unrestricted", Some("gpt-4o")),
        ("block", elsewhere, 0, false, "prices: key usd/day has none", None),
        ("audit", elsewhere, 0, true, "unrestricted", Some("gpt-4o")),
    ] {
        let limits = format!(
            r#"{{"budgets":[{{"unit":"usd","amount":"0.00000001","window":"day","onExceeded":"{mode}"}}]}}"#
        );
        let created = host.create(&format!(r#"{{"teamId":"blue","limits":{limits}}}"#));
        let id = created["id"].as_str().unwrap();
        host.store.increment(&format!("n:b:20260101:usd:k{id}"), used).unwrap();
        let path = format!("/tokens/{id}/explain");
        let verdict = body(&host.send("POST", &path, ADMIN, question).unwrap());
        assert_eq!(
            (
                verdict["allowed"].as_bool().unwrap(),
                verdict["rule"].as_str().unwrap(),
                verdict["sentModel"].as_str()
            ),
            (allowed, rule, sent),
            "{mode} {question} {used}"
        );
        assert_eq!(verdict["limits"][0]["used"], Usd(used).to_string());
    }
}

#[test]
fn list_deletes_counters_of_windows_that_have_long_ended() {
    let host = host();
    let names = [
        "n:b:20251101:usd:k1",
        "n:b:20251230:usd:k1",
        "n:b:202510:usd:k1",
        "n:b:202511:usd:k1",
        "n:u:20241101:t:k:input",
        "n:u:20251101:t:k:input",
        "n:r:req:k1:0",
    ];
    for name in names {
        host.store.increment(name, 1).unwrap();
    }
    host.send("GET", "/tokens", ADMIN, "").unwrap();
    let kept = names.map(|name| host.store.get(name).unwrap().is_some());
    assert_eq!(kept, [false, true, false, true, false, true, true]);
}
