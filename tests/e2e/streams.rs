//! Bodies: streaming, truncated responses, and large bodies in both directions.

use std::time::Duration;

use gateway_host::simulator::faults::ODD_STREAM;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::json;
use support::client::Draft;
use support::{App, Client, Config, chat_model, providers, run};

use crate::clients::DISCONNECTED;

const CHAT: &str = "/openai/chat/completions";

/// A test that waits longer than this for a chunk has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn chat_stream(key: &str, faults: &str) -> Draft {
    let message = json!({"role": "user", "content": "one two three"});
    let body = json!({"model": "gpt-4o", "stream": true, "messages": [message]});
    Client::post(CHAT, &body).key(key).header("x-simulate", faults)
}

async fn next_chunk(body: &mut Incoming) -> Option<String> {
    let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("a chunk in time")?;
    let data = frame.expect("an unbroken stream").into_data().expect("data");
    Some(String::from_utf8(data.to_vec()).unwrap())
}

#[test]
fn chunk_arrives_before_the_upstream_sends_the_next() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let mut connection = app.client().connect().await.unwrap();
        let mut response = connection.open(chat_stream(&key, "gate=streams")).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        let first = next_chunk(response.body_mut()).await.unwrap();
        assert!(first.contains(r#""role":"assistant""#), "{first}");
        // The upstream waits for this before it sends the second chunk.
        app.simulator.open_gate("streams");
        let mut rest = String::new();
        while let Some(chunk) = next_chunk(response.body_mut()).await {
            rest.push_str(&chunk);
        }
        assert!(rest.contains("three") && rest.ends_with("data: [DONE]\n\n"), "{rest}");
    });
}

#[test]
fn unusual_stream_arrives_byte_for_byte_on_every_route() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        // Bedrock's streams are translated and not forwarded.
        for route in providers().unwrap().iter().filter(|name| *name != "bedrock") {
            let model = chat_model(route).unwrap();
            let body = json!({"model": model, "stream": true, "messages": []});
            let request = Client::post(&format!("/{route}/v1/chat/completions"), &body)
                .key(&key)
                .header("x-simulate", "odd=1");
            let response = app.client().send(request).await.unwrap();
            assert_eq!((response.status, response.is_complete), (200, true), "{route}");
            assert_eq!(response.body, ODD_STREAM, "{route}: {}", response.text());
        }
    });
}

#[test]
fn stream_of_many_chunks_arrives_whole() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let response = app.client().send(chat_stream(&key, "chunks=2000")).await.unwrap();
        assert_eq!(response.text().matches("token ").count(), 2000);
        assert!(response.is_complete && response.text().ends_with("[DONE]\n\n"));
    });
}

#[test]
fn download_arrives_byte_for_byte() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let body = json!({"model": "tts-1", "input": "hi", "voice": "alloy"});
        let request = Client::post("/openai/audio/speech", &body).key(&key);
        let response = app.client().send(request).await.unwrap();
        let expected: Vec<u8> = (0..=u8::MAX).cycle().take(200_000).collect();
        assert!(response.is_complete && response.body == expected);
        assert_eq!(response.headers["content-type"], "audio/mpeg");
        assert_eq!(response.headers["content-length"], "200000");
    });
}

#[test]
fn json_body_larger_than_host_buffers_arrives_whole() {
    run(async {
        let app = App::shared().await;
        let key = app.account_key("blue").await.unwrap();
        let text = "x".repeat(9 * 1024 * 1024);
        let body = json!({"model": "gpt-4o", "input": text}).to_string();
        let length = body.len();
        let request = Client::request("POST", "/openai/echo")
            .header("content-type", "application/json")
            .key(&key)
            .body(body);
        let response = app.client().send(request).await.unwrap();
        assert_eq!((response.status, &response.json()["bytes"]), (200, &json!(length)));
    });
}

#[test]
fn deeply_nested_body_is_accepted() {
    run(async {
        let app = App::shared().await;
        let key = app.account_key("blue").await.unwrap();
        let depth = 500_000;
        let body =
            format!(r#"{{"model":"gpt-4o","a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let length = body.len();
        let request = Client::request("POST", "/openai/echo")
            .header("content-type", "application/json")
            .key(&key)
            .body(body);
        let response = app.client().send(request).await.unwrap();
        assert_eq!((response.status, &response.json()["bytes"]), (200, &json!(length)));
    });
}

#[test]
fn upload_arrives_whole_and_unchanged() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        // More than a JSON body may have.
        let file: Vec<u8> = (0..=u8::MAX).cycle().take(40_000_000).collect();
        let head = "--B\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--B\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n";
        let body = [head.as_bytes(), &file, b"\r\n--B--\r\n"].concat();
        let request = Client::request("POST", "/openai/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=B")
            .key(&key)
            .body(body);
        let response = app.client().send(request).await.unwrap();
        assert_eq!(response.json()["text"], "40000000 bytes for whisper-1");
    });
}

#[test]
fn chunked_body_without_a_content_type_arrives() {
    run(async {
        let app = App::shared().await;
        let key = app.account_key("blue").await.unwrap();
        let request = format!(
            "POST /openai/echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
             transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        );
        let response = app.client().send_raw(request.as_bytes()).await.unwrap();
        assert!(response.contains(r#""body":"hello world""#), "{response}");
    });
}

#[test]
fn body_above_the_limit_is_413() {
    run(async {
        let config = Config::default().with("max_body_bytes", "1000");
        let app = App::start(config.with("max_upload_bytes", "2000")).await.unwrap();
        let key = app.key("blue").await.unwrap();
        for (media, length) in
            [("application/json", 1001), ("multipart/form-data; boundary=B", 2001)]
        {
            let body = vec![b' '; length];
            let request = Client::request("POST", CHAT).header("content-type", media).key(&key);
            let response = app.client().send(request.body(body)).await.unwrap();
            assert_eq!(
                (response.status, response.code().as_str()),
                (413, "request_too_large"),
                "{media}"
            );
            // Without a length, the limit is exceeded only while the body is read.
            let head = format!(
                "POST {CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
                 content-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n"
            );
            let body = format!("{length:x}\r\n{}\r\n0\r\n\r\n", " ".repeat(length));
            let response = app.client().send_raw((head + &body).as_bytes()).await.unwrap();
            assert!(response.starts_with("HTTP/1.1 413 "), "{media}: {response}");
        }
    });
}

#[test]
fn truncated_upload_is_not_forwarded() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let request = format!(
            "POST /openai/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nx-case: truncated\r\n\
             content-type: multipart/form-data; boundary=B\r\ncontent-length: 100\r\n\r\n--B\r\n"
        );
        let stream = tokio::net::TcpStream::connect(app.address).await.unwrap();
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        std::io::Write::write_all(&mut &stream, request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut response = String::new();
        let _ = std::io::Read::read_to_string(&mut &stream, &mut response);
        assert!(!response.starts_with("HTTP/1.1 200"), "{response}");
        assert!(app.simulator.received("truncated").is_empty());
    });
}

#[test]
fn client_disconnect_releases_the_upstream() {
    run(async {
        let app = App::shared().await;
        let key = app.key("disconnecting").await.unwrap();
        let mut connection = app.client().connect().await.unwrap();
        let draft = chat_stream(&key, "chunks=100000,chunk_delay=1");
        let mut response = connection.open(draft).await.unwrap();
        assert!(next_chunk(response.body_mut()).await.is_some());
        drop(response);
        drop(connection);
        let waited = tokio::time::Instant::now();
        while !app.log().contains(DISCONNECTED) {
            assert!(waited.elapsed() < PATIENCE, "the upstream is still being read");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

#[test]
fn slow_response_headers_are_504() {
    run(async {
        let app = App::start(Config::default().with("first_byte_timeout", "1")).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let response = app.client().send(chat_stream(&key, "head_delay=60000")).await.unwrap();
        assert_eq!((response.status, response.code().as_str()), (504, "upstream_timeout"));
    });
}

#[test]
fn silent_upstream_ends_with_an_error_event() {
    run(async {
        let app = App::start(Config::default().with("between_bytes_timeout", "1")).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let response = app.client().send(chat_stream(&key, "gate=never")).await.unwrap();
        let text = response.text();
        assert!(text.contains(r#""code":"upstream_timeout""#), "{text}");
        assert!(text.contains("between_bytes_timeout"), "{text}");
        assert!(!text.contains("[DONE]"), "{text}");
    });
}
