//! Clients that send a body slowly, in tiny chunks, or never.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use support::{ADMIN_TOKEN, App, Client, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clients::send_and_read;

const OPENAI: &str = "/openai/chat/completions";
const BEDROCK: &str = "/bedrock/chat/completions";

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn slow_body_arrives_whole() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        for (target, model) in [(OPENAI, "gpt-4o"), (BEDROCK, "nova-lite")] {
            let message = json!({"role": "user", "content": "hello"});
            let body = json!({"model": model, "messages": [message]}).to_string();
            let mut stream = TcpStream::connect(app.address).await.unwrap();
            let head = format!(
                "POST {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            for byte in body.as_bytes() {
                stream.write_all(&[*byte]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let mut response = String::new();
            stream.read_to_string(&mut response).await.unwrap();
            assert!(response.starts_with("HTTP/1.1 200 "), "{target}: {response}");
        }
    });
}

/// Writes `head` and reads the whole response.
async fn respond_to(app: &App, head: &str) -> String {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    let reading = stream.read_to_string(&mut response);
    let reading = tokio::time::timeout(2 * PATIENCE, reading).await;
    reading.expect("a response in time").unwrap();
    response
}

#[test]
fn stalled_body_is_400_after_a_timeout() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let heads = [
            ("/tokens", ADMIN_TOKEN, "content-length: 10\r\n\r\n{"),
            (OPENAI, &key, "content-type: application/json\r\ncontent-length: 1000000\r\n\r\n{"),
            (OPENAI, &key, "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"),
            (BEDROCK, &key, "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"),
            ("/openai/files", &key, "content-length: 1000000\r\n\r\n"),
            ("/openai/files", &key, "content-length: 1000000\r\n\r\nx"),
            ("/openai/files", &key, "transfer-encoding: chunked\r\n\r\n"),
            ("/openai/files", &key, "transfer-encoding: chunked\r\n\r\n1\r\nx\r\n"),
        ];
        let heads = heads.map(|(target, token, rest)| {
            format!(
                "POST {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                 authorization: Bearer {token}\r\n{rest}"
            )
        });
        let responses = join_all(heads.iter().map(|head| respond_to(app, head))).await;
        for (head, response) in heads.iter().zip(responses) {
            assert!(response.starts_with("HTTP/1.1 400 "), "{head}: {response}");
            assert!(response.contains(r#""code":"incomplete_body""#), "{head}: {response}");
        }
    });
}

/// Sends a body in chunks of one byte each. They cost the gateway far more than the client.
#[test]
fn body_in_tiny_chunks_is_400() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        for (target, media_type) in
            [(OPENAI, "application/json"), (BEDROCK, "application/json"), ("/openai/files", "a/b")]
        {
            let head = format!(
                "POST {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
                 content-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n"
            );
            let chunks = "1\r\n \r\n".repeat(500_000);
            let response = send_and_read(app, (head + &chunks).as_bytes()).await;
            assert!(response.starts_with("HTTP/1.1 400 "), "{target}: {response}");
            assert!(response.contains(r#""code":"incomplete_body""#), "{target}: {response}");
        }
    });
}

#[test]
fn body_of_a_method_without_one_is_not_awaited() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        for (request, status) in [
            ("GET /openai/models", "200"),
            ("HEAD /openai/models", "404"),
            ("DELETE /openai/files/file-1", "200"),
            ("GET /bedrock/models", "200"),
            ("GET /anthropic/models", "200"),
        ] {
            let head = format!(
                "{request} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nx-case: {request}\r\n\
                 content-type: application/json\r\ncontent-length: 65536\r\n\r\n"
            );
            let mut stream = TcpStream::connect(app.address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut start = [0; 12];
            let reading = tokio::time::timeout(PATIENCE, stream.read_exact(&mut start));
            reading.await.expect("a response before the body").unwrap();
            assert_eq!(start, format!("HTTP/1.1 {status}").as_bytes(), "{request}");
            let received = app.simulator.received(request);
            assert!(received.iter().all(|it| it.body.is_empty()), "{request}");
        }
    });
}

/// Checks that a body that never arrives does not occupy the host before the client is known. Far
/// more such requests are open than a host has instances.
#[test]
fn missing_bodies_before_authentication_stop_no_one() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let mut idle = Vec::new();
        for number in 0..1100 {
            let (request, status) = match number % 4 {
                0 => ("GET /healthz", "200"),
                1 => ("POST /tokens", "401"),
                2 => ("PATCH /tokens/0123456789abcdef0123456789abcdef", "401"),
                _ => ("POST /openai/chat/completions", "401"),
            };
            let mut stream = TcpStream::connect(app.address).await.unwrap();
            let head = format!(
                "{request} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 content-length: 65536\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            idle.push((stream, request, status));
        }
        for _ in 0..20 {
            let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
            let request = Client::post(OPENAI, &body).key(&key);
            let client = app.client();
            let served = tokio::time::timeout(PATIENCE, client.send(request));
            assert_eq!(served.await.expect("a response in time").unwrap().status, 200);
        }
        for (mut stream, request, status) in idle {
            let mut start = [0; 12];
            let reading = tokio::time::timeout(PATIENCE, stream.read_exact(&mut start));
            reading.await.expect("a response before the body").unwrap();
            assert_eq!(start, format!("HTTP/1.1 {status}").as_bytes(), "{request}");
        }
    });
}
