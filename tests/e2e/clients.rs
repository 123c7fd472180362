//! Clients that disconnect, or send too much.

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
const V1: &str = "/v1/chat/completions";

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time within which an upstream must notice that the client has disconnected. Half a second is
/// usual; on a busy machine one of several attempts has to meet the limit.
const NOTICE: Duration = Duration::from_secs(1);
const ATTEMPTS: usize = 3;

/// The text of the log entry of a request whose client has disconnected.
pub(crate) const DISCONNECTED: &str = "client disconnected before the response was complete";

fn stream(target: &str, key: &str, case: &str) -> Draft {
    let message = json!({"role": "user", "content": "hello"});
    let model = match target {
        BEDROCK => "nova-lite",
        V1 => "openai/gpt-4o",
        _ => "gpt-4o",
    };
    let body = json!({"model": model, "stream": true, "messages": [message]});
    Client::post(target, &body).key(key).header("x-case", case)
}

/// Returns the response headers and the first chunk of an endless chunked body.
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

/// Returns streams that continue and streams that stall, for a passed-through and a translated route.
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
            (format!("{OPENAI} continues {attempt}"), vec![plain(), chunk(event)]),
            (format!("{OPENAI} stalls {attempt}"), vec![plain(), Step::Silence]),
            (format!("{V1} continues {attempt}"), vec![plain(), chunk(event)]),
            (format!("{V1} stalls {attempt}"), vec![plain(), Step::Silence]),
            (format!("{BEDROCK} continues {attempt}"), vec![frames(), chunk(&delta())]),
            (format!("{BEDROCK} stalls {attempt}"), vec![frames(), Step::Silence]),
        ]
    };
    (0..ATTEMPTS).flat_map(of_attempt).collect()
}

/// Waits until `condition` is true.
pub(crate) async fn eventually_async(condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the condition never became true");
}

/// Waits until `condition` is true.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the condition never became true");
}

#[test]
fn client_disconnect_mid_stream_closes_the_upstream_within_a_second() {
    run(async {
        let upstream = Upstream::start(scripts()).await.unwrap();
        let app = App::start(Config::default().upstream(upstream.address)).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let mut sent = 0;
        for target in [OPENAI, BEDROCK, V1] {
            for kind in ["continues", "stalls"] {
                let mut noticed = Vec::new();
                while noticed.len() < ATTEMPTS && noticed.last().is_none_or(|last| *last >= NOTICE)
                {
                    let case = format!("{target} {kind} {}", noticed.len());
                    noticed.push(
                        disconnect(&app, &upstream, stream(target, &key, &case), &case).await,
                    );
                }
                sent += noticed.len();
                assert!(noticed.last() < Some(&NOTICE), "{target} {kind}: {noticed:?}");
            }
        }
        // A request through `/v1` has two lines, of both components.
        eventually(|| app.log().matches(DISCONNECTED).count() >= sent).await;
    });
}

/// Closes the connection after the first chunk, and returns the time until the upstream notices.
async fn disconnect(app: &App, upstream: &Upstream, draft: Draft, case: &str) -> Duration {
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
fn client_disconnect_before_the_response_affects_no_other_request() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("blue").await.unwrap();
        for (provider, target) in [("openai", OPENAI), ("bedrock", BEDROCK)] {
            let case = format!("{target} early");
            let draft = stream(target, &key, &case).header("x-simulate", "head_delay=500");
            let mut connection = app.client().connect().await.unwrap();
            {
                let received = eventually(|| !app.simulator.received(&case).is_empty());
                tokio::select! {
                    response = connection.open(draft) => panic!("responded too early: {response:?}"),
                    () = received => {}
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
fn body_of_33_mib_is_413() {
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
            // The request headers suffice to reject it: a client need not send the body first.
            let response = send_and_read(app, announced.as_bytes()).await;
            assert!(response.starts_with("HTTP/1.1 413 "), "{target}: {response}");
            assert!(response.contains("request_too_large"), "{target}: {response}");
            let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len());
            let response = send_and_read(app, &[chunked.as_bytes(), &body].concat()).await;
            assert!(response.starts_with("HTTP/1.1 413 "), "{target}: {response}");
        }
    });
}

/// Writes and reads concurrently, so that a response before the end of the request is seen.
pub(crate) async fn send_and_read(app: &App, bytes: &[u8]) -> String {
    let stream = TcpStream::connect(app.address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let mut response = Vec::new();
    let exchange = async {
        tokio::select! {
            _ = reader.read_to_end(&mut response) => {}
            () = async { let _ = writer.write_all(bytes).await; std::future::pending().await } => {}
        }
    };
    tokio::time::timeout(PATIENCE, exchange).await.expect("a response in time");
    String::from_utf8_lossy(&response).into_owned()
}

#[test]
fn truncated_body_is_not_forwarded() {
    run(async {
        let app = App::shared().await;
        let key = app.key("blue").await.unwrap();
        for target in [OPENAI, BEDROCK] {
            let case = format!("{target} truncated");
            let head = format!(
                "POST {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nx-case: {case}\r\n\
                 content-type: application/json\r\ncontent-length: 100\r\n\r\n{{\"model\":"
            );
            let mut stream = TcpStream::connect(app.address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut response = String::new();
            let reading = stream.read_to_string(&mut response);
            let _ = tokio::time::timeout(PATIENCE, reading).await.unwrap();
            assert!(!response.starts_with("HTTP/1.1 200"), "{target}: {response}");
            assert!(app.simulator.received(&case).is_empty(), "{target}");
        }
    });
}
