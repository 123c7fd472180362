//! Invalid settings, a failing store and an unreachable upstream: each is reported as what it is.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;
use support::{ADMIN_TOKEN, App, Client, Config, Response, run};

async fn models(app: &App, key: &str) -> Response {
    app.client().send(Client::request("GET", "/openai/models").key(key)).await.unwrap()
}

async fn health(app: &App) -> Response {
    app.client().send(Client::request("GET", "/healthz")).await.unwrap()
}

#[test]
fn invalid_setting_is_500_and_named() {
    run(async {
        for (name, value, expected) in [
            ("ai_gateway_token", "", "ai_gateway_token is not set"),
            ("ai_gateway_url", "", "ai_gateway_account_id is not set"),
            ("ai_gateway_url", "http://127.0.0.1:1/v1/a/g", "ai_gateway_url must be at"),
            ("first_byte_timeout", "soon", "first_byte_timeout must be a whole number"),
        ] {
            let app = App::start(Config::default().with(name, value)).await.unwrap();
            let key = app.key("blue").await.unwrap();
            let response = models(&app, &key).await;
            assert_eq!((response.status, response.code().as_str()), (500, "gateway_configuration"));
            assert!(response.text().contains(expected), "{expected}: {}", response.text());
            let health = health(&app).await;
            assert_eq!(health.status, 503);
            assert!(health.text().contains(expected), "{expected}: {}", health.text());
        }
    });
}

#[test]
fn azure_without_a_resource_is_500_and_names_the_setting() {
    run(async {
        for (resource, expected) in
            [("", "azure_resource_name is not set"), ("a/../b", "azure_resource_name may contain")]
        {
            let config = Config::default().with("azure_resource_name", resource);
            let app = App::start(config).await.unwrap();
            let key = app.key("blue").await.unwrap();
            let request = Client::post("/azure/chat/completions", &json!({"model": "m"})).key(&key);
            let response = app.client().send(request).await.unwrap();
            assert_eq!((response.status, response.code().as_str()), (500, "gateway_configuration"));
            assert!(response.text().contains(expected), "{}", response.text());
        }
    });
}

#[test]
fn invalid_model_map_is_500_for_limited_teams_only() {
    run(async {
        let app = App::start(Config::default().with("limited_models", "{\n")).await.unwrap();
        let fields = json!({"teamId": "limited", "limited": true});
        let limited = app.create_with(&fields).await.unwrap();
        let limited = models(&app, limited["apiKey"].as_str().unwrap()).await;
        assert_eq!((limited.status, limited.code().as_str()), (500, "gateway_configuration"));
        for text in [limited.text(), health(&app).await.text()] {
            assert!(text.contains("limited_models must be a JSON object"), "{text}");
        }
        // The map applies to limited teams, so all others are served without it.
        let free = app.key("blue").await.unwrap();
        assert_eq!(models(&app, &free).await.status, 200);
    });
}

#[test]
fn create_token_without_a_configured_admin_token_is_503() {
    run(async {
        let app = App::start(Config::default().with("admin_token", "")).await.unwrap();
        for token in [ADMIN_TOKEN, ""] {
            let request = Client::request("POST", "/tokens")
                .header("authorization", format!("Bearer {token}"))
                .body(r#"{"teamId":"blue"}"#);
            let response = app.client().send(request).await.unwrap();
            assert_eq!(
                (response.status, response.code().as_str()),
                (503, "token_management_disabled")
            );
        }
        assert!(health(&app).await.text().contains("set admin_token"));
    });
}

#[test]
fn failing_store_is_503_until_it_recovers() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let store = Connection::open(app.store_file()).unwrap();
        store.execute("ALTER TABLE spin_key_value RENAME TO hidden", []).unwrap();

        for target in ["/openai/models".to_owned(), format!("/tokens/{key}")] {
            let request = Client::request("GET", &target).key(&key);
            let response = app.client().send(request).await.unwrap();
            assert_eq!((response.status, response.code().as_str()), (503, "store_unavailable"));
            assert_eq!(response.headers["retry-after"], "1");
        }
        assert!(app.create("red").await.unwrap_err().to_string().contains("503"));
        assert_eq!(health(&app).await.status, 503);

        store.execute("ALTER TABLE hidden RENAME TO spin_key_value", []).unwrap();
        assert_eq!(models(&app, &key).await.status, 200);
        assert_eq!(health(&app).await.status, 200);
    });
}

#[test]
fn slow_store_only_delays_the_response() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let store = Connection::open(app.store_file()).unwrap();
        store.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let slow = Duration::from_millis(300);
        let start = Instant::now();
        let waiting = async { (models(&app, &key).await, start.elapsed()) };
        let freed = async {
            tokio::time::sleep(slow).await;
            store.execute_batch("COMMIT").unwrap();
        };
        let ((response, waited), ()) = tokio::join!(waiting, freed);
        assert_eq!(response.status, 200, "{}", response.text());
        assert!(waited >= slow, "the store did not delay the response: {waited:?}");
    });
}

#[test]
fn read_only_store_is_503_for_new_keys_and_serves_existing_ones() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let store = Connection::open(app.store_file()).unwrap();
        let refuse = "CREATE TRIGGER full BEFORE INSERT ON spin_key_value
            BEGIN SELECT RAISE(FAIL, 'disk full'); END";
        store.execute_batch(refuse).unwrap();
        let created = app.admin("POST", "/tokens", r#"{"teamId":"red"}"#).await.unwrap();
        assert_eq!((created.status, created.code().as_str()), (503, "store_unavailable"));
        assert_eq!(created.headers["retry-after"], "1");
        assert!(!created.text().contains("sk_"), "{}", created.text());
        assert_eq!(models(&app, &key).await.status, 200);
        store.execute_batch("DROP TRIGGER full").unwrap();
        assert!(app.create("red").await.is_ok());
    });
}

#[test]
fn unreadable_record_is_500_and_not_401() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let store = Connection::open(app.store_file()).unwrap();
        store.execute("UPDATE spin_key_value SET value = x'7b'", []).unwrap();
        let response = models(&app, &key).await;
        assert_eq!((response.status, response.code().as_str()), (500, "corrupt_record"));
    });
}

#[test]
fn unreachable_upstream_is_502() {
    run(async {
        // The listener is dropped immediately, so nothing listens at its port.
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let app = App::start(Config::default().upstream(gone)).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let body = json!({"model": "nova-lite", "messages": [{"role": "user", "content": "hi"}]});
        let bedrock = Client::post("/bedrock/chat/completions", &body).key(&key);
        for response in [models(&app, &key).await, app.client().send(bedrock).await.unwrap()] {
            assert_eq!((response.status, response.code().as_str()), (502, "upstream_unreachable"));
        }
    });
}

/// Checks that only requests that need the store wait for another process that has locked its file.
#[test]
fn locked_store_stops_no_other_request() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let lock = Connection::open(app.store_file()).unwrap();
        lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
        // Far more than the threads that serve requests.
        let waiting = (0..64).map(|_| {
            let (client, key) = (app.client(), key.clone());
            let request = Client::request("GET", "/openai/models").key(&key);
            tokio::spawn(async move { client.send(request).await.unwrap().status })
        });
        let waiting: Vec<_> = waiting.collect();
        for _ in 0..20 {
            let client = app.client();
            let other = client.send(Client::request("GET", "/tokens/openapi.json"));
            let other = tokio::time::timeout(Duration::from_secs(2), other).await;
            assert_eq!(other.expect("a response in time").unwrap().status, 200);
        }
        lock.execute_batch("COMMIT").unwrap();
        for request in waiting {
            assert_eq!(request.await.unwrap(), 200);
        }
    });
}
