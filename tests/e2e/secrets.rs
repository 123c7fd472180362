//! Keys and tokens are never written down: not in the store, the log, an error or upstream.

use gateway_host::simulator::TOKEN;
use serde_json::json;
use support::{ADMIN_TOKEN, App, Client, Config, run};

#[test]
fn no_secret_is_in_store_log_or_errors() {
    run(async {
        let config = Config::default().with("openai_api_key", "provider-key-of-the-tests");
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let chat = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
        let mut said = String::new();
        for faults in ["", "status=500", "cloudflare=2009", "cut=head", "cut=body", "garbage=1"] {
            let request = Client::post("/openai/chat/completions", &chat).key(&key);
            let request = request.header("x-simulate", faults);
            said.push_str(&app.client().send(request).await.unwrap().text());
        }
        for target in [
            format!("/openai/models/{key}?key={key}"),
            format!("/openai/../{key}"),
            format!("/tokens/{key}/{key}"),
            "/healthz".to_owned(),
        ] {
            let request = Client::request("GET", &target).key(&key).header("x-api-key", &key);
            said.push_str(&app.client().send(request).await.unwrap().text());
        }
        let renewed = Client::request("POST", "/tokens/refresh").key(&key);
        assert_eq!(app.client().send(renewed).await.unwrap().status, 200);

        let store = std::fs::read(app.store_file()).unwrap();
        let store = String::from_utf8_lossy(&store).into_owned();
        let log = app.log();
        assert!(log.lines().count() >= 11 && store.contains("teamId"), "something was written");
        let secrets = [key.trim_start_matches("sk_"), ADMIN_TOKEN, TOKEN, "provider-key-of"];
        for (place, text) in [("store", &store), ("log", &log), ("answers", &said)] {
            for secret in secrets {
                assert!(!text.contains(secret), "{secret} is in the {place}");
            }
        }
    });
}

#[test]
fn a_configured_provider_key_is_sent_as_the_providers_own() {
    run(async {
        const KEY: &str = "provider-key-of-the-tests";
        let config = ["openai_api_key", "anthropic_api_key", "google_api_key", "azure_api_key"]
            .iter()
            .fold(Config::default(), |config, name| config.with(name, KEY))
            .with("workers_ai_token", KEY);
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
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
            let answer = app.client().send(request).await.unwrap();
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let headers = &app.simulator.received(path)[0].headers;
            for name in ["authorization", "x-api-key", "x-goog-api-key", "api-key"] {
                let expected = (name == header).then_some(value.as_str());
                let given = headers.get(name).map(|given| given.to_str().unwrap());
                assert_eq!(given, expected, "{path}: {name}");
            }
        }
    });
}

#[test]
fn bedrock_is_asked_in_the_name_that_is_configured() {
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
            let answer = app.client().send(request).await.unwrap();
            assert_eq!(answer.status, 200, "{expected:?}: {}", answer.text());
            let headers = &app.simulator.received("bedrock")[0].headers;
            let given = headers.get("authorization").map(|given| given.to_str().unwrap());
            assert_eq!(given.is_some(), expected.is_some(), "{given:?}");
            assert!(given.is_none_or(|given| given.starts_with(expected.unwrap())), "{given:?}");
        }
    });
}
