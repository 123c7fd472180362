//! Settlement: what is charged for every kind of response, and how its usage is found.

use std::collections::BTreeMap;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use support::client::Draft;
use support::{App, Client, Config, Response, run};

use crate::clients::eventually_async;

/// Prices of the models in these tests, in dollars per million tokens.
pub(crate) const PRICES: &str = r#"{
    "openai/*": {"input": "1", "output": "2"},
    "openai/gpt-4o-mini": {"input": "0.1", "output": "0.2"},
    "anthropic/*": {"input": "1", "output": "2"},
    "google/*": {"input": "1", "output": "2"},
    "bedrock/*": {"input": "1", "output": "2"}
}"#;

/// A text of 32 bytes, which is estimated as eight tokens.
pub(crate) const TEXT: &str = "a text of exactly 32 bytes here.";

/// A request and what a response to it reports.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    body: Value,
    /// Input and output tokens that a complete response reports.
    reported: (i64, i64),
}

/// Returns a request of every kind whose use is reported in its own way.
pub(crate) fn kinds() -> Vec<Kind> {
    let messages = json!([{"role": "user", "content": TEXT}]);
    let kind = |name, target, body, reported| Kind { name, target, body, reported };
    vec![
        kind(
            "an OpenAI stream",
            "/openai/chat/completions",
            json!({"model": "gpt-4o", "stream": true, "max_tokens": 50, "messages": messages}),
            (9, 12),
        ),
        kind(
            "an Anthropic stream",
            "/anthropic/v1/messages",
            json!({"model": "claude-sonnet-4-5", "stream": true, "max_tokens": 50, "messages": messages}),
            (14, 12),
        ),
        kind(
            "a Gemini stream",
            "/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            json!({
                "contents": [{"role": "user", "parts": [{"text": TEXT}]}],
                "generationConfig": {"maxOutputTokens": 50},
            }),
            (9, 12),
        ),
        kind(
            "a Bedrock stream",
            "/bedrock/chat/completions",
            json!({"model": "nova-lite", "stream": true, "max_tokens": 50, "messages": messages}),
            (14, 12),
        ),
        kind(
            "a stream of responses",
            "/openai/responses",
            json!({"model": "gpt-4o", "stream": true, "max_output_tokens": 50, "input": TEXT}),
            (9, 12),
        ),
        kind(
            "a Bedrock stream of responses",
            "/bedrock/responses",
            json!({"model": "nova-lite", "stream": true, "max_output_tokens": 50, "input": TEXT}),
            (14, 12),
        ),
        kind(
            "a whole completion",
            "/openai/chat/completions",
            json!({"model": "gpt-4o", "max_tokens": 50, "messages": messages}),
            (9, 12),
        ),
        kind(
            "embeddings",
            "/openai/embeddings",
            json!({"model": "text-embedding-3-small", "input": TEXT}),
            (5, 0),
        ),
    ]
}

/// Sends a request of a kind with the fault of the simulated AI Gateway.
pub(crate) fn draft(kind: &Kind, key: &str, fault: &str) -> Draft {
    let draft = Client::post(kind.target, &kind.body).key(key).header("x-simulate", fault);
    if kind.target.starts_with("/anthropic") {
        return draft.header("anthropic-version", "2023-06-01");
    }
    draft
}

/// Returns budgets that nothing in these tests uses up.
fn wide() -> Value {
    json!({"budgets": [
        {"unit": "tokens", "amount": 1_000_000_000, "window": "day"},
        {"unit": "usd", "amount": "1000", "window": "month"},
    ]})
}

/// Returns what was counted for a key: requests, input and output tokens.
pub(crate) async fn used(app: &App, id: &str) -> (i64, i64, i64) {
    let page = app.admin("GET", &format!("/tokens/usage?key={id}"), "").await.unwrap().json();
    let number = |name: &str| page["totals"][name].as_i64().unwrap();
    (number("requests"), number("inputTokens"), number("outputTokens"))
}

/// Waits until a key has settled so many requests, and returns what was counted.
pub(crate) async fn settled(app: &App, id: &str, requests: i64) -> (i64, i64) {
    eventually_async(async || used(app, id).await.0 == requests).await;
    let (_, input, output) = used(app, id).await;
    (input, output)
}

/// Returns what is used of the limits of a key, by their names.
pub(crate) async fn levels(app: &App, key: &str) -> BTreeMap<String, Value> {
    let own =
        app.client().send(Client::request("GET", "/tokens/self/usage").key(key)).await.unwrap();
    let limits = own.json()["limits"].as_array().unwrap().clone();
    let entry =
        |limit: &Value| (limit["limit"].as_str().unwrap().to_owned(), limit["used"].clone());
    limits.iter().map(entry).collect()
}

pub(crate) async fn app() -> App {
    App::start(Config::default().with("prices", PRICES)).await.unwrap()
}

#[test]
fn every_kind_of_response_settles_what_it_has_used() {
    run(async {
        let app = app().await;
        for kind in kinds() {
            for (fault, expected) in [
                ("", kind.reported),
                ("status=400", (0, 0)),
                ("status=503", (0, 0)),
                ("cut=head", (0, 0)),
                ("cache=HIT", (0, 0)),
            ] {
                let (key, id) = app.limited_key("settles", wide()).await.unwrap();
                let _ = app.client().send(draft(&kind, &key, fault)).await.unwrap();
                let found = settled(&app, &id, 1).await;
                assert_eq!(found, expected, "{} with {fault}", kind.name);
                // The budgets have exactly that.
                let levels = levels(&app, &key).await;
                assert_eq!(
                    levels["key tokens/day"],
                    expected.0 + expected.1,
                    "{} {fault}",
                    kind.name
                );
                let usd = levels["key usd/month"].as_str().unwrap().parse::<f64>().unwrap();
                let micros = f64::from(i32::try_from(expected.0 + 2 * expected.1).unwrap());
                assert!((usd * 1e6 - micros).abs() < 1e-6, "{} {fault}: {usd}", kind.name);
            }
            let (key, id) = app.limited_key("settles", wide()).await.unwrap();
            let response = app.client().send(draft(&kind, &key, "cut_after=5")).await.unwrap();
            let (counted, output) = settled(&app, &id, 1).await;
            if kind.name.contains("stream") {
                assert_eq!(response.status, 200, "{}", kind.name);
                // Some report the input at their start. The others are charged the estimate.
                let is_early = kind.target.contains("messages") || kind.target.contains("google");
                let input = if is_early { kind.reported.0 } else { 8 };
                assert_eq!((counted, output), (input, seen(&response)), "{}", response.text());
                assert_ne!(output, 0, "{}: {}", kind.name, response.text());
            }
        }
    });
}

/// Estimates the tokens of the text in a stream as a client sees it: a quarter of its bytes.
fn seen(response: &Response) -> i64 {
    let text = response.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let bytes: usize = events.map(|event| text_of(&event).len()).sum();
    i64::try_from(bytes.div_ceil(4)).unwrap()
}

/// Returns the text that an event adds, in the forms of the providers.
fn text_of(event: &Value) -> String {
    let places =
        ["/choices/0/delta/content", "/delta/text", "/candidates/0/content/parts/0/text", "/delta"];
    let is_new = event["type"].as_str().is_none_or(|kind| kind.ends_with("delta"));
    let found = places.iter().find_map(|place| event.pointer(place).and_then(Value::as_str));
    found.filter(|_| is_new).unwrap_or_default().to_owned()
}

#[test]
fn upload_settles_what_it_reports() {
    run(async {
        let app = app().await;
        let (key, id) = app.limited_key("uploads", wide()).await.unwrap();
        let form = "--B\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--B\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nabc\r\n--B--\r\n";
        let request = Client::request("POST", "/openai/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=B")
            .key(&key)
            .body(form);
        // The form is read, because the price depends on its model.
        let response = app.client().send(request).await.unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(settled(&app, &id, 1).await, (30, 4));
        assert_eq!(levels(&app, &key).await["key tokens/day"], 34);
    });
}

#[test]
fn client_that_disconnects_is_charged_what_it_has_seen() {
    run(async {
        let app = app().await;
        for kind in kinds().iter().filter(|kind| kind.name.contains("stream")) {
            let (key, id) = app.limited_key("leaves", wide()).await.unwrap();
            let gate = format!("leaves {}", kind.name);
            let mut connection = app.client().connect().await.unwrap();
            let fault = format!("chunks=50,gate={gate},chunk_delay=1");
            let mut response = connection.open(draft(kind, &key, &fault)).await.unwrap();
            assert_eq!(response.status(), 200, "{}", kind.name);
            assert!(response.body_mut().frame().await.is_some());
            drop(response);
            drop(connection);
            let (input, output) = settled(&app, &id, 1).await;
            assert_ne!(input, 0, "{}", kind.name);
            assert!(output <= 3, "{}: {output}", kind.name);
            app.simulator.open_gate(&gate);
        }
    });
}

#[test]
fn model_that_responded_sets_the_price() {
    run(async {
        let app = app().await;
        let (key, id) = app.limited_key("routed", wide()).await.unwrap();
        let kind = &kinds()[0];
        app.client().send(draft(kind, &key, "routed=gpt-4o-mini")).await.unwrap();
        settled(&app, &id, 1).await;
        // (9 + 2 × 12) / 10 millionths of a dollar.
        assert_eq!(levels(&app, &key).await["key usd/month"], "0.0000033");
    });
}

#[test]
fn stream_without_usage_is_charged_what_was_seen() {
    run(async {
        let app = app().await;
        let (key, id) = app.limited_key("silent", wide()).await.unwrap();
        let response = app.client().send(draft(&kinds()[0], &key, "no_usage=1")).await.unwrap();
        assert!(response.text().ends_with("data: [DONE]\n\n"), "{}", response.text());
        let (input, output) = settled(&app, &id, 1).await;
        assert_eq!(output, seen(&response));
        assert_ne!((input, output), (0, 0));
    });
}

#[test]
fn usage_of_a_stream_is_asked_for_and_taken_out_again() {
    run(async {
        let app = app().await;
        let plain = app.key("plain").await.unwrap();
        let (key, _) = app.limited_key("asks", wide()).await.unwrap();
        for (target, model) in [
            ("/openai/chat/completions", "gpt-4o"),
            ("/google/chat/completions", "gemini-2.5-flash"),
            ("/anthropic/chat/completions", "claude-sonnet-4-5"),
            ("/bedrock/chat/completions", "nova-lite"),
        ] {
            let body = |options: Value| {
                let messages = json!([{"role": "user", "content": TEXT}]);
                json!({"model": model, "stream": true, "messages": messages, "stream_options": options})
            };
            let send = async |key: &str, options: Value, case: &str| {
                let draft = Client::post(target, &body(options)).key(key).header("x-case", case);
                app.client().send(draft).await.unwrap()
            };
            let asked = send(&key, json!({"include_usage": true}), "asked").await;
            assert!(
                asked.text().contains(r#""choices":[],"#)
                    || asked.text().contains("\"choices\":[]"),
                "{target}: {}",
                asked.text()
            );
            for options in [Value::Null, json!({}), json!({"include_usage": false})] {
                let case = format!("{target} {options}");
                let counted = send(&key, options.clone(), &case).await;
                assert_eq!(counted.status, 200, "{case}: {}", counted.text());
                assert!(!counted.text().contains("\"choices\":[]"), "{case}: {}", counted.text());
                assert!(counted.text().ends_with("data: [DONE]\n\n"), "{case}");
                let uncounted = send(&plain, options, &format!("plain {case}")).await;
                let events = |response: &Response| response.text().matches("data: ").count();
                assert_eq!(events(&counted), events(&uncounted), "{case}");
                if target != "/bedrock/chat/completions" {
                    let sent = |case: &str| -> Value {
                        let received = app.simulator.received(case);
                        let body = &received.first().expect("a request").body;
                        serde_json::from_slice(body).unwrap()
                    };
                    assert_eq!(sent(&case)["stream_options"]["include_usage"], true, "{case}");
                    let plain = sent(&format!("plain {case}"));
                    assert_ne!(plain["stream_options"]["include_usage"], true, "{case}");
                }
            }
        }
    });
}
