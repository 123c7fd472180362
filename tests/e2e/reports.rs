//! What reports say of counted requests, from SQLite's counters and from Redis's.

use std::time::{Duration, SystemTime};

use gateway_host::Clock;
use serde_json::{Value, json};
use support::redis::Redis;
use support::{App, Client, Config, run};

use crate::clients::eventually_async;
use crate::settlement::{PRICES, settled};

const METRICS_TOKEN: &str = "metrics-token-of-the-tests-0123456789";

/// Returns noon of a day.
fn noon() -> SystemTime {
    humantime::parse_rfc3339("2028-03-10T12:00:00Z").unwrap()
}

async fn get(app: &App, target: &str) -> Value {
    let response = app.admin("GET", target, "").await.unwrap();
    assert_eq!(response.status, 200, "{target}: {}", response.text());
    response.json()
}

async fn metrics(app: &App) -> String {
    let request = Client::request("GET", "/metrics")
        .header("authorization", format!("Bearer {METRICS_TOKEN}"));
    let response = app.client().send(request).await.unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    response.text()
}

/// Checks all reports in a store that `config` names, on the day of the use and when it is long over.
async fn check_reports(config: Config) {
    let clock = Clock::new(noon());
    let config = config.with("metrics_token", METRICS_TOKEN).with("prices", PRICES);
    let app = App::start(config.clock(&clock)).await.unwrap();
    let budget = json!({"budgets": [{"unit": "tokens", "amount": 84, "window": "month"}]});
    let limits = json!({"limits": budget}).to_string();
    let put = app.admin("PUT", "/tokens/teams/blue", &limits).await.unwrap();
    assert_eq!(put.status, 200, "{}", put.text());
    let (key, id) = app.limited_key("blue", budget).await.unwrap();
    app.key("unused").await.unwrap();
    for requests in 1..=2 {
        let draft = crate::router::chat(&key, "openai/gpt-4o", false);
        assert_eq!(app.client().send(draft).await.unwrap().status, 200);
        settled(&app, &id, requests).await;
    }
    // It is written after the counters.
    eventually_async(async || {
        get(&app, &format!("/tokens/{id}")).await["lastUsed"] == "2028-03-10"
    })
    .await;
    let listed = get(&app, "/tokens?prefix=UNU").await;
    let listed = listed["data"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["counted"]), (1, &json!(false)));
    assert!(listed[0].get("lastUsed").is_none(), "{listed:?}");

    for days in [0, 1, 3, 3, 60, 500] {
        clock.set(noon() + Duration::from_hours(24 * days));
        let usage = get(&app, "/tokens/usage?per=team&from=2028-03&to=2028-03").await;
        if days < 400 {
            assert_eq!(usage["totals"]["requests"], 2, "after {days} days");
            assert_eq!(usage["data"][0]["outputTokens"], 24, "after {days} days");
            assert!(usage["data"][0].get("key").is_none(), "{usage}");
        }
        let text = metrics(&app).await;
        for line in [
            "gateway_requests_total{team=\"blue\"} 2\n",
            "gateway_tokens_total{team=\"blue\",kind=\"input\"} 18\n",
            "gateway_cost_usd_total{team=\"blue\"} 0.000066\n",
        ] {
            assert!(text.contains(line), "after {days} days: {line}{text}");
        }
        let share = if days < 22 { "0.5000" } else { "0.0000" };
        let line = |key: &str| {
            format!(
                "gateway_budget_used_ratio{{team=\"blue\",key=\"{key}\",unit=\"tokens\",window=\"month\",on_exceeded=\"block\"}} {share}\n"
            )
        };
        assert!(text.contains(&line("")) && text.contains(&line(&id)), "{text}");
        let teams = get(&app, "/tokens/teams?view=use&days=31").await;
        assert_eq!(teams["data"][0]["teamId"], "blue");
        assert_eq!(teams["data"][0]["keys"], 1);
        let used = &teams["data"][0]["budgets"][0]["used"];
        assert_eq!(*used, if days < 22 { 42 } else { 0 }, "after {days} days");
        let chart = teams["data"][0]["days"].as_array().unwrap().len();
        assert_eq!(chart, usize::from(days < 31), "after {days} days");
    }
}

#[test]
fn reports_of_sqlite_stay_the_same_when_days_end() {
    run(check_reports(Config::default()));
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be visible in the output")]
fn reports_of_redis_stay_the_same_when_days_end() {
    let Some(redis) = Redis::start() else {
        eprintln!("skipped: redis-server is not installed");
        return;
    };
    run(check_reports(redis.config()));
}
