//! Restrictions and expiry of keys.

use rusqlite::Connection;
use serde_json::{Value, json};
use support::client::Draft;
use support::{App, Client, Config, Response, providers, run};

/// Creates a key with `fields`, and returns it and its id.
async fn key(app: &App, fields: Value) -> (String, String) {
    let mut body = json!({"teamId": "scoped"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let created = app.create_with(&body).await.unwrap();
    let text = |name: &str| created[name].as_str().unwrap().to_owned();
    (text("apiKey"), text("id"))
}

fn chat(path: &str, model: &str) -> Draft {
    let message = json!({"role": "user", "content": "hello"});
    Client::post(path, &json!({"model": model, "messages": [message]}))
}

async fn send(app: &App, key: &str, draft: Draft) -> Response {
    app.client().send(draft.key(key)).await.unwrap()
}

#[track_caller]
fn assert_denied(response: &Response, what: &str) {
    let text = response.text();
    assert_eq!(response.status, 403, "{what}: {text}");
    let is_refusal = text.contains("this key") || text.contains("key with `account`");
    assert!(is_refusal, "{what}: {text}");
}

#[test]
fn provider_restricted_key_on_another_provider_is_403() {
    run(async {
        let app = App::shared().await;
        let (key, _) = key(app, json!({"providers": ["openai"]})).await;
        for route in providers().unwrap().iter().filter(|name| *name != "openai") {
            let case = format!("scope of {route}");
            let draft = chat(&format!("/{route}/chat/completions"), "m").header("x-case", &case);
            assert_denied(&send(app, &key, draft).await, route);
            assert!(app.simulator.received(&case).is_empty(), "{route}");
        }
        assert_eq!(send(app, &key, chat("/openai/chat/completions", "gpt-4o")).await.status, 200);
    });
}

#[test]
fn model_restricted_key_with_another_model_is_403() {
    run(async {
        let app = App::shared().await;
        let models = json!(["gpt-4o*", "gemini-*", "bedrock/amazon.nova-*", "@cf/meta/*"]);
        let (key, _) = key(app, json!({"models": models})).await;
        let form = |text: &str| {
            let file = "content-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nx";
            let named = format!("content-disposition: form-data; {text}");
            let body = format!("--x\r\n{file}\r\n--x\r\n{named}\r\n--x--\r\n");
            Client::request("POST", "/openai/audio/transcriptions")
                .header("content-type", "multipart/form-data; boundary=x")
                .body(body)
        };
        let generate = |model: &str| {
            let body = json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
            Client::post(&format!("/google/v1beta/models/{model}:generateContent"), &body)
        };
        let deployment = |name: &str| {
            chat(
                &format!(
                    "/azure/openai/deployments/{name}/chat/completions?api-version=2024-10-21"
                ),
                "x",
            )
        };
        for (what, draft, allowed) in [
            ("a model", chat("/openai/chat/completions", "gpt-4o-mini"), true),
            ("another model", chat("/openai/chat/completions", "o3"), false),
            ("no model", Client::post("/openai/chat/completions", &json!({"messages": []})), false),
            ("a form", form("name=\"model\"\r\n\r\ngpt-4o-transcribe"), true),
            ("another form", form("name=\"model\"\r\n\r\nwhisper-1"), false),
            ("a form without a model", form("name=\"x\"\r\n\r\ngpt-4o"), false),
            ("files", Client::request("GET", "/openai/files"), false),
            ("a batch", Client::post("/openai/batches", &json!({"model": "gpt-4o"})), false),
            (
                "a deletion",
                Client::request("DELETE", "/openai/models/ft:x")
                    .header("content-type", "application/json")
                    .body(r#"{"model":"gpt-4o"}"#),
                false,
            ),
            ("a dynamic route", chat("/google/chat/completions", "dynamic/dear"), false),
            ("a prefixed model", chat("/google/chat/completions", "models/gemini-x"), true),
            ("a path", generate("gemini-2.5-flash"), true),
            ("another path", generate("gemma-3"), false),
            ("a deployment", deployment("gpt-4o"), true),
            ("another deployment", deployment("o3"), false),
            ("a native model", chat("/workers-ai/run/@cf/meta/llama-3.1-8b-instruct", "x"), true),
            ("another native model", chat("/workers-ai/run/@cf/other/x", "gpt-4o"), false),
            ("an alias", chat("/bedrock/chat/completions", "nova-pro"), true),
            ("an id", chat("/bedrock/chat/completions", "amazon.nova-lite-v1:0"), true),
            ("another alias", chat("/bedrock/chat/completions", "claude"), false),
            (
                "embeddings",
                Client::post(
                    "/bedrock/embeddings",
                    &json!({"model": "amazon.titan-embed-text-v2:0", "input": "a"}),
                ),
                false,
            ),
        ] {
            let response = send(app, &key, draft).await;
            if allowed {
                assert_eq!(response.status, 200, "{what}: {}", response.text());
            } else {
                assert_denied(&response, what);
            }
        }
    });
}

#[test]
fn operators_model_for_a_limited_team_needs_no_scope() {
    run(async {
        let app = App::shared().await;
        let (key, _) = key(app, json!({"models": ["gpt-4o"], "limited": true})).await;
        let case = "limited and scoped";
        let draft = chat("/openai/chat/completions", "gpt-4o").header("x-case", case);
        assert_eq!(send(app, &key, draft).await.status, 200);
        let received = app.simulator.received(case);
        assert!(String::from_utf8_lossy(&received[0].body).contains("gpt-4o-mini"));
        assert_denied(
            &send(app, &key, chat("/openai/chat/completions", "gpt-4o-mini")).await,
            "mini",
        );
    });
}

#[test]
fn list_models_shows_only_allowed_models() {
    run(async {
        let app = App::shared().await;
        for (path, pattern, list, name, expected) in [
            ("/openai/models", "gpt-4o", "data", "id", json!(["gpt-4o"])),
            ("/openai/v1/models", "nothing", "data", "id", json!([])),
            ("/anthropic/models", "claude-haiku-*", "data", "id", json!(["claude-haiku-4-5"])),
            ("/google/models", "gemini-*", "data", "id", json!(["models/gemini-2.5-flash"])),
            ("/google/v1beta/models", "gpt", "models", "name", json!([])),
            ("/bedrock/models", "nova-pro", "data", "id", json!(["nova-pro"])),
        ] {
            let (key, _) = key(app, json!({"models": [pattern]})).await;
            let header = if path.contains("v1beta") { "x-goog-api-key" } else { "authorization" };
            let draft = Client::request("GET", path).header(header, &key);
            let response = app.client().send(draft).await.unwrap();
            assert_eq!(response.status, 200, "{path}: {}", response.text());
            let body = response.json();
            let names: Vec<&Value> =
                body[list].as_array().unwrap().iter().map(|entry| &entry[name]).collect();
            assert_eq!(json!(names), expected, "{path}");
        }
    });
}

#[test]
fn expired_or_disabled_key_is_401() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let (key, id) = key(&app, json!({"ttlSeconds": 3600})).await;
        let ask = || send(&app, &key, chat("/openai/chat/completions", "gpt-4o"));
        assert_eq!(ask().await.status, 200);
        let target = format!("/tokens/{id}");
        for (change, status) in [(r#"{"disabled":true}"#, 401), (r#"{"disabled":false}"#, 200)] {
            assert_eq!(app.admin("PATCH", &target, change).await.unwrap().status, 200);
            assert_eq!(ask().await.status, status, "{change}");
        }
        // Moves the expiry into the past.
        let store = Connection::open(app.store_file()).unwrap();
        let end = app.admin("GET", &target, "").await.unwrap().json()["expiresAt"].clone();
        let end = end.as_str().unwrap();
        let update = "UPDATE spin_key_value SET value = \
            CAST(replace(CAST(value AS TEXT), ?1, '2026-01-01T00:00:00.000Z') AS BLOB) \
            WHERE key LIKE 'key:%'";
        assert_eq!(store.execute(update, [end]).unwrap(), 1);
        let response = ask().await;
        assert_eq!((response.status, response.code().as_str()), (401, "invalid_api_key"));
    });
}

#[test]
fn key_metadata_is_the_fifth_entry() {
    run(async {
        let app = App::shared().await;
        let (key, _) = key(app, json!({"metadata": {"cost_center": 42}})).await;
        let case = "metadata of a key";
        let ask = |metadata: &'static str| {
            let draft = chat("/openai/chat/completions", "gpt-4o").header("x-case", case);
            send(app, &key, draft.header("cf-aig-metadata", metadata))
        };
        assert_eq!(ask(r#"{"cost_center": 1}"#).await.status, 200);
        let received = app.simulator.received(case);
        let metadata = received[0].headers["cf-aig-metadata"].to_str().unwrap();
        assert!(metadata.ends_with(r#","cost_center":42}"#), "{metadata}");
        assert_eq!(ask(r#"{"other": 1}"#).await.status, 400);
    });
}

#[test]
fn provider_request_reads_the_store_once() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let scope = json!({"providers": ["openai", "bedrock"], "models": ["*"], "ttlSeconds": 60});
        let (key, _) = key(&app, scope).await;
        for (path, model) in [
            ("/openai/chat/completions", "gpt-4o"),
            ("/bedrock/chat/completions", "nova-lite"),
            ("/anthropic/chat/completions", "claude-sonnet-4-5"),
        ] {
            let before = app.store_operations();
            send(&app, &key, chat(path, model)).await;
            assert_eq!(app.store_operations() - before, 1, "{path}");
        }
    });
}

/// Waits until the log has `count` lines, because a line is written after its response, and returns them.
async fn log_lines(app: &App, count: usize) -> Vec<Value> {
    loop {
        let log = app.log();
        if log.lines().count() == count {
            return log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn key_management_and_denials_are_logged() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let (key, id) = key(&app, json!({"providers": ["openai"]})).await;
        log_lines(&app, 1).await;
        app.admin("PATCH", &format!("/tokens/{id}"), "{}").await.unwrap();
        log_lines(&app, 2).await;
        send(&app, &key, chat("/azure/chat/completions", "gpt-4o")).await;
        log_lines(&app, 3).await;
        app.client()
            .send(Client::request("DELETE", &format!("/tokens/{id}")).key(&key))
            .await
            .unwrap();
        log_lines(&app, 4).await;
        app.admin("DELETE", &format!("/tokens/{id}"), "").await.unwrap();
        let expected = [
            json!({"actor": "admin", "action": "create", "subject": id, "status": 201}),
            json!({"actor": "admin", "action": "patch", "subject": id, "status": 200}),
            json!({"provider": "azure", "key_id": id, "team_id": "scoped", "status": 403}),
            json!({"action": "revoke", "status": 401}),
            json!({"actor": "admin", "action": "revoke", "subject": id, "status": 204}),
        ];
        let lines = log_lines(&app, expected.len()).await;
        for (line, expected) in lines.iter().zip(expected) {
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(line[name], *value, "{name} of {line}");
            }
        }
        assert!(!app.log().contains(&key));
    });
}
