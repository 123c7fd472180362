//! Targets and headers that must not reach the upstream, however a client writes them.

use support::{App, Client, run};

/// Sends `head` unchanged and returns the status line of the response.
async fn status_of(app: &App, head: &str) -> String {
    let response = app.client().send_raw(head.as_bytes()).await.unwrap();
    response.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn ambiguous_target_is_400() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        for target in [
            "/openai/../tokens",
            "/openai/v1/../../x",
            "/openai/%2e%2e/%2e%2e/x",
            "/openai//evil.example/x",
            "/openai/a%2Fb",
            "/openai/a%5Cb",
            "/openai/a%00b",
            "/openai/a%0d%0aset-cookie:%20x",
            "/openai/./models",
            "http://evil.example/openai/../models",
        ] {
            let head = format!(
                "GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-case: {target}\r\n\
                 authorization: Bearer {key}\r\n\r\n"
            );
            assert_eq!(status_of(app, &head).await, "HTTP/1.1 400 Bad Request", "{target}");
            assert!(app.simulator.received(target).is_empty(), "{target}");
        }
    });
}

#[test]
fn absolute_target_reaches_only_the_ai_gateway() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let head = format!(
            "GET http://evil.example/openai/models HTTP/1.1\r\nhost: evil.example\r\n\
             connection: close\r\nx-case: absolute\r\nauthorization: Bearer {key}\r\n\r\n"
        );
        assert_eq!(status_of(app, &head).await, "HTTP/1.1 200 OK");
        let received = app.simulator.received("absolute");
        assert!(received[0].target.ends_with("/openai/models"));
        assert_eq!(received[0].headers["host"], app.upstream.to_string().as_str());
    });
}

#[test]
fn repeated_header_is_dropped_or_forwarded_whole() {
    run(async {
        let app = App::shared().await;
        let key = app.account_key("blue").await.unwrap();
        let request = Client::request("GET", "/openai/echo")
            .key(&key)
            .header("x-case", "repeated")
            .header("x-api-key", "one")
            .header("x-api-key", "two")
            .header("x-mine", "one")
            .header("x-mine", b"\xe4two");
        assert_eq!(app.client().send(request).await.unwrap().status, 200);
        let headers = &app.simulator.received("repeated")[0].headers;
        assert!(headers.get("x-api-key").is_none());
        let mine: Vec<&[u8]> =
            headers.get_all("x-mine").iter().map(http::HeaderValue::as_bytes).collect();
        assert_eq!(mine, [b"one".as_slice(), b"\xe4two"]);
    });
}

#[test]
fn model_too_long_for_a_header_is_400() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let body = serde_json::json!({"model": "x".repeat(140_000)});
        let request = Client::post("/openai/chat/completions", &body).key(&key);
        let response = app.client().send(request).await.unwrap();
        assert_eq!((response.status, response.code().as_str()), (400, "invalid_body"));
    });
}

#[test]
fn headers_too_large_for_the_host_are_400() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let large = "x".repeat(70_000);
        let request = Client::request("GET", "/openai/models").key(&key).header("x-large", large);
        let response = app.client().send(request).await.unwrap();
        assert_eq!((response.status, response.code().as_str()), (400, "invalid_header"));
    });
}

#[test]
fn request_without_a_host_is_400_or_served() {
    run(async {
        let app = App::shared().await;
        let missing = "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n";
        assert_eq!(status_of(app, missing).await, "HTTP/1.1 400 Bad Request");
        // Some health checks speak HTTP/1.0, which has no such header.
        let old = "GET /healthz HTTP/1.0\r\n\r\n";
        assert_eq!(status_of(app, old).await, "HTTP/1.0 200 OK");
    });
}
