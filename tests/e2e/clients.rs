//! Clients that leave, are slow, or send too much.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway_host::simulator::bedrock::frame;
use http_body_util::BodyExt as _;
use serde_json::json;
use support::client::Draft;
use support::upstream::{Step, Upstream};
use support::{App, Client, Config, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const OPENAI: &str = "/openai/chat/completions";
const BEDROCK: &str = "/bedrock/chat/completions";

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time in which an upstream must see that nobody reads any more. It takes half a second; where
/// the machine has much else to do, one of so many attempts must show it.
const NOTICE: Duration = Duration::from_secs(1);
const ATTEMPTS: usize = 3;

fn stream(target: &str, key: &str, case: &str) -> Draft {
    let message = json!({"role": "user", "content": "hello"});
    let model = if target == BEDROCK { "nova-lite" } else { "gpt-4o" };
    let body = json!({"model": model, "stream": true, "messages": [message]});
    Client::post(target, &body).key(key).header("x-case", case)
}

/// The start of a stream that has no end, of chunks of HTTP.
fn endless(media: &str, first: &[u8]) -> Step {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
        first.len()
    );
    Step::Send([head.as_bytes(), first, b"\r\n"].concat().into())
}

fn delta() -> Bytes {
    frame("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "hello"}}))
}

/// Streams that go on, and streams that fall silent, of both kinds.
fn scripts() -> HashMap<String, Vec<Step>> {
    let event = b"data: {}\n\n".as_slice();
    let start = [&frame("messageStart", json!({"role": "assistant"}))[..], &delta()].concat();
    let chunk = |bytes: &[u8]| {
        let length = format!("{:x}\r\n", bytes.len());
        let bytes = [length.as_bytes(), bytes, b"\r\n"].concat();
        Step::Forever(bytes.into(), Duration::from_millis(20))
    };
    let plain = || endless("text/event-stream", event);
    let frames = || endless("application/vnd.amazon.eventstream", &start);
    let of_attempt = |attempt| {
        [
            (format!("{OPENAI} goes on {attempt}"), vec![plain(), chunk(event)]),
            (format!("{OPENAI} is silent {attempt}"), vec![plain(), Step::Silence]),
            (format!("{BEDROCK} goes on {attempt}"), vec![frames(), chunk(&delta())]),
            (format!("{BEDROCK} is silent {attempt}"), vec![frames(), Step::Silence]),
        ]
    };
    (0..ATTEMPTS).flat_map(of_attempt).collect()
}

/// Waits for `is_so`.
async fn eventually(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it never came to be");
}

#[test]
fn an_upstream_sees_within_a_second_that_the_client_has_left() {
    run(async {
        let upstream = Upstream::start(scripts()).await.unwrap();
        let app = App::start(Config::default().before(upstream.address)).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let mut asked = 0;
        for target in [OPENAI, BEDROCK] {
            for kind in ["goes on", "is silent"] {
                let mut noticed = Vec::new();
                while noticed.len() < ATTEMPTS && noticed.last().is_none_or(|last| *last >= NOTICE)
                {
                    let case = format!("{target} {kind} {}", noticed.len());
                    noticed.push(leave(&app, &upstream, stream(target, &key, &case), &case).await);
                }
                asked += noticed.len();
                assert!(noticed.last() < Some(&NOTICE), "{target} {kind}: {noticed:?}");
            }
        }
        eventually(|| app.log().matches("the client left before the end").count() == asked).await;
    });
}

/// Leaves after the first chunk, and tells after what time the upstream has seen it.
async fn leave(app: &App, upstream: &Upstream, draft: Draft, case: &str) -> Duration {
    let mut connection = app.client().connect().await.unwrap();
    let mut response = connection.open(draft).await.unwrap();
    let first = response.body_mut().frame();
    assert!(tokio::time::timeout(PATIENCE, first).await.unwrap().is_some(), "{case}");
    drop((response, connection));
    let left = Instant::now();
    eventually(|| upstream.closed(case).is_some()).await;
    upstream.closed(case).unwrap().saturating_duration_since(left)
}

#[test]
fn a_client_that_leaves_before_the_head_harms_nobody() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("blue").await.unwrap();
        for (provider, target) in [("openai", OPENAI), ("bedrock", BEDROCK)] {
            let case = format!("{target} early");
            let draft = stream(target, &key, &case).header("x-simulate", "head_delay=500");
            let mut connection = app.client().connect().await.unwrap();
            {
                let asked = eventually(|| !app.simulator.received(&case).is_empty());
                tokio::select! {
                    answer = connection.open(draft) => panic!("answered before its time: {answer:?}"),
                    () = asked => {}
                }
            }
            drop(connection);
            let line = format!(r#""provider":"{provider}""#);
            eventually(|| app.log().contains(&line)).await;
            let next = app.client().send(stream(target, &key, &case)).await.unwrap();
            assert!(next.status == 200 && next.text().contains("[DONE]"), "{target}");
        }
    });
}

#[test]
fn a_body_of_33_mib_is_413_however_it_comes() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        let body = vec![b' '; 33 * 1024 * 1024];
        for target in [OPENAI, BEDROCK] {
            let head = format!(
                "POST {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
                 content-type: application/json\r\n"
            );
            let announced = format!("{head}content-length: {}\r\n\r\n", body.len());
            // The head alone is refused: nobody has to send all of it to hear that.
            let said = send_and_read(app, announced.as_bytes()).await;
            assert!(said.starts_with("HTTP/1.1 413 "), "{target}: {said}");
            assert!(said.contains("request_too_large"), "{target}: {said}");
            let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len());
            let said = send_and_read(app, &[chunked.as_bytes(), &body].concat()).await;
            assert!(said.starts_with("HTTP/1.1 413 "), "{target}: {said}");
        }
    });
}

/// Writes while it reads, so that an answer before the end is seen.
async fn send_and_read(app: &App, bytes: &[u8]) -> String {
    let stream = TcpStream::connect(app.address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let mut said = Vec::new();
    let exchange = async {
        tokio::select! {
            _ = reader.read_to_end(&mut said) => {}
            () = async { let _ = writer.write_all(bytes).await; std::future::pending().await } => {}
        }
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("an answer in time");
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_slow_body_arrives_whole() {
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
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            assert!(said.starts_with("HTTP/1.1 200 "), "{target}: {said}");
        }
    });
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for_without_end() {
    run(async {
        let app = App::shared().await;
        let head = "POST /tokens HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
            content-length: 10\r\n\r\n{";
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = String::new();
        let answer = stream.read_to_string(&mut said);
        tokio::time::timeout(2 * PATIENCE, answer).await.expect("an answer in time").unwrap();
        assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
        assert!(said.contains(r#""code":"incomplete_body""#), "{said}");
    });
}

#[test]
fn half_a_body_is_no_request() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        for target in [OPENAI, BEDROCK] {
            let case = format!("{target} half");
            let head = format!(
                "POST {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nx-case: {case}\r\n\
                 content-type: application/json\r\ncontent-length: 100\r\n\r\n{{\"model\":"
            );
            let mut stream = TcpStream::connect(app.address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut said = String::new();
            let _ = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut said)).await.unwrap();
            assert!(!said.starts_with("HTTP/1.1 200"), "{target}: {said}");
            assert!(app.simulator.received(&case).is_empty(), "{target}");
        }
    });
}
