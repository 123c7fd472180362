//! An upstream that fails in every way a connection can: the client gets the documented status and
//! envelope, or a body that is visibly broken, and the next request is served.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use gateway_host::simulator::bedrock::frame;
use serde_json::{Value, json};
use support::client::Draft;
use support::upstream::{Step, Upstream};
use support::{Answer, App, Client, Config, run};

/// Seconds within which an upstream must answer, and send on.
const FIRST_BYTE: &str = "10";
const BETWEEN_BYTES: &str = "12";

/// A request that takes longer has no end.
const PATIENCE: Duration = Duration::from_mins(1);

const MEGABYTE: usize = 1024 * 1024;

/// What a client asks for: passed through or translated, whole or as a stream.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Asked {
    Plain,
    Events,
    Converse,
    ConverseEvents,
}

use Asked::{Converse, ConverseEvents, Events, Plain};

const ALL: [Asked; 4] = [Plain, Events, Converse, ConverseEvents];

/// What the client is to see.
#[derive(Clone, Debug)]
enum Seen {
    /// An error in OpenAI's envelope.
    Error(u16, &'static str),
    /// A whole answer of that status and exactly this body.
    Whole(u16, Bytes),
    /// A whole answer of that many bytes.
    Length(usize),
    /// A whole answer that contains this.
    Text(&'static str),
    /// A 200 whose body breaks off.
    Cut,
    /// A 200 whose events end with an error and without `[DONE]`.
    Interrupted,
}

struct Case {
    name: &'static str,
    asked: Asked,
    script: Vec<Step>,
    seen: Seen,
}

impl Case {
    /// Its script's name on the upstream.
    fn id(&self) -> String {
        format!("{} {:?}", self.name, self.asked)
    }
}

// === scripts ===

fn send(bytes: impl Into<Bytes>) -> Step {
    Step::Send(bytes.into())
}

/// What every head begins with. A connection that its script ends must not be used again.
const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n";

/// A head that announces `length` bytes.
fn head(media: &str, length: usize) -> String {
    format!("{OK}content-type: {media}\r\ncontent-length: {length}\r\n\r\n")
}

fn whole(media: &str, body: &[u8]) -> Step {
    send([head(media, body.len()).as_bytes(), body].concat())
}

/// The head of a body in chunks.
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

fn converse_answer() -> Vec<u8> {
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

/// The frames before the text, and after it.
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

/// What a healthy upstream answers.
fn healthy(asked: Asked) -> Vec<Step> {
    let (start, end) = frames_around();
    match asked {
        Plain => vec![whole(JSON, b"{\"ok\":1}")],
        Events => vec![whole(SSE, b"data: {}\n\ndata: [DONE]\n\n")],
        Converse => vec![whole(JSON, &converse_answer())],
        ConverseEvents => vec![whole(FRAMES, &[&start[..], &delta("hello"), &end].concat())],
    }
}

/// The head and the first piece of a body in chunks.
fn begun(asked: Asked) -> Vec<u8> {
    let (media, first) = match asked {
        Plain => (JSON, b"{\"a\":".to_vec()),
        Events => (SSE, b"data: {}\n\n".to_vec()),
        Converse => (JSON, b"{\"output\":".to_vec()),
        ConverseEvents => (FRAMES, begun_frames()),
    };
    [chunked(media), chunk(&first)].concat()
}

// === cases ===

/// Failures before there is an answer: the same for everybody.
fn cases_of_no_answer() -> Vec<Case> {
    let unreachable = Seen::Error(502, "upstream_unreachable");
    let two_lengths = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab";
    let long_head = [b"HTTP/1.1 200 OK\r\nx-big: ".as_slice(), &vec![b'a'; MEGABYTE]].concat();
    let scripts = [
        ("resets before the head", vec![Step::Reset], unreachable.clone()),
        ("closes before the head", vec![], unreachable.clone()),
        ("sends half a head", vec![send("HTTP/1.1 200 OK\r\ncontent-ty")], unreachable.clone()),
        ("speaks no HTTP", vec![send("SSH-2.0-server\r\n"), Step::Silence], unreachable.clone()),
        ("announces two lengths", vec![send(two_lengths)], unreachable.clone()),
        ("sends a head of a megabyte", vec![send(long_head)], unreachable),
        ("never answers", vec![Step::Silence], Seen::Error(504, "upstream_timeout")),
    ];
    let of_all = |(name, script, seen): (_, Vec<Step>, Seen)| {
        ALL.map(|asked| Case { name, asked, script: script.clone(), seen: seen.clone() })
    };
    scripts.into_iter().flat_map(of_all).collect()
}

/// Bodies that break off after they have begun.
fn cases_of_broken_bodies() -> Vec<Case> {
    let broken = |name, rest: fn() -> Vec<Step>| {
        ALL.map(|asked| Case {
            name,
            asked,
            script: std::iter::once(send(begun(asked))).chain(rest()).collect(),
            seen: match asked {
                Plain => Seen::Cut,
                Converse => Seen::Error(502, "upstream_interrupted"),
                Events | ConverseEvents => Seen::Interrupted,
            },
        })
    };
    [
        broken("resets in the body", || vec![Step::Reset]),
        broken("closes in the body", || vec![Step::Pause(SETTLED)]),
        broken("falls silent in the body", || vec![Step::Silence]),
        broken("breaks its chunks", || vec![Step::Pause(SETTLED), send("zz\r\nwhat?\r\n")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Long enough for what was sent to be on its way to the client alone.
const SETTLED: Duration = Duration::from_secs(1);

/// Lengths that are not those of the bodies.
fn cases_of_wrong_lengths() -> Vec<Case> {
    let long = |media, body: &[u8]| {
        let sent = send([head(media, 1000).as_bytes(), body].concat());
        vec![sent, Step::Pause(SETTLED)]
    };
    let short = |media, body: &[u8]| vec![send([head(media, 8).as_bytes(), body].concat())];
    vec![
        case("announces too much", Plain, long(JSON, b"{\"a\":"), Seen::Cut),
        case("announces too much", Events, long(SSE, b"data: {}\n\n"), Seen::Cut),
        case("announces too much", Converse, long(JSON, b"{"), INTERRUPTED),
        case(
            "announces too much",
            ConverseEvents,
            long(FRAMES, &begun_frames()),
            Seen::Interrupted,
        ),
        case("announces too little", Plain, short(JSON, b"{\"ok\":1}{\"more\":1}"), ok_json()),
        case("announces too little", Converse, short(JSON, &converse_answer()), UNUSABLE),
        case("announces too little", ConverseEvents, short(FRAMES, &begun_frames()), UNUSABLE),
    ]
}

fn begun_frames() -> Vec<u8> {
    [frames_around().0, delta("hello").to_vec()].concat()
}

const INTERRUPTED: Seen = Seen::Error(502, "upstream_interrupted");
const UNUSABLE: Seen = Seen::Error(502, "bad_upstream_response");

fn ok_json() -> Seen {
    Seen::Whole(200, Bytes::from_static(b"{\"ok\":1}"))
}

fn case(name: &'static str, asked: Asked, script: Vec<Step>, seen: Seen) -> Case {
    Case { name, asked, script, seen }
}

/// What is slow, large or odd, and still an answer.
fn cases_of_odd_answers() -> Vec<Case> {
    let second = Duration::from_secs(1);
    let drip = |media, body: &'static [u8], pause| {
        vec![send(head(media, body.len())), Step::Drip(Bytes::from_static(body), pause)]
    };
    let seen = |body: &'static [u8]| Seen::Whole(200, Bytes::from_static(body));
    let until_end = |bytes: &[u8]| vec![send([chunked(SSE), chunk(bytes), END.to_vec()].concat())];
    let (start, end) = frames_around();
    let frames = [&start[..], &delta("hello"), &end].concat();
    let dripping = vec![send(head(FRAMES, frames.len())), Step::Drip(frames.into(), TICK)];
    let big_header = format!("{OK}x-big: {}\r\n", "a".repeat(64 * 1024));
    let big_header = send(big_header + "content-length: 8\r\n\r\n{\"ok\":1}");
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    let latin =
        [head(JSON, 9).replace("200 OK", "429 Slow").as_bytes(), b"{\"a\":\"\xff\"}"].concat();
    let latin_seen = Seen::Whole(429, Bytes::from_static(b"{\"a\":\"\xff\"}"));
    vec![
        case("sends a byte a second", Plain, drip(JSON, b"{\"a\":1}", second), seen(b"{\"a\":1}")),
        case(
            "sends a byte a second",
            Events,
            drip(SSE, b"data:1\n\n", second),
            seen(b"data:1\n\n"),
        ),
        case("sends byte by byte", ConverseEvents, dripping, Seen::Text("[DONE]")),
        case("ends without [DONE]", Events, until_end(b"data: {}\n\n"), seen(b"data: {}\n\n")),
        case("sends early hints", Plain, vec![send(early), whole(JSON, b"{\"ok\":1}")], ok_json()),
        case("sends a header of 64 KiB", Plain, vec![big_header], ok_json()),
        case("sends no UTF-8", Plain, vec![whole(JSON, b"{\"\xff\":1}")], seen(b"{\"\xff\":1}")),
        case("fails in no UTF-8", Plain, vec![send(latin)], latin_seen),
        case("sends no UTF-8", Converse, vec![whole(JSON, b"{\"\xff\":1}")], UNUSABLE),
        case("sends no frames", ConverseEvents, vec![whole(FRAMES, &[0xff; 64])], UNUSABLE),
    ]
}

const TICK: Duration = Duration::from_millis(2);

/// A hundred megabytes each.
fn cases_of_large_answers() -> Vec<Case> {
    let megabyte = Bytes::from(vec![b'x'; MEGABYTE]);
    let all = |media| vec![send(head(media, 100 * MEGABYTE)), Step::Repeat(megabyte.clone(), 100)];
    let as_chunk = Bytes::from(chunk(&megabyte));
    let chunks = vec![send(chunked(SSE)), Step::Repeat(as_chunk, 100), send(END)];
    vec![
        case("sends 100 MB", Plain, all(JSON), Seen::Length(100 * MEGABYTE)),
        case("sends 100 MB", Events, chunks, Seen::Length(100 * MEGABYTE)),
        case("sends 100 MB", Converse, all(JSON), UNUSABLE),
    ]
}

// === the run ===

fn request(key: &str, asked: Asked, script: &str) -> Draft {
    let message = json!({"role": "user", "content": "hello"});
    let (target, model) = match asked {
        Plain | Events => ("/openai/chat/completions", "gpt-4o"),
        Converse | ConverseEvents => ("/bedrock/chat/completions", "nova-lite"),
    };
    let stream = matches!(asked, Events | ConverseEvents);
    let body = json!({"model": model, "stream": stream, "messages": [message]});
    Client::post(target, &body).key(key).header("x-case", script)
}

async fn ask(app: &App, key: &str, asked: Asked, script: &str) -> Answer {
    let client = app.client();
    let answer = client.send(request(key, asked, script));
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.expect(script).expect(script)
}

fn check(id: &str, seen: &Seen, answer: &Answer) {
    let start = String::from_utf8_lossy(&answer.body[..answer.body.len().min(2000)]).into_owned();
    let said = format!("{id}: {} {start}", answer.status);
    match seen {
        Seen::Error(status, code) => {
            assert_eq!((answer.status, answer.code().as_str()), (*status, *code), "{said}");
            assert_envelope(&answer.json(), &said);
        }
        Seen::Whole(status, body) => {
            assert_eq!((answer.status, answer.is_complete), (*status, true), "{said}");
            assert!(answer.body == *body, "{said}");
        }
        Seen::Length(length) => {
            assert_eq!(
                (answer.status, answer.is_complete, answer.body.len()),
                (200, true, *length)
            );
        }
        Seen::Text(text) => {
            assert!(answer.status == 200 && answer.is_complete, "{said}");
            assert!(answer.text().contains(text), "{said}");
        }
        Seen::Cut => assert!(answer.status == 200 && !answer.is_complete, "{said}"),
        Seen::Interrupted => {
            assert!(answer.status == 200 && answer.is_complete, "{said}");
            let text = answer.text();
            let (_, last) = text.trim_end().rsplit_once("data: ").expect("an event");
            let error: Value = serde_json::from_str(last).expect("JSON in the last event");
            assert_eq!(error["error"]["code"], "upstream_interrupted", "{said}");
            assert!(!text.contains("[DONE]"), "{said}");
        }
    }
}

fn assert_envelope(body: &Value, said: &str) {
    let error = body["error"].as_object().expect(said);
    let members: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(members, ["code", "message", "param", "type"], "{said}");
    assert_eq!(error["type"], "server_error", "{said}");
}

#[test]
fn an_upstream_that_fails_is_told_of_and_forgotten() {
    run(async {
        let cases: Vec<Case> = [
            cases_of_no_answer(),
            cases_of_broken_bodies(),
            cases_of_wrong_lengths(),
            cases_of_odd_answers(),
            cases_of_large_answers(),
        ]
        .into_iter()
        .flatten()
        .collect();
        let ids = cases.iter().map(|case| (case.id(), case.script.clone()));
        let healthy = ALL.map(|asked| (format!("healthy {asked:?}"), healthy(asked)));
        let scripts: HashMap<String, Vec<Step>> = ids.chain(healthy).collect();
        let upstream = Upstream::start(scripts).await.unwrap();
        let config = Config::default()
            .before(upstream.address)
            .with("first_byte_timeout", FIRST_BYTE)
            .with("between_bytes_timeout", BETWEEN_BYTES);
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let runs = cases.iter().map(|case| {
            let run = async {
                let answer = ask(&app, &key, case.asked, &case.id()).await;
                check(&case.id(), &case.seen, &answer);
                let next = ask(&app, &key, case.asked, &format!("healthy {:?}", case.asked)).await;
                assert!(next.status == 200 && next.is_complete, "after {}: {next:?}", case.id());
            };
            AssertUnwindSafe(run).catch_unwind()
        });
        // All of them run to their end, so that one failure does not hide another.
        let outcomes = futures_util::future::join_all(runs).await;
        assert!(outcomes.iter().all(Result::is_ok), "see above");
    });
}
