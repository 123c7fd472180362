//! The log line of a request, and the headers that lead from a response to it.

use serde_json::{Value, json};
use support::client::Draft;
use support::{App, Client, Config, Response, chat_model, providers, run};

use crate::clients::eventually;
use crate::router;

/// The length that a line stays below, so that one write has all of it.
const MAX_LINE: usize = 4096;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Starts an app in which all requests are counted, at the same price for all models.
async fn app() -> App {
    let prices = r#"{"*": {"input": "1", "output": "2"}}"#;
    App::start(Config::default().with("usage", "all").with("prices", prices)).await.unwrap()
}

/// Returns the lines of the log with this member.
fn lines(app: &App, member: &str, value: &str) -> Vec<Value> {
    let lines = app.log();
    let parsed = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    parsed.filter(|line| line[member] == value).collect()
}

/// Waits for the line of a response, and returns it.
async fn line_of(app: &App, provider: &str, response: &Response) -> Value {
    let id = response.headers["x-request-id"].to_str().unwrap().to_owned();
    let find =
        || lines(app, "request_id", &id).into_iter().find(|line| line["provider"] == provider);
    eventually(|| find().is_some()).await;
    find().unwrap()
}

fn chat(provider: &str, key: &str, is_stream: bool) -> Draft {
    let body = json!({
        "model": chat_model(provider).unwrap(), "stream": is_stream,
        "messages": [{"role": "user", "content": "one two"}],
    });
    Client::post(&format!("/{provider}/chat/completions"), &body).key(key)
}

#[test]
fn every_provider_logs_all_that_is_known_of_a_counted_request() {
    run(async {
        let app = app().await;
        let key = app.key("blue").await.unwrap();
        for provider in providers().unwrap() {
            for is_stream in [false, true] {
                let draft = chat(&provider, &key, is_stream)
                    .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
                    .header("x-case", format!("log {provider}"));
                let response = app.client().send(draft).await.unwrap();
                assert_eq!(response.status, 200, "{}", response.text());
                let line = line_of(&app, &provider, &response).await;
                assert_eq!(line["trace_id"], TRACE, "{line}");
                assert_eq!(line["operation"], "chat", "{line}");
                assert_eq!(line["finish_reason"], "stop", "{line}");
                assert!(line["input_tokens"].as_i64() > Some(0), "{line}");
                assert!(line["output_tokens"].as_i64() > Some(0), "{line}");
                assert!(line["cost_usd"].as_f64() > Some(0.0), "{line}");
                let number = |name: &str| line[name].as_u64();
                assert_eq!(line["stream"], if is_stream { json!(true) } else { Value::Null });
                assert_eq!(number("first_chunk_ms").is_some(), is_stream, "{line}");
                assert!(number("first_chunk_ms") <= number("total_ms"), "{line}");
                assert!(number("head_ms") <= number("total_ms"), "{line}");
                let received = app.simulator.received(&format!("log {provider}"));
                let sent = &received.last().unwrap().headers["x-request-id"];
                assert_eq!(line["request_id"], sent.to_str().unwrap(), "{line}");
            }
        }
    });
}

#[test]
fn uncounted_request_logs_its_tokens_where_the_response_is_translated() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("blue").await.unwrap();
        for (provider, is_known) in [("bedrock", true), ("openai", false)] {
            for is_stream in [false, true] {
                let draft = chat(provider, &key, is_stream);
                let response = app.client().send(draft).await.unwrap();
                let line = line_of(&app, provider, &response).await;
                assert_eq!(line["finish_reason"].is_string(), is_known, "{line}");
                // A stream of chat completions reports its usage only to a client that asks.
                let has_usage = is_known && !is_stream;
                assert_eq!(line["output_tokens"].is_number(), has_usage, "{line}");
            }
        }
    });
}

#[test]
fn server_timing_and_request_id_are_on_every_response() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        for (draft, has_upstream) in [
            (chat("openai", &key, false), true),
            (chat("openai", &key, true), true),
            (chat("bedrock", &key, true), true),
            (chat("openai", "sk_wrong", false), false),
            (Client::request("GET", "/healthz"), false),
        ] {
            let response = app.client().send(draft).await.unwrap();
            let timing = response.headers["server-timing"].to_str().unwrap().to_owned();
            let durations: Vec<f64> = timing
                .split(", ")
                .map(|entry| entry.split_once(";dur=").unwrap().1.parse().unwrap())
                .collect();
            assert!(timing.starts_with("gateway;dur="), "{timing}");
            assert_eq!(durations.len(), if has_upstream { 2 } else { 1 }, "{timing}");
            assert!(response.headers["x-request-id"].to_str().unwrap().starts_with("req_"));
        }
    });
}

#[test]
fn request_id_is_the_gateways_own_and_the_upstreams_has_another_name() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let own = format!("req_{}", "0123456789abcdef".repeat(2));
        for (given, is_kept) in [(own.as_str(), true), ("mine", false), ("req_1\"", false)] {
            let draft = chat("openai", &key, false).header("x-request-id", given);
            let response = app.client().send(draft).await.unwrap();
            let ids: Vec<_> = response.headers.get_all("x-request-id").iter().collect();
            assert_eq!((ids.len(), ids[0] == given), (1, is_kept), "{given}");
            assert_eq!(response.headers["x-upstream-request-id"], "req_simulated");
        }
    });
}

#[test]
fn request_through_v1_has_one_id_in_both_lines() {
    run(async {
        let app = router::app().await;
        let key = app.key("blue").await.unwrap();
        let draft = router::chat(&key, "fast", false)
            .header("x-simulate", "status=503,times=1,id=one request");
        let response = app.client().send(draft).await.unwrap();
        assert_eq!(response.headers.get_all("x-request-id").iter().count(), 1);
        let timings: Vec<_> = response.headers.get_all("server-timing").iter().collect();
        assert!(timings.iter().any(|timing| timing.as_bytes().starts_with(b"v1;dur=")));
        assert!(timings.iter().any(|timing| timing.as_bytes().starts_with(b"gateway;dur=")));
        for provider in ["v1", "openai", "anthropic"] {
            let line = line_of(&app, provider, &response).await;
            assert_eq!(line["operation"], "chat", "{line}");
        }
    });
}

#[test]
fn refusal_of_every_provider_logs_the_limit() {
    run(async {
        let app = App::shared().await;
        let budget = json!({"budgets": [{"unit": "tokens", "amount": 1, "window": "day"}]});
        for provider in providers().unwrap() {
            for (limits, expected) in [
                (json!({"requestsPerMinute": 1}), "key requests/minute"),
                (budget.clone(), "key tokens/day"),
            ] {
                let (key, _) = app.limited_key("blue", limits).await.unwrap();
                let mut response = app.client().send(chat(&provider, &key, false)).await.unwrap();
                if response.status == 200 {
                    response = app.client().send(chat(&provider, &key, false)).await.unwrap();
                }
                assert_eq!(response.status, 429, "{provider}: {}", response.text());
                let line = line_of(app, &provider, &response).await;
                assert_eq!(line["limit"], expected, "{line}");
            }
        }
    });
}

#[test]
fn line_is_one_write_whatever_a_client_sends() {
    run(async {
        let app = app().await;
        let key = app.key(&"é".repeat(64)).await.unwrap();
        let long = "\u{1}\"\\é\u{1f980}".repeat(2000);
        let mut ids = Vec::new();
        for provider in providers().unwrap() {
            let body = json!({"model": long, "messages": [], long.clone(): 1});
            let draft = Client::post(&format!("/{provider}/chat/completions"), &body)
                .key(&key)
                .header("traceparent", "0".repeat(4000))
                .header("x-request-id", "x".repeat(4000));
            let response = app.client().send(draft).await.unwrap();
            ids.push(line_of(&app, &provider, &response).await);
        }
        check_lines(&app.log());
    });
}

/// Checks that every line is JSON in ASCII that one write has all of.
pub(crate) fn check_lines(log: &str) {
    for line in log.lines() {
        assert!(line.len() < MAX_LINE && line.is_ascii(), "{} bytes: {line}", line.len());
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}
