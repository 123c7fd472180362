//! Creating, showing and rotating keys.

use serde_json::{Value, json};
use support::{ADMIN_TOKEN, App, Client, Response, run};

async fn get(app: &App, target: &str) -> Response {
    app.client().send(Client::request("GET", target)).await.unwrap()
}

async fn models(app: &App, key: &str) -> Response {
    app.client().send(Client::request("GET", "/openai/models").key(key)).await.unwrap()
}

fn names(value: &Value) -> Vec<&String> {
    let mut names: Vec<&String> = value.as_object().unwrap().keys().collect();
    names.sort();
    names
}

#[test]
fn create_token_returns_exactly_the_record() {
    run(async {
        let app = App::shared().await;
        let body = json!({"teamId": "blue", "name": "Blue team", "limited": true});
        let request =
            Client::post("/tokens", &body).header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        let response = app.client().send(request).await.unwrap();
        assert_eq!(
            (response.status, &response.headers["cache-control"]),
            (201, &"no-store".parse().unwrap())
        );
        let record = response.json();
        assert_eq!(names(&record), ["apiKey", "createdAt", "id", "limited", "name", "teamId"]);
        assert_eq!((&record["teamId"], &record["name"]), (&body["teamId"], &body["name"]));
        assert_eq!(record["limited"], true);
        let key = record["apiKey"].as_str().unwrap();
        assert!(key.len() == 67 && key.starts_with("sk_"), "{key}");
        let created = record["createdAt"].as_str().unwrap().as_bytes();
        assert_eq!((created.len(), created[19], created[23]), (24, b'.', b'Z'));
    });
}

#[test]
fn create_token_twice_returns_different_keys() {
    run(async {
        let app = App::shared().await;
        assert_ne!(app.key("blue").await.unwrap(), app.key("blue").await.unwrap());
    });
}

#[test]
fn show_token_returns_the_record_without_the_key() {
    run(async {
        let app = App::shared().await;
        let mut record = app.create("blue").await.unwrap();
        let key = record["apiKey"].as_str().unwrap().to_owned();
        let shown = get(app, &format!("/tokens/{key}")).await;
        record.as_object_mut().unwrap().remove("apiKey");
        record["counted"] = false.into();
        assert_eq!((shown.status, shown.json()), (200, record));
    });
}

#[test]
fn refresh_token_revokes_the_old_key_immediately() {
    run(async {
        let app = App::shared().await;
        for by_path in [true, false] {
            let record = app.create("blue").await.unwrap();
            let old = record["apiKey"].as_str().unwrap();
            let request = if by_path {
                Client::request("POST", &format!("/tokens/{old}/refresh"))
            } else {
                Client::request("POST", "/tokens/refresh?graceSeconds=0").key(old)
            };
            let response = app.client().send(request).await.unwrap();
            assert_eq!(response.status, 200, "{response:?}");
            let renewed = response.json();
            let new = renewed["apiKey"].as_str().unwrap();
            assert_ne!(new, old);
            for name in ["teamId", "name", "limited", "createdAt"] {
                assert_eq!(renewed[name], record[name], "{name}");
            }
            assert_eq!(models(app, new).await.status, 200);
            assert_eq!(models(app, old).await.code(), "invalid_api_key");
            assert_eq!(get(app, &format!("/tokens/{old}")).await.status, 401);
        }
    });
}

#[test]
fn create_token_with_more_than_64_kib_is_413() {
    run(async {
        let app = App::shared().await;
        let request = Client::request("POST", "/tokens")
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
            .body(vec![b' '; 64 * 1024 + 1]);
        let response = app.client().send(request).await.unwrap();
        assert_eq!((response.status, response.code().as_str()), (413, "request_too_large"));
    });
}
