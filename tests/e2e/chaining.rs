//! `/v1` and the components behind it: the list of models, browsers, and many streams at a time.

use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use serde_json::json;
use support::{App, Client, Config, run};

use crate::clients::eventually;
use crate::router::{ALIASES, app, chat};

/// Few enough to leave the other tests their time.
const STREAMS: usize = 100;

/// Returns the ids in a list, and the providers that are missing.
async fn list(app: &App, key: &str, fault: &str) -> (Vec<String>, String) {
    let draft = Client::request("GET", "/v1/models").key(key).header("x-simulate", fault);
    let response = app.client().send(draft).await.unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let entries = response.json()["data"].as_array().unwrap().clone();
    let ids = entries.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect();
    let missing = response.headers.get("x-gateway-unavailable");
    (ids, missing.map_or_else(String::new, |value| value.to_str().unwrap().to_owned()))
}

#[test]
fn list_of_models_leaves_out_what_fails() {
    run(async {
        let config = Config::default().with("model_aliases", ALIASES);
        let app = App::start(config.with("v1_list_timeout_ms", "1000")).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let (all, missing) = list(&app, &key, "").await;
        assert_eq!(missing, "");
        assert_eq!(all[..3], ["fast", "mixed", "one"]);
        for id in [
            "openai/gpt-4o",
            "anthropic/claude-sonnet-4-5",
            "google/gemini-2.5-flash",
            "azure/gpt-4o",
            "groq/llama-3.3-70b",
        ] {
            assert!(all.iter().any(|known| known == id), "{id}: {all:?}");
        }
        assert!(all.iter().any(|id| id.starts_with("bedrock/")), "{all:?}");
        let mut unique = all.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), all.len(), "each name is there once");
        for fault in ["status=503", "cut=head", "garbage=1", "head_delay=60000"] {
            let (some, missing) =
                list(&app, &key, &format!("{fault},times=1,id=list-{fault}")).await;
            assert!(!missing.is_empty() && !missing.contains(','), "{fault}: {missing}");
            // Workers AI has no list that could be missing.
            assert!(some.len() < all.len() || missing == "workers-ai", "{fault}: {missing}");
            let is_missing = |id: &String| id.starts_with(&format!("{missing}/"));
            assert!(missing == "compat" || !some.iter().any(is_missing), "{fault}: {some:?}");
        }
        let scoped = app
            .create_with(&json!({"teamId": "s", "providers": ["openai"], "models": ["gpt-4o*"]}))
            .await
            .unwrap();
        let (some, missing) = list(&app, scoped["apiKey"].as_str().unwrap(), "").await;
        assert_eq!(
            (some.as_slice(), missing.as_str()),
            (&["openai/gpt-4o".to_owned(), "openai/gpt-4o-mini".to_owned()][..], "")
        );
    });
}

#[test]
fn default_provider_serves_requests_without_a_model() {
    run(async {
        let app = App::start(Config::default().with("v1_default", "openai")).await.unwrap();
        let key = app.account_key("blue").await.unwrap();
        let files = Client::request("GET", "/v1/files").key(&key);
        let response = app.client().send(files).await.unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        let echo =
            Client::request("POST", "/v1/echo").header("content-type", "text/plain").key(&key);
        let response = app.client().send(echo.body("streamed")).await.unwrap();
        assert_eq!(response.json()["body"], "streamed");
    });
}

#[test]
fn browser_may_ask_through_v1() {
    run(async {
        let app = App::start(Config::default().with("cors_origins", "https://app.example"))
            .await
            .unwrap();
        let key = app.key("blue").await.unwrap();
        let preflight = Client::request("OPTIONS", "/v1/chat/completions")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST");
        let response = app.client().send(preflight).await.unwrap();
        assert_eq!(response.headers["access-control-allow-origin"], "https://app.example");
        let draft = chat(&key, "openai/gpt-4o", false).header("origin", "https://app.example");
        let response = app.client().send(draft).await.unwrap();
        assert_eq!(response.headers["access-control-allow-origin"], "https://app.example");
    });
}

#[test]
fn host_of_a_component_from_outside_is_removed() {
    run(async {
        let app = app().await;
        let key = app.key("blue").await.unwrap();
        let body = r#"{"model":"openai/gpt-4o","messages":[{"role":"user","content":"x"}]}"#;
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: openai.spin.internal\r\nconnection: close\r\n\
             authorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let response = app.client().send_raw(request.as_bytes()).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    });
}

#[test]
fn many_streams_at_a_time_with_random_disconnects_leak_nothing() {
    run(async {
        let app = app().await;
        let key = app.key("blue").await.unwrap();
        let stream = async |index: usize| {
            let draft =
                chat(&key, "openai/gpt-4o", true).header("x-simulate", "chunks=40,chunk_delay=20");
            let mut connection = app.client().connect().await.unwrap();
            let mut response = connection.open(draft).await.unwrap();
            assert_eq!(response.status(), 200);
            let mut text = Vec::new();
            let most = if index.is_multiple_of(2) { index % 40 + 1 } else { usize::MAX };
            for _ in 0..most {
                match response.body_mut().frame().await {
                    Some(frame) => text.extend(frame.unwrap().into_data().unwrap()),
                    None => break,
                }
            }
            most < usize::MAX || String::from_utf8(text).unwrap().ends_with("data: [DONE]\n\n")
        };
        assert!(join_all((0..STREAMS).map(stream)).await.into_iter().all(|is_whole| is_whole));
        // An instance that ends closes its upstream, and writes its line before.
        for component in ["openai", "v1"] {
            let line = format!(r#""provider":"{component}""#);
            eventually(|| app.log().matches(&line).count() == STREAMS).await;
        }
        let next = app.client().send(chat(&key, "openai/gpt-4o", false)).await.unwrap();
        assert_eq!(next.status, 200);
    });
}
