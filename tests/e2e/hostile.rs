//! Thousands of random and mutated requests: none of them makes a component fail, or is responded to
//! with a 5xx.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use support::{ADMIN_TOKEN, App, providers, run};

/// The number of requests.
const REQUESTS: usize = 10_000;

/// Paths that requests go below, besides those of the providers.
const OTHER_ROUTES: [&str; 7] = [
    "",
    "/tokens",
    "/healthz",
    "/openai/v1",
    "/google/v1beta/models",
    "/azure/openai/deployments",
    "/workers-ai/@cf",
];

/// A request, as it is written to the connection.
#[derive(Clone, Debug)]
struct Hostile {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    is_chunked: bool,
}

impl Hostile {
    fn to_bytes(&self) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if self.is_chunked {
            let length = self.body.len();
            head.push_str("transfer-encoding: chunked\r\n\r\n");
            let chunk = [format!("{length:x}\r\n").as_bytes(), &self.body, b"\r\n"].concat();
            let chunk = if length == 0 { Vec::new() } else { chunk };
            return [head.as_bytes(), &chunk, b"0\r\n\r\n"].concat();
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

/// Generates methods: common ones, rare ones and invented ones.
fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("POST".to_owned()),
        2 => Just("GET".to_owned()),
        3 => prop::sample::select(vec!["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
            .prop_map(str::to_owned),
        1 => "[A-Za-z!#$%&'*+.^_`|~-]{1,10}",
    ]
}

/// Generates targets on all routes, of valid, disguised and random segments.
fn target(key: String) -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("v1".to_owned()),
        Just("chat/completions".to_owned()),
        Just("audio/transcriptions".to_owned()),
        Just("engines/gpt-4o/chat/completions".to_owned()),
        Just("..".to_owned()),
        Just("%2e%2E".to_owned()),
        Just("refresh".to_owned()),
        Just(key),
        "[!-~]{0,12}",
        "(%[0-9a-fA-F]{2}){1,3}",
    ];
    let providers = providers().unwrap();
    let routes = providers.iter().map(|provider| format!("/{provider}"));
    let routes = routes.chain(OTHER_ROUTES.map(str::to_owned)).collect::<Vec<_>>();
    let route = prop::sample::select(routes);
    (route, prop::collection::vec(segment, 0..4), proptest::option::of("[!-~]{0,20}")).prop_map(
        |(route, segments, query)| {
            let path = segments.iter().fold(route, |path, next| path + "/" + next);
            let path = if path.is_empty() { "/".to_owned() } else { path };
            query.map_or(path.clone(), |query| format!("{path}?{query}"))
        },
    )
}

fn headers(key: &str) -> impl Strategy<Value = Vec<(String, String)>> + use<> {
    let names = vec![
        "content-type",
        "content-type",
        "content-encoding",
        "x-http-method-override",
        "idempotency-key",
        "cf-aig-metadata",
        "cf-aig-cache-ttl",
        "cf-aig-cache-key",
        "x-api-key",
        "cookie",
        "accept-encoding",
        "spin-path-info",
        "x-forwarded-for",
        "expect",
        "te",
        "x-anything",
    ];
    let values = prop_oneof![
        Just("application/json".to_owned()),
        Just("multipart/form-data; boundary=x".to_owned()),
        prop::sample::select(vec![
            "application/json; charset=utf-7",
            "application/json; charset*=utf-8",
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data; boundary=x; boundary=y",
            "gzip",
            "identity",
            "zstd, gzip",
        ])
        .prop_map(str::to_owned),
        Just(r#"{"a":1}"#.to_owned()),
        Just(r#"{"a":null}"#.to_owned()),
        prop::sample::select(vec![
            r#"{"a":1e999}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"Team_ID":"x"}"#,
            r#"{"a":-0}"#,
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,40}",
        "[\u{a0}-\u{ff}]{0,8}",
    ];
    let credential = prop_oneof![
        6 => Just(format!("Bearer {key}")),
        1 => Just(format!("Bearer {ADMIN_TOKEN}")),
        1 => "[ -~]{0,80}",
    ];
    let others = prop::collection::vec((prop::sample::select(names), values), 0..4);
    (credential, others).prop_map(|(credential, others)| {
        let others = others.into_iter().map(|(name, value)| (name.to_owned(), value));
        std::iter::once(("authorization".to_owned(), credential)).chain(others).collect()
    })
}

/// Returns a form whose parts have dispositions that parsers read in different ways.
fn form() -> Vec<u8> {
    let heads = [
        "name=\"model\"",
        "name*0=\"mod\"; name*1=\"el\"",
        "name=\"model \"",
        "name=\"Model\"",
        "(x) name=model",
        "=?utf-8?q?name?= name=\"model[]\"",
        "name=\"_charset_\"",
    ];
    let part =
        |head: &str| format!("--x\r\ncontent-disposition: form-data; {head}\r\n\r\ngpt-4o\r\n");
    (heads.map(part).concat() + "--x--\r\n").into_bytes()
}

/// Generates valid bodies with up to two bytes changed, and random bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let chat = br#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let bedrock = br#"{"model":"nova-lite","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#;
    let token = br#"{"teamId":"blue","name":"Blue","limited":false}"#;
    let cased = br#"{"model":"gpt-4o","Model":"o3","STREAM":1}"#;
    let seeds =
        vec![chat.to_vec(), bedrock.to_vec(), token.to_vec(), cased.to_vec(), form(), Vec::new()];
    let seed = prop::sample::select(seeds);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    let mutated = (seed, changes).prop_map(|(mut body, changes)| {
        for (place, byte) in changes {
            if !body.is_empty() {
                let place = place.index(body.len());
                body[place] = byte;
            }
        }
        body
    });
    prop_oneof![4 => mutated, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

fn request(key: &str) -> impl Strategy<Value = Hostile> + use<> {
    (method(), target(key.to_owned()), headers(key), body(), any::<bool>()).prop_map(
        |(method, target, headers, body, is_chunked)| Hostile {
            method,
            target,
            headers,
            body,
            is_chunked,
        },
    )
}

#[test]
fn random_request_never_causes_a_5xx() {
    run(async {
        let app = App::shared().await;
        let mut runner = TestRunner::deterministic();
        // One that may call any operation: a rejection would end most requests early.
        let mut key = app.account_key("hostile").await.unwrap();
        let mut strategy = request(&key);
        let mut responses = 0;
        for _ in 0..REQUESTS {
            let request = strategy.new_tree(&mut runner).unwrap().current();
            let response = app.client().send_raw(&request.to_bytes()).await.unwrap();
            let status = response.split(' ').nth(1).unwrap_or_default().to_owned();
            assert!(!status.starts_with('5'), "{request:?}\n{response}");
            responses += usize::from(!status.is_empty());
            // A rotation among the requests has replaced the key, so the next ones need a new one.
            if status == "200" && response.contains("apiKey") {
                key = app.account_key("hostile").await.unwrap();
                strategy = self::request(&key);
            }
        }
        crate::log::check_lines(&app.log());
        assert!(responses * 100 > REQUESTS * 99, "{responses} responses to {REQUESTS} requests");
    });
}
