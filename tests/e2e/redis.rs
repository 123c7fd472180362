//! Keys that two gateways share in a real Redis, and an outage of that Redis.

use std::time::{Duration, Instant};

use support::redis::Redis;
use support::{App, Client, Response, run};

/// How long a gateway may take to find the store again.
const PATIENCE: Duration = Duration::from_secs(20);

async fn models(app: &App, key: &str) -> Response {
    app.client().send(Client::request("GET", "/openai/models").key(key)).await.unwrap()
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be visible in the output")]
fn gateways_share_keys_and_a_store_outage_is_503_until_it_ends() {
    let Some(mut redis) = Redis::start() else {
        eprintln!("skipped: redis-server is not installed");
        return;
    };
    run(async {
        let one = App::start(redis.config()).await.unwrap();
        let other = App::start(redis.config()).await.unwrap();
        let created = one.create("blue").await.unwrap();
        let key = created["apiKey"].as_str().unwrap();
        let kept = one.key("red").await.unwrap();
        assert_eq!(models(&other, key).await.status, 200);

        let target = format!("/tokens/{}", created["id"].as_str().unwrap());
        assert_eq!(
            other.admin("GET", "/tokens", "").await.unwrap().json()["data"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        assert_eq!(one.admin("DELETE", &target, "").await.unwrap().status, 204);
        assert_eq!(models(&other, key).await.status, 401);

        redis.kill();
        for app in [&one, &other] {
            let response = models(app, &kept).await;
            assert_eq!((response.status, response.code().as_str()), (503, "store_unavailable"));
            assert_eq!(response.headers["retry-after"], "1");
        }

        redis.restart();
        for app in [&one, &other] {
            // A request opens the connection again, and that request may still find the old one broken.
            let start = Instant::now();
            while models(app, &kept).await.status != 200 {
                assert!(start.elapsed() < PATIENCE, "the store does not recover");
            }
        }
        assert_eq!(models(&one, key).await.status, 401);
    });
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be visible in the output")]
fn requests_at_once_to_two_gateways_create_and_rotate_one_key() {
    let Some(redis) = Redis::start() else {
        eprintln!("skipped: redis-server is not installed");
        return;
    };
    run(async {
        let one = App::start(redis.config()).await.unwrap();
        let other = App::start(redis.config()).await.unwrap();
        crate::rotation::assert_one_succeeds(&[&one, &other]).await;
    });
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be visible in the output")]
fn key_in_a_full_store_can_be_revoked() {
    let Some(redis) = Redis::start() else {
        eprintln!("skipped: redis-server is not installed");
        return;
    };
    run(async {
        let app = App::start(redis.config()).await.unwrap();
        let created = app.create("blue").await.unwrap();
        let key = created["apiKey"].as_str().unwrap();
        redis.configure("maxmemory-policy", "noeviction");
        redis.configure("maxmemory", "1");
        let creation = app.admin("POST", "/tokens", r#"{"teamId":"red"}"#).await.unwrap();
        assert_eq!((creation.status, creation.code().as_str()), (503, "store_unavailable"));
        assert_eq!(models(&app, key).await.status, 200);
        let target = format!("/tokens/{}", created["id"].as_str().unwrap());
        assert_eq!(app.admin("DELETE", &target, "").await.unwrap().status, 204);
        assert_eq!(models(&app, key).await.status, 401);
    });
}
