//! Keys and tokens stay out of the store, the log, errors and upstream requests.

use std::collections::BTreeSet;

use gateway_host::simulator::TOKEN;
use serde_json::json;
use support::{ADMIN_TOKEN, App, Client, Config, providers, run};

#[test]
fn secrets_are_absent_from_store_log_and_errors() {
    run(async {
        let config = Config::default().with("openai_api_key", "provider-key-of-the-tests");
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let chat = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
        let mut responses = String::new();
        for faults in ["", "status=500", "cloudflare=2009", "cut=head", "cut=body", "garbage=1"] {
            let request = Client::post("/openai/chat/completions", &chat).key(&key);
            let request = request.header("x-simulate", faults);
            responses.push_str(&app.client().send(request).await.unwrap().text());
        }
        for target in [
            format!("/openai/models/{key}?key={key}"),
            format!("/openai/../{key}"),
            format!("/tokens/{key}/{key}"),
            "/healthz".to_owned(),
        ] {
            let request = Client::request("GET", &target).key(&key).header("x-api-key", &key);
            responses.push_str(&app.client().send(request).await.unwrap().text());
        }
        let renewed = Client::request("POST", "/tokens/refresh").key(&key);
        assert_eq!(app.client().send(renewed).await.unwrap().status, 200);

        let store = std::fs::read(app.store_file()).unwrap();
        let store = String::from_utf8_lossy(&store).into_owned();
        let log = app.log();
        assert!(
            log.lines().count() >= 11 && store.contains("teamId"),
            "store and log are not empty"
        );
        let secrets = [key.trim_start_matches("sk_"), ADMIN_TOKEN, TOKEN, "provider-key-of"];
        for (place, text) in [("store", &store), ("log", &log), ("responses", &responses)] {
            for secret in secrets {
                assert!(!text.contains(secret), "{secret} is in the {place}");
            }
        }
    });
}

#[test]
fn configured_provider_key_is_sent_in_the_providers_header() {
    run(async {
        const KEY: &str = "provider-key-of-the-tests";
        let config = ["openai_api_key", "anthropic_api_key", "google_api_key", "azure_api_key"]
            .iter()
            .fold(Config::default(), |config, name| config.with(name, KEY))
            .with("workers_ai_token", KEY);
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let mut tested = BTreeSet::from(["bedrock".to_owned()]);
        for (path, header, value) in [
            ("/openai/chat/completions", "authorization", format!("Bearer {KEY}")),
            ("/anthropic/chat/completions", "authorization", format!("Bearer {KEY}")),
            ("/anthropic/v1/messages", "x-api-key", KEY.to_owned()),
            ("/google/chat/completions", "authorization", format!("Bearer {KEY}")),
            ("/google/embeddings", "authorization", format!("Bearer {KEY}")),
            ("/google/v1beta/models/g:countTokens", "x-goog-api-key", KEY.to_owned()),
            ("/azure/chat/completions", "api-key", KEY.to_owned()),
            ("/workers-ai/chat/completions", "authorization", format!("Bearer {KEY}")),
            ("/workers-ai/@cf/meta/m", "authorization", format!("Bearer {KEY}")),
        ] {
            let body = json!({
                "model": "gpt-4o", "max_tokens": 1, "input": "hi", "prompt": "hi",
                "messages": [{"role": "user", "content": "hi"}], "contents": [{}],
            });
            let request = Client::post(path, &body)
                .key(&key)
                .header("anthropic-version", "2023-06-01")
                .header("x-case", path);
            let response = app.client().send(request).await.unwrap();
            assert_eq!(response.status, 200, "{path}: {}", response.text());
            let headers = &app.simulator.received(path)[0].headers;
            for name in ["authorization", "x-api-key", "x-goog-api-key", "api-key"] {
                let expected = (name == header).then_some(value.as_str());
                let sent = headers.get(name).map(|sent| sent.to_str().unwrap());
                assert_eq!(sent, expected, "{path}: {name}");
            }
            tested.extend(path.split('/').nth(1).map(str::to_owned));
        }
        // Bedrock's credentials have a test of their own, and one endpoint takes only stored ones.
        let all = providers().unwrap().into_iter().filter(|name| name != "compat").collect();
        assert_eq!(tested, all, "add a row for each provider's own key");
    });
}

#[test]
fn bedrock_request_uses_the_configured_credentials() {
    run(async {
        let unsigned = || {
            ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
                .iter()
                .fold(Config::default(), |config, name| config.with(name, ""))
        };
        let key_alone = unsigned().with("bedrock_api_key", "provider-key-bedrock");
        let body = json!({"model": "nova-lite", "messages": [{"role": "user", "content": "hi"}]});
        for (config, expected) in [
            (Config::default(), Some("AWS4-HMAC-SHA256 Credential=")),
            (key_alone, Some("Bearer provider-key-bedrock")),
            (unsigned(), None),
        ] {
            let app = App::start(config).await.unwrap();
            let key = app.key("blue").await.unwrap();
            let request = Client::post("/bedrock/chat/completions", &body)
                .key(&key)
                .header("x-case", "bedrock");
            let response = app.client().send(request).await.unwrap();
            assert_eq!(response.status, 200, "{expected:?}: {}", response.text());
            let headers = &app.simulator.received("bedrock")[0].headers;
            let sent = headers.get("authorization").map(|sent| sent.to_str().unwrap());
            assert_eq!(sent.is_some(), expected.is_some(), "{sent:?}");
            assert!(sent.is_none_or(|sent| sent.starts_with(expected.unwrap())), "{sent:?}");
        }
    });
}
