//! Web pages that call the gateway from a browser.

use support::{App, Client, Config, Response, run};

const PAGE: &str = "https://app.example";

/// Returns a response header, or an empty text.
fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn page_of_an_allowed_origin_reads_responses_and_errors() {
    run(async {
        let config =
            Config::default().with("cors_origins", "https://app.example https://b.example");
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
        for (target, key, status) in [
            ("/openai/models", key.as_str(), 200),
            ("/openai/models", "wrong", 401),
            ("/anthropic/models", &key, 200),
            ("/bedrock/models", &key, 200),
            ("/tokens", "wrong", 401),
        ] {
            for (origin, is_allowed) in [(PAGE, true), ("https://evil.example", false)] {
                let request = Client::request("GET", target).key(key).header("origin", origin);
                let response = app.client().send(request).await.unwrap();
                assert_eq!(response.status, status, "{target}");
                let expected = if is_allowed { origin } else { "" };
                assert_eq!(header(&response, "access-control-allow-origin"), expected, "{target}");
                let expected = if is_allowed { "*" } else { "" };
                assert_eq!(header(&response, "access-control-expose-headers"), expected);
            }
        }
    });
}

#[test]
fn preflight_needs_no_key() {
    run(async {
        let app = App::start(Config::default().with("cors_origins", PAGE)).await.unwrap();
        let preflight = |target: &str, origin: &str| {
            Client::request("OPTIONS", target)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization,content-type")
        };
        for target in ["/openai/chat/completions", "/bedrock/chat/completions", "/tokens"] {
            let response = app.client().send(preflight(target, PAGE)).await.unwrap();
            assert_eq!((response.status, response.body.len()), (204, 0), "{target}");
            assert_eq!(header(&response, "access-control-allow-origin"), PAGE);
            let allowed = header(&response, "access-control-allow-headers");
            assert_eq!(allowed, "authorization,content-type");
            assert!(header(&response, "access-control-allow-methods").contains("POST"));
            let other = preflight(target, "https://evil.example");
            assert_ne!(app.client().send(other).await.unwrap().status, 204, "{target}");
        }
        let off = App::shared().await;
        let response = off.client().send(preflight("/openai/models", PAGE)).await.unwrap();
        assert_eq!(response.status, 401, "without the setting nothing is allowed");
    });
}
