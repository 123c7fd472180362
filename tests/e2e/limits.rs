//! Limits of keys and teams: rates, budgets, windows, rotation, and what a refused client gets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gateway_host::Clock;
use serde_json::json;
use support::client::Draft;
use support::{App, Client, Config, run};

use crate::clients::{eventually, eventually_async};
use crate::settlement::{TEXT, app, draft, kinds, levels, settled, used};

fn chat(key: &str) -> Draft {
    let messages = json!([{"role": "user", "content": TEXT}]);
    Client::post(
        "/openai/chat/completions",
        &json!({"model": "gpt-4o", "max_tokens": 12, "messages": messages}),
    )
    .key(key)
}

#[test]
fn reached_rate_is_429_in_every_dialect() {
    run(async {
        let app = app().await;
        let (key, _) = app.limited_key("rates", json!({"requestsPerMinute": 1})).await.unwrap();
        let first = app.client().send(chat(&key)).await.unwrap();
        assert_eq!(first.status, 200);
        assert_eq!(first.headers["x-ratelimit-limit-requests"], "1");
        assert_eq!(first.headers["x-ratelimit-remaining-requests"], "0");
        assert_eq!(first.headers["x-upstream-ratelimit-remaining-requests"], "9999");
        for kind in kinds() {
            let refused = app.client().send(draft(&kind, &key, "")).await.unwrap();
            assert_eq!(refused.status, 429, "{}", kind.name);
            let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
            let expected = match kind.target {
                "/anthropic/v1/messages" => json!("rate_limit_error"),
                target if target.starts_with("/google") => json!("RESOURCE_EXHAUSTED"),
                _ => json!("rate_limit_exceeded"),
            };
            let json = refused.json();
            let error = &json["error"];
            let found = [&error["code"], &error["type"], &error["status"]];
            assert!(found.contains(&&expected), "{}: {error}", kind.name);
        }
    });
}

#[test]
fn used_up_budget_is_refused_without_a_retry() {
    run(async {
        let app = app().await;
        let limits = json!({"budgets": [{"unit": "tokens", "amount": 21, "window": "month"}]});
        let (key, id) = app.limited_key("ends", limits).await.unwrap();
        assert_eq!(app.client().send(chat(&key)).await.unwrap().status, 200);
        settled(&app, &id, 1).await;
        let refused = app.client().send(chat(&key)).await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (429, "insufficient_quota"));
        assert_eq!(refused.headers["x-should-retry"], "false");
        assert!(!refused.headers.contains_key("retry-after"));
        assert!(refused.text().contains("21 tokens per month"), "{}", refused.text());
        // What names no model is still served, and the log says why the rest is not.
        let models = Client::request("GET", "/openai/models").key(&key);
        assert_eq!(app.client().send(models).await.unwrap().status, 200);
        eventually(|| app.log().contains("budget used up")).await;
    });
}

#[test]
fn model_without_a_price_is_403_for_a_budget_in_dollars() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        for (limits, status) in [
            (json!({"budgets": [{"unit": "usd", "amount": "1", "window": "day"}]}), 403),
            (
                json!({"budgets": [{"unit": "usd", "amount": "1", "window": "day", "onExceeded": "audit"}]}),
                200,
            ),
            (json!({"requestsPerMinute": 10}), 200),
        ] {
            let (key, _) = app.limited_key("prices", limits.clone()).await.unwrap();
            let response = app.client().send(chat(&key)).await.unwrap();
            assert_eq!(response.status, status, "{limits}: {}", response.text());
            assert!(status == 200 || response.code() == "model_not_priced");
        }
    });
}

#[test]
fn budget_that_limits_serves_the_models_of_limited_teams() {
    run(async {
        let app = app().await;
        for (target, model, limited) in [
            ("/openai/chat/completions", "gpt-4o", "gpt-4o-mini"),
            ("/bedrock/chat/completions", "nova-pro", "nova-micro"),
        ] {
            let budget =
                json!({"unit": "tokens", "amount": 30, "window": "day", "onExceeded": "limit"});
            let limits = json!({"budgets": [budget], "requestsPerMinute": 9});
            let (key, id) = app.limited_key("falls", limits).await.unwrap();
            let body = json!({"model": model, "max_tokens": 12, "messages": [{"role": "user", "content": TEXT}]});
            for requests in 1..=3 {
                let case = format!("{target} {requests}");
                let draft = Client::post(target, &body).key(&key).header("x-case", &case);
                let response = app.client().send(draft).await.unwrap();
                assert_eq!(response.status, 200, "{case}: {}", response.text());
                settled(&app, &id, requests).await;
                let sent = &app.simulator.received(&case)[0];
                let is_limited = sent.target.contains(limited)
                    || String::from_utf8_lossy(&sent.body).contains(limited);
                assert_eq!(is_limited, requests > 2, "{case}: {}", sent.target);
            }
            // The line is written after the counters.
            eventually(|| app.log().contains(r#""limit":"key tokens/day""#)).await;
            // The request that was tried twice counts once.
            let own = levels(&app, &key).await;
            assert_eq!(own["key requests/minute"], 3, "{target}");
        }
        let none = App::start(Config::default().with("limited_models", "")).await.unwrap();
        let budget = json!({"unit": "tokens", "amount": 1, "window": "day", "onExceeded": "limit"});
        let (key, _) = none.limited_key("falls", json!({"budgets": [budget]})).await.unwrap();
        let refused = none.client().send(chat(&key)).await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (429, "insufficient_quota"));
    });
}

#[test]
fn windows_end_with_the_clock() {
    run(async {
        let clock = Clock::new(gateway_time("2028-02-28T23:59:30Z"));
        let app = App::start(Config::default().clock(&clock)).await.unwrap();
        let budget =
            |window: &str| json!({"budgets": [{"unit": "tokens", "amount": 21, "window": window}]});
        let (daily, day_id) = app.limited_key("days", budget("day")).await.unwrap();
        let (monthly, month_id) = app.limited_key("months", budget("month")).await.unwrap();
        let (rated, _) = app.limited_key("minutes", json!({"requestsPerMinute": 2})).await.unwrap();
        let mut served = BTreeMap::new();
        for (time, expected) in [
            // Day, month and minute: whether the budget or the rate serves the request.
            ("2028-02-28T23:59:30Z", [true, true, true]),
            ("2028-02-28T23:59:31Z", [false, false, true]),
            ("2028-02-28T23:59:59.999Z", [false, false, false]),
            // The leap day. Half of a minute later the rate of the minute before has half its weight.
            ("2028-02-29T00:00:00Z", [true, false, false]),
            ("2028-02-29T00:00:31Z", [false, false, true]),
            ("2028-02-29T23:59:59.999Z", [false, false, true]),
            ("2028-03-01T00:00:00Z", [true, true, true]),
            ("2028-12-31T23:59:59Z", [true, true, true]),
            ("2029-01-01T00:00:00Z", [true, true, true]),
        ] {
            clock.set(gateway_time(time));
            for ((name, key, id), expected) in [
                ("day", &daily, &day_id),
                ("month", &monthly, &month_id),
                ("minute", &rated, &String::new()),
            ]
            .iter()
            .zip(expected)
            {
                let response = app.client().send(chat(key)).await.unwrap();
                assert_eq!(
                    response.status == 200,
                    expected,
                    "{name} at {time}: {}",
                    response.text()
                );
                if response.status == 200 && !id.is_empty() {
                    let count: &mut i64 = served.entry(*name).or_default();
                    *count += 1;
                    let target = format!("/tokens/usage?key={id}&from=2028-01&to=2029-12");
                    eventually_async(async || {
                        let page = app.admin("GET", &target, "").await.unwrap().json();
                        page["totals"]["requests"] == *count
                    })
                    .await;
                }
            }
        }
    });
}

/// Parses a time in RFC 3339.
fn gateway_time(text: &str) -> std::time::SystemTime {
    humantime::parse_rfc3339(text).unwrap()
}

#[test]
fn rotation_and_revocation_keep_what_was_used() {
    run(async {
        let app = app().await;
        let limits = json!({"budgets": [{"unit": "tokens", "amount": 42, "window": "month"}]});
        let team =
            json!({"limits": {"budgets": [{"unit": "tokens", "amount": 60, "window": "month"}]}});
        let put = app.admin("PUT", "/tokens/teams/whole%20team", &team.to_string()).await.unwrap();
        assert_eq!(put.status, 200, "{}", put.text());
        let (key, id) = app.limited_key("whole team", limits.clone()).await.unwrap();
        assert_eq!(app.client().send(chat(&key)).await.unwrap().status, 200);
        settled(&app, &id, 1).await;
        let rotated =
            app.client().send(Client::request("POST", "/tokens/refresh").key(&key)).await.unwrap();
        let new = rotated.json()["apiKey"].as_str().unwrap().to_owned();
        assert_eq!(levels(&app, &new).await["key tokens/month"], 21, "rotation keeps the use");
        assert_eq!(app.client().send(chat(&new)).await.unwrap().status, 200);
        settled(&app, &id, 2).await;
        let refused = app.client().send(chat(&new)).await.unwrap();
        assert!(refused.text().contains("this key may use 42 tokens"), "{}", refused.text());
        let new_id = rotated.json()["id"].as_str().unwrap().to_owned();
        app.admin("DELETE", &format!("/tokens/{new_id}"), "").await.unwrap();
        // The team's budget holds over all its keys, and revoking one frees nothing.
        let (other, other_id) = app.limited_key("whole team", limits).await.unwrap();
        assert_eq!(levels(&app, &other).await["team tokens/month"], 42);
        assert_eq!(app.client().send(chat(&other)).await.unwrap().status, 200);
        settled(&app, &other_id, 1).await;
        let refused = app.client().send(chat(&other)).await.unwrap();
        assert!(refused.text().contains("this team may use 60 tokens"), "{}", refused.text());
        let page = app.admin("GET", "/tokens/usage?team=whole+team", "").await.unwrap().json();
        assert_eq!(page["totals"]["requests"], 3);
    });
}

#[test]
fn requests_that_are_not_counted_make_no_calls_for_it() {
    run(async {
        let app = app().await;
        let plain = app.key("plain").await.unwrap();
        let (limited, _) =
            app.limited_key("limited", json!({"requestsPerMinute": 100})).await.unwrap();
        let operations = async |key: &str| {
            let before = app.store_operations();
            assert_eq!(app.client().send(chat(key)).await.unwrap().status, 200);
            let start = Instant::now();
            // A counted request settles after its response.
            while app.store_operations() == before + 1
                && start.elapsed() < Duration::from_millis(200)
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            app.store_operations() - before
        };
        assert_eq!(operations(&plain).await, 1);
        assert!(operations(&limited).await > 1);
    });
}

#[test]
fn setting_decides_which_requests_are_counted() {
    run(async {
        for (setting, counted, status) in
            [("all", true, 429), ("limits", false, 429), ("off", false, 200)]
        {
            let app = App::start(Config::default().with("usage", setting)).await.unwrap();
            let created = app.create("anyone").await.unwrap();
            let (key, id) = (created["apiKey"].as_str().unwrap(), created["id"].as_str().unwrap());
            assert_eq!(app.client().send(chat(key)).await.unwrap().status, 200);
            let (limited, _) =
                app.limited_key("limited", json!({"requestsPerMinute": 1})).await.unwrap();
            app.client().send(chat(&limited)).await.unwrap();
            assert_eq!(
                app.client().send(chat(&limited)).await.unwrap().status,
                status,
                "{setting}"
            );
            if counted {
                assert_eq!(settled(&app, id, 1).await, (9, 12));
            } else {
                assert_eq!(used(&app, id).await, (0, 0, 0), "{setting}");
            }
        }
    });
}
