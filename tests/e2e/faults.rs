//! An upstream that fails in every way a connection can fail: the client gets the documented status
//! and error envelope, or a body that is visibly truncated, and the next request succeeds.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use gateway_host::simulator::bedrock::frame;
use serde_json::{Value, json};
use support::client::Draft;
use support::upstream::{Step, Upstream};
use support::{App, Client, Config, Response, run};

/// Seconds the upstream has until its response headers, and between two chunks of its body.
const FIRST_BYTE: &str = "10";
const BETWEEN_BYTES: &str = "12";

/// A request that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_mins(1);

const MEGABYTE: usize = 1024 * 1024;

/// The kind of a request: passed through or translated, with a whole response or a stream.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Kind {
    Plain,
    Events,
    Converse,
    ConverseEvents,
}

use Kind::{Converse, ConverseEvents, Events, Plain};

const ALL: [Kind; 4] = [Plain, Events, Converse, ConverseEvents];

/// The response that the client has to get.
#[derive(Clone, Debug)]
enum Expected {
    /// An error in OpenAI's envelope, with this status and code.
    Error(u16, &'static str),
    /// A complete response with exactly this status and body.
    Whole(u16, Bytes),
    /// A complete response with a body of this many bytes.
    Length(usize),
    /// A complete response that contains this text.
    Text(&'static str),
    /// A 200 whose body is truncated.
    Cut,
    /// A 200 whose events end with an error and without `[DONE]`.
    Interrupted(&'static str),
}

struct Case {
    name: &'static str,
    kind: Kind,
    script: Vec<Step>,
    expected: Expected,
}

impl Case {
    /// Returns the name of the case's script at the upstream.
    fn id(&self) -> String {
        format!("{} {:?}", self.name, self.kind)
    }
}

// === scripts ===

fn send(bytes: impl Into<Bytes>) -> Step {
    Step::Send(bytes.into())
}

/// The start of most responses. A script ends with its connection, which must not be used again.
const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n";

/// Returns response headers that announce `length` bytes.
fn head(media: &str, length: usize) -> String {
    format!("{OK}content-type: {media}\r\ncontent-length: {length}\r\n\r\n")
}

fn whole(media: &str, body: &[u8]) -> Step {
    send([head(media, body.len()).as_bytes(), body].concat())
}

/// Returns the response headers of a chunked body.
fn chunked(media: &str) -> Vec<u8> {
    format!("{OK}content-type: {media}\r\ntransfer-encoding: chunked\r\n\r\n").into()
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

const END: &[u8] = b"0\r\n\r\n";
const JSON: &str = "application/json";
const SSE: &str = "text/event-stream";
const FRAMES: &str = "application/vnd.amazon.eventstream";

fn converse_response() -> Vec<u8> {
    json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    })
    .to_string()
    .into()
}

fn delta(text: &str) -> Bytes {
    frame("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": text}}))
}

/// Returns the frames before the text, and those after it.
fn frames_around() -> (Vec<u8>, Vec<u8>) {
    let usage = json!({"inputTokens": 1, "outputTokens": 1, "totalTokens": 2});
    let start = frame("messageStart", json!({"role": "assistant"}));
    let end = [
        frame("contentBlockStop", json!({"contentBlockIndex": 0})),
        frame("messageStop", json!({"stopReason": "end_turn"})),
        frame("metadata", json!({"usage": usage, "metrics": {"latencyMs": 1}})),
    ];
    (start.to_vec(), end.concat())
}

/// Returns the script of a healthy upstream.
fn healthy(kind: Kind) -> Vec<Step> {
    let (start, end) = frames_around();
    match kind {
        Plain => vec![whole(JSON, b"{\"ok\":1}")],
        Events => vec![whole(SSE, b"data: {}\n\ndata: [DONE]\n\n")],
        Converse => vec![whole(JSON, &converse_response())],
        ConverseEvents => vec![whole(FRAMES, &[&start[..], &delta("hello"), &end].concat())],
    }
}

/// Returns the response headers and the first chunk of a body.
fn begun(kind: Kind) -> Vec<u8> {
    let (media, first) = match kind {
        Plain => (JSON, b"{\"a\":".to_vec()),
        Events => (SSE, b"data: {}\n\n".to_vec()),
        Converse => (JSON, b"{\"output\":".to_vec()),
        ConverseEvents => (FRAMES, begun_frames()),
    };
    [chunked(media), chunk(&first)].concat()
}

// === cases ===

/// Returns failures before there is a response, which are the same for all kinds.
fn cases_without_response() -> Vec<Case> {
    let unreachable = Expected::Error(502, "upstream_unreachable");
    let two_lengths = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab";
    let long_head = [b"HTTP/1.1 200 OK\r\nx-big: ".as_slice(), &vec![b'a'; MEGABYTE]].concat();
    let scripts = [
        ("resets before the response", vec![Step::Reset], unreachable.clone()),
        ("closes before the response", vec![], unreachable.clone()),
        (
            "sends half a response header",
            vec![send("HTTP/1.1 200 OK\r\ncontent-ty")],
            unreachable.clone(),
        ),
        (
            "speaks another protocol",
            vec![send("SSH-2.0-server\r\n"), Step::Silence],
            unreachable.clone(),
        ),
        ("announces two lengths", vec![send(two_lengths)], unreachable.clone()),
        ("sends response headers of a megabyte", vec![send(long_head)], unreachable),
        ("never responds", vec![Step::Silence], Expected::Error(504, "upstream_timeout")),
    ];
    let of_all = |(name, script, expected): (_, Vec<Step>, Expected)| {
        ALL.map(|kind| Case { name, kind, script: script.clone(), expected: expected.clone() })
    };
    scripts.into_iter().flat_map(of_all).collect()
}

/// Returns failures in the middle of a body.
fn cases_of_broken_bodies() -> Vec<Case> {
    let broken = |name, rest: fn() -> Vec<Step>, (status, code)| {
        ALL.map(|kind| Case {
            name,
            kind,
            script: std::iter::once(send(begun(kind))).chain(rest()).collect(),
            expected: match kind {
                Plain => Expected::Cut,
                Converse => Expected::Error(status, code),
                Events | ConverseEvents => Expected::Interrupted(code),
            },
        })
    };
    [
        broken("resets in the body", || vec![Step::Reset], CUT_OFF),
        broken("closes in the body", || vec![Step::Pause(SETTLED)], CUT_OFF),
        broken("stalls in the body", || vec![Step::Silence], (504, "upstream_timeout")),
        broken("sends an invalid chunk", || vec![Step::Pause(SETTLED), send("zz\r\n")], CUT_OFF),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A pause after which the gateway has forwarded what it has received so far.
const SETTLED: Duration = Duration::from_secs(1);

/// Returns responses whose `content-length` is not the length of their bodies.
fn cases_of_wrong_lengths() -> Vec<Case> {
    let long = |media, body: &[u8]| {
        let sent = send([head(media, 1000).as_bytes(), body].concat());
        vec![sent, Step::Pause(SETTLED)]
    };
    let short = |media, body: &[u8]| vec![send([head(media, 8).as_bytes(), body].concat())];
    let frames = begun_frames();
    vec![
        case("announces too much", Plain, long(JSON, b"{\"a\":"), Expected::Cut),
        case("announces too much", Events, long(SSE, b"data: {}\n\n"), Expected::Cut),
        case("announces too much", Converse, long(JSON, b"{"), INTERRUPTED),
        case("announces too much", ConverseEvents, long(FRAMES, &frames), CUT_STREAM),
        case("announces too little", Plain, short(JSON, b"{\"ok\":1}{\"more\":1}"), ok_json()),
        case("announces too little", Converse, short(JSON, &converse_response()), UNUSABLE),
        case("announces too little", ConverseEvents, short(FRAMES, &frames), UNUSABLE),
    ]
}

fn begun_frames() -> Vec<u8> {
    [frames_around().0, delta("hello").to_vec()].concat()
}

const CUT_OFF: (u16, &str) = (502, "upstream_interrupted");
const INTERRUPTED: Expected = Expected::Error(CUT_OFF.0, CUT_OFF.1);
const CUT_STREAM: Expected = Expected::Interrupted(CUT_OFF.1);
const UNUSABLE: Expected = Expected::Error(502, "bad_upstream_response");

fn ok_json() -> Expected {
    Expected::Whole(200, Bytes::from_static(b"{\"ok\":1}"))
}

fn case(name: &'static str, kind: Kind, script: Vec<Step>, expected: Expected) -> Case {
    Case { name, kind, script, expected }
}

/// Returns responses that are slow or unusual.
fn cases_of_unusual_responses() -> Vec<Case> {
    let second = Duration::from_secs(1);
    let drip = |media, body: &'static [u8], pause| {
        vec![send(head(media, body.len())), Step::Drip(Bytes::from_static(body), pause)]
    };
    let body = |bytes: &'static [u8]| Expected::Whole(200, Bytes::from_static(bytes));
    let until_end = |bytes: &[u8]| vec![send([chunked(SSE), chunk(bytes), END.to_vec()].concat())];
    let (start, end) = frames_around();
    let frames = [&start[..], &delta("hello"), &end].concat();
    let dripping = vec![send(head(FRAMES, frames.len())), Step::Drip(frames.into(), TICK)];
    let big_header = format!("{OK}x-big: {}\r\n", "a".repeat(64 * 1024));
    let big_header = send(big_header + "content-length: 8\r\n\r\n{\"ok\":1}");
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    let latin =
        [head(JSON, 9).replace("200 OK", "429 Slow").as_bytes(), b"{\"a\":\"\xff\"}"].concat();
    let latin_expected = Expected::Whole(429, Bytes::from_static(b"{\"a\":\"\xff\"}"));
    vec![
        case(
            "sends a byte per second",
            Plain,
            drip(JSON, b"{\"a\":1}", second),
            body(b"{\"a\":1}"),
        ),
        case(
            "sends a byte per second",
            Events,
            drip(SSE, b"data:1\n\n", second),
            body(b"data:1\n\n"),
        ),
        case("sends byte by byte", ConverseEvents, dripping, Expected::Text("[DONE]")),
        case("ends without [DONE]", Events, until_end(b"data: {}\n\n"), body(b"data: {}\n\n")),
        case("sends early hints", Plain, vec![send(early), whole(JSON, b"{\"ok\":1}")], ok_json()),
        case("sends a header of 64 KiB", Plain, vec![big_header], ok_json()),
        case(
            "sends invalid UTF-8",
            Plain,
            vec![whole(JSON, b"{\"\xff\":1}")],
            body(b"{\"\xff\":1}"),
        ),
        case("fails with invalid UTF-8", Plain, vec![send(latin)], latin_expected),
        case("sends invalid UTF-8", Converse, vec![whole(JSON, b"{\"\xff\":1}")], UNUSABLE),
        case("sends invalid frames", ConverseEvents, vec![whole(FRAMES, &[0xff; 64])], UNUSABLE),
    ]
}

const TICK: Duration = Duration::from_millis(2);

/// Returns responses of a hundred megabytes.
fn cases_of_large_responses() -> Vec<Case> {
    let megabyte = Bytes::from(vec![b'x'; MEGABYTE]);
    let all = |media| vec![send(head(media, 100 * MEGABYTE)), Step::Repeat(megabyte.clone(), 100)];
    let as_chunk = Bytes::from(chunk(&megabyte));
    let chunks = vec![send(chunked(SSE)), Step::Repeat(as_chunk, 100), send(END)];
    vec![
        case("sends 100 MB", Plain, all(JSON), Expected::Length(100 * MEGABYTE)),
        case("sends 100 MB", Events, chunks, Expected::Length(100 * MEGABYTE)),
        case("sends 100 MB", Converse, all(JSON), UNUSABLE),
    ]
}

// === the run ===

fn request(key: &str, kind: Kind, script: &str) -> Draft {
    let message = json!({"role": "user", "content": "hello"});
    let (target, model) = match kind {
        Plain | Events => ("/openai/chat/completions", "gpt-4o"),
        Converse | ConverseEvents => ("/bedrock/chat/completions", "nova-lite"),
    };
    let stream = matches!(kind, Events | ConverseEvents);
    let body = json!({"model": model, "stream": stream, "messages": [message]});
    Client::post(target, &body).key(key).header("x-case", script)
}

async fn ask(app: &App, key: &str, kind: Kind, script: &str) -> Response {
    let client = app.client();
    let response = client.send(request(key, kind, script));
    let response = tokio::time::timeout(PATIENCE, response).await;
    response.expect(script).expect(script)
}

fn check(id: &str, expected: &Expected, response: &Response) {
    let text = response.text();
    let context = format!("{id}: {} {text:.2000}", response.status);
    match expected {
        Expected::Error(status, code) => {
            assert_eq!((response.status, response.code().as_str()), (*status, *code), "{context}");
            assert_envelope(&response.json(), &context);
        }
        Expected::Whole(status, body) => {
            assert_eq!((response.status, response.is_complete), (*status, true), "{context}");
            assert!(response.body == *body, "{context}");
        }
        Expected::Length(length) => {
            let actual = (response.status, response.is_complete, response.body.len());
            assert_eq!(actual, (200, true, *length), "{id}");
        }
        Expected::Text(part) => {
            assert!(response.status == 200 && response.is_complete, "{context}");
            assert!(text.contains(part), "{context}");
        }
        Expected::Cut => assert!(response.status == 200 && !response.is_complete, "{context}"),
        Expected::Interrupted(code) => {
            assert!(response.status == 200 && response.is_complete, "{context}");
            let (_, last) = text.trim_end().rsplit_once("data: ").expect("an event");
            let error: Value = serde_json::from_str(last).expect("JSON in the last event");
            assert_eq!(error["error"]["code"], *code, "{context}");
            assert!(!text.contains("[DONE]"), "{context}");
        }
    }
}

fn assert_envelope(body: &Value, context: &str) {
    let error = body["error"].as_object().expect(context);
    let fields: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(fields, ["code", "message", "param", "type"], "{context}");
    assert_eq!(error["type"], "server_error", "{context}");
}

#[test]
fn upstream_failure_is_reported_and_the_next_request_succeeds() {
    run(async {
        let cases: Vec<Case> = [
            cases_without_response(),
            cases_of_broken_bodies(),
            cases_of_wrong_lengths(),
            cases_of_unusual_responses(),
            cases_of_large_responses(),
        ]
        .into_iter()
        .flatten()
        .collect();
        let ids = cases.iter().map(|case| (case.id(), case.script.clone()));
        let healthy = ALL.map(|kind| (format!("healthy {kind:?}"), healthy(kind)));
        let scripts: HashMap<String, Vec<Step>> = ids.chain(healthy).collect();
        let upstream = Upstream::start(scripts).await.unwrap();
        let config = Config::default()
            .upstream(upstream.address)
            .with("first_byte_timeout", FIRST_BYTE)
            .with("between_bytes_timeout", BETWEEN_BYTES);
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let runs = cases.iter().map(|case| {
            let run = async {
                let response = ask(&app, &key, case.kind, &case.id()).await;
                check(&case.id(), &case.expected, &response);
                let next = ask(&app, &key, case.kind, &format!("healthy {:?}", case.kind)).await;
                assert!(next.status == 200 && next.is_complete, "after {}: {next:?}", case.id());
            };
            AssertUnwindSafe(run).catch_unwind()
        });
        // All cases run to completion, so that one failure does not hide another.
        let outcomes = futures_util::future::join_all(runs).await;
        assert!(outcomes.iter().all(Result::is_ok), "a case failed: its panic is printed above");
    });
}
