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
fn a_configured_provider_key_is_sent_and_no_other() {
    run(async {
        let config = Config::default().with("openai_api_key", "provider-key-of-the-tests");
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let request = Client::request("GET", "/openai/models").key(&key).header("x-case", "own");
        assert_eq!(app.client().send(request).await.unwrap().status, 200);
        let headers = &app.simulator.received("own")[0].headers;
        assert_eq!(headers["authorization"], "Bearer provider-key-of-the-tests");
    });
}
