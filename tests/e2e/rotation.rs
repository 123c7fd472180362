//! Keys that are created or rotated concurrently or repeatedly.

use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::{Value, json};
use support::client::Draft;
use support::{ADMIN_TOKEN, App, Client, Config, run};

/// How many requests are concurrent, and how often they are made.
const AT_ONCE: usize = 4;
const ROUNDS: usize = 20;

fn creation(idempotency_key: &str) -> Draft {
    Client::post("/tokens", &json!({"teamId": "race"}))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .header("idempotency-key", idempotency_key)
}

/// Sends the same request to the gateways in turn, concurrently, and returns the responses' statuses.
async fn at_once(apps: &[&App], draft: impl Fn() -> Draft) -> Vec<u16> {
    let requests = apps.iter().cycle().take(AT_ONCE).map(|app| {
        let (client, draft) = (app.client(), draft());
        async move { client.send(draft).await }
    });
    let responses = join_all(requests).await.into_iter();
    responses.map(|response| response.unwrap().status).collect()
}

async fn keys(app: &App) -> Vec<Value> {
    let list = app.admin("GET", "/tokens?teamId=race&limit=200", "").await.unwrap().json();
    list["data"].as_array().unwrap().clone()
}

/// Checks that of concurrent creations and rotations exactly one succeeds. The gateways share a store.
pub(crate) async fn assert_one_succeeds(apps: &[&App]) {
    let app = apps[0];
    for round in 0..ROUNDS {
        let statuses = at_once(apps, || creation(&format!("round-{round}"))).await;
        let created = statuses.iter().filter(|status| **status == 201).count();
        let others = statuses.iter().filter(|status| **status == 409).count();
        assert_eq!((created, others), (1, AT_ONCE - 1), "{statuses:?}");
    }
    let created = keys(app).await;
    assert_eq!(created.len(), ROUNDS);
    for key in created {
        let path = format!("/tokens/{}/refresh?graceSeconds=600", key["id"].as_str().unwrap());
        let rotation = || {
            Client::request("POST", &path).header("authorization", format!("Bearer {ADMIN_TOKEN}"))
        };
        let statuses = at_once(apps, rotation).await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    }
    let rotated = keys(app).await;
    assert_eq!(rotated.len(), 2 * ROUNDS);
    assert_eq!(rotated.iter().filter(|key| key["replacedBy"].is_string()).count(), ROUNDS);
}

#[test]
fn requests_at_once_create_and_rotate_one_key() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        assert_one_succeeds(&[&app]).await;
    });
}

#[test]
fn rotating_again_and_again_does_not_fill_the_store() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let store = Connection::open(app.store_file()).unwrap();
        let count = || {
            let query = "SELECT count(*) FROM spin_key_value";
            store.query_row(query, [], |row| row.get::<_, u64>(0)).unwrap()
        };
        let mut id = app.create("blue").await.unwrap()["id"].as_str().unwrap().to_owned();
        let mut counts = Vec::new();
        for turn in 0..200 {
            let path = format!("/tokens/{id}/refresh?graceSeconds=604800");
            let draft = Client::request("POST", &path)
                .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
                .header("idempotency-key", turn.to_string());
            let response = app.client().send(draft).await.unwrap().json();
            response["id"].as_str().unwrap().clone_into(&mut id);
            counts.push(count());
        }
        assert_eq!(counts[9], counts[199], "{counts:?}");
    });
}

#[test]
fn holder_rotating_in_a_loop_is_429() {
    run(async {
        let app = App::shared().await;
        let mut key = app.key("blue").await.unwrap();
        for expected in [200, 429] {
            let draft = Client::request("POST", "/tokens/refresh?graceSeconds=1").key(&key);
            let response = app.client().send(draft).await.unwrap();
            assert_eq!(response.status, expected, "{}", response.text());
            if expected == 200 {
                response.json()["apiKey"].as_str().unwrap().clone_into(&mut key);
            } else {
                let wait: u64 = response.headers["retry-after"].to_str().unwrap().parse().unwrap();
                assert!((1..=11).contains(&wait), "{wait}");
            }
        }
    });
}
