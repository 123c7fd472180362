//! Limits under many concurrent requests, on two gateways with one Redis, and when a gateway dies.

use std::io::BufRead as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use support::client::Draft;
use support::redis::Redis;
use support::{App, Client, Config, run};

use crate::clients::eventually_async;
use crate::settlement::{PRICES, used};

/// A text of 36 bytes, which is estimated as the nine tokens that the simulated provider reports.
const TEXT: &str = "a text of exactly 36 bytes, no less.";

/// The tokens of a request with [`TEXT`], reserved and reported.
const TOKENS: i64 = 21;

/// Set in the process of a test that starts a gateway in order to be killed.
const CHILD: &str = "E2E_GATEWAY_TO_KILL";

fn chat(key: &str, is_stream: bool, fault: &str) -> Draft {
    let messages = json!([{"role": "user", "content": TEXT}]);
    let body =
        json!({"model": "gpt-4o", "max_tokens": 12, "stream": is_stream, "messages": messages});
    Client::post("/openai/chat/completions", &body).key(key).header("x-simulate", fault)
}

fn tokens(amount: i64) -> Value {
    json!({"budgets": [{"unit": "tokens", "amount": amount, "window": "day"}]})
}

/// Returns what is used of the first limit of a key.
async fn level(app: &App, key: &str) -> i64 {
    let request = Client::request("GET", "/tokens/self/usage").key(key);
    app.client().send(request).await.unwrap().json()["limits"][0]["used"].as_i64().unwrap()
}

/// Starts a Redis server, or says that the test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test must be visible in the output")]
fn redis() -> Option<Redis> {
    let redis = Redis::start();
    if redis.is_none() {
        eprintln!("skipped: redis-server is not installed");
    }
    redis
}

#[test]
fn requests_at_once_on_two_gateways_exceed_a_budget_by_at_most_one() {
    let Some(redis) = redis() else { return };
    run(async {
        let apps =
            [App::start(redis.config()).await.unwrap(), App::start(redis.config()).await.unwrap()];
        let (key, id) = apps[0].limited_key("at once", tokens(20 * TOKENS)).await.unwrap();
        let send = async |index: usize| {
            let app = &apps[index % 2];
            app.client().send(chat(&key, index.is_multiple_of(4), "")).await.unwrap()
        };
        let responses = join_all((0..200).map(send)).await;
        let served = responses.iter().filter(|response| response.status == 200).count();
        assert!((20..=21).contains(&served), "{served}");
        for refused in responses.iter().filter(|response| response.status != 200) {
            assert_eq!((refused.status, refused.code().as_str()), (429, "insufficient_quota"));
        }
        let served = i64::try_from(served).unwrap();
        eventually_async(async || used(&apps[0], &id).await == (served, 9 * served, 12 * served))
            .await;
        eventually_async(async || level(&apps[1], &key).await == served * TOKENS).await;
    });
}

#[test]
fn what_is_counted_is_what_was_seen_when_half_of_the_clients_disconnect() {
    let Some(redis) = redis() else { return };
    run(async {
        let apps =
            [App::start(redis.config()).await.unwrap(), App::start(redis.config()).await.unwrap()];
        let (key, id) = apps[0].limited_key("half", tokens(1_000_000)).await.unwrap();
        let send = async |index: u64| {
            let client = apps[usize::from(index % 4 > 1)].client();
            let mut connection = client.connect().await.unwrap();
            let draft = chat(&key, true, "chunk_delay=4");
            let Ok(mut response) = connection.open(draft).await else { return };
            // Every other client leaves after a time of its own, which may be after the end.
            let patience = if index.is_multiple_of(2) {
                Duration::from_millis(index % 60)
            } else {
                Duration::from_mins(1)
            };
            let _ = tokio::time::timeout(patience, async {
                while let Some(Ok(_)) = response.body_mut().frame().await {}
            })
            .await;
        };
        join_all((0..100).map(send)).await;
        eventually_async(async || used(&apps[0], &id).await.0 == 100).await;
        let (_, input, output) = used(&apps[0], &id).await;
        // What each gateway has logged of each request: all of it is counted, in every counter.
        let logs =
            apps.iter().flat_map(|app| app.log().lines().map(str::to_owned).collect::<Vec<_>>());
        let entries: Vec<Value> =
            logs.filter_map(|line| serde_json::from_str(&line).ok()).collect();
        let sum = |name: &str| entries.iter().filter_map(|entry| entry[name].as_i64()).sum::<i64>();
        assert_eq!((input, output), (sum("input_tokens"), sum("output_tokens")));
        assert_eq!(level(&apps[1], &key).await, input + output);
        let complete = entries.iter().filter(|entry| entry["output_tokens"] == 12).count();
        assert!((50..100).contains(&complete), "{complete} of 100 have read to the end");
    });
}

#[test]
fn large_maxima_do_not_refuse_requests_while_a_budget_is_hardly_used() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let (key, id) = app.limited_key("agents", tokens(1000 * TOKENS)).await.unwrap();
        for _ in 0..10 {
            assert_eq!(app.client().send(chat(&key, false, "")).await.unwrap().status, 200);
        }
        eventually_async(async || used(&app, &id).await.0 == 10).await;
        let messages = json!([{"role": "user", "content": TEXT}]);
        let body =
            json!({"model": "gpt-4o", "max_tokens": 64_000, "stream": true, "messages": messages});
        let agent = async |_| {
            let draft = Client::post("/openai/chat/completions", &body).key(&key);
            app.client().send(draft.header("x-simulate", "chunk_delay=5")).await.unwrap().status
        };
        assert_eq!(join_all((0..10).map(agent)).await, [200; 10]);
    });
}

#[test]
fn requests_in_flight_are_limited_over_two_gateways() {
    let Some(redis) = redis() else { return };
    run(async {
        let apps =
            [App::start(redis.config()).await.unwrap(), App::start(redis.config()).await.unwrap()];
        let (key, id) =
            apps[0].limited_key("flight", json!({"parallelRequests": 2})).await.unwrap();
        let mut open = Vec::new();
        for app in &apps {
            let mut connection = app.client().connect().await.unwrap();
            let response = connection.open(chat(&key, true, "gate=flight")).await.unwrap();
            assert_eq!(response.status(), 200);
            open.push((connection, response));
        }
        let refused = apps[0].client().send(chat(&key, false, "")).await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limit_exceeded"));
        assert_eq!(refused.headers["retry-after"], "1");
        for app in &apps {
            app.simulator.open_gate("flight");
        }
        for (_, response) in &mut open {
            while let Some(Ok(_)) = response.body_mut().frame().await {}
        }
        eventually_async(async || used(&apps[0], &id).await.0 == 2).await;
        assert_eq!(apps[1].client().send(chat(&key, false, "")).await.unwrap().status, 200);
    });
}

#[test]
fn store_that_cannot_count_is_503_for_limited_keys_only() {
    let Some(redis) = redis() else { return };
    run(async {
        let app = App::start(redis.config()).await.unwrap();
        let (limited, _) = app.limited_key("counts", tokens(1_000_000)).await.unwrap();
        let plain = app.key("plain").await.unwrap();
        // It still reads, but takes no more writes.
        redis.configure("maxmemory-policy", "noeviction");
        redis.configure("maxmemory", "1");
        let refused = app.client().send(chat(&limited, false, "")).await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (503, "store_unavailable"));
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(app.client().send(chat(&plain, false, "")).await.unwrap().status, 200);
        redis.configure("maxmemory", "0");
        // One that fails between reservation and settlement is logged with the amounts.
        let mut connection = app.client().connect().await.unwrap();
        let mut response = connection.open(chat(&limited, true, "gate=down")).await.unwrap();
        redis.configure("maxmemory", "1");
        app.simulator.open_gate("down");
        while let Some(Ok(_)) = response.body_mut().frame().await {}
        eventually_async(async || app.log().contains(r#""unsettled":"#)).await;
        let log = app.log();
        let line = log.lines().find(|line| line.contains("unsettled")).unwrap();
        let entry: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&entry["level"], &entry["fault"]), (&json!("error"), &json!("gateway")));
        assert!(line.contains(", input 9, "), "{line}");
        redis.configure("maxmemory", "0");
        assert_eq!(level(&app, &limited).await, TOKENS, "what was reserved stands");
    });
}

#[test]
fn killed_gateway_leaves_nothing_uncounted() {
    if let Ok(store) = std::env::var(CHILD) {
        return serve_until_killed(&store);
    }
    let Some(redis) = redis() else { return };
    run(async {
        let app = App::start(redis.config().with("prices", PRICES)).await.unwrap();
        let (key, _) = app.limited_key("killed", tokens(1_000_000)).await.unwrap();
        let config = redis.file();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "concurrency::killed_gateway_leaves_nothing_uncounted",
                "--nocapture",
            ])
            .env(CHILD, config)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let address =
            lines.find_map(|line| line.unwrap().split("at ").nth(1).map(str::to_owned)).unwrap();
        let mut connection = Client::new(address.trim().parse().unwrap()).connect().await.unwrap();
        // A response that becomes much longer than what was reserved.
        let draft = chat(&key, true, "chunks=100000,chunk_delay=1");
        let mut response = connection.open(draft).await.unwrap();
        let mut text = String::new();
        while text.matches("token ").count() < 100 {
            let frame = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
            text.push_str(&String::from_utf8_lossy(&frame));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let bytes = text.matches("token ").count() * "token ".len();
        let seen = i64::try_from(bytes / 4).unwrap();
        let counted = level(&app, &key).await;
        assert!(counted >= 9 + seen, "{counted} of {seen} output tokens");
    });
}

/// Serves an app with the store of `config` until the process is killed.
#[expect(clippy::print_stdout, reason = "the parent process reads the address")]
fn serve_until_killed(config: &str) {
    run(async {
        let store = Config::default().store(std::path::Path::new(config));
        let app = App::start(store).await.unwrap();
        println!("at {}", app.address);
        std::future::pending::<()>().await;
    });
}
