//! Thousands of random and mutated requests: none makes a component fail, and no 5xx comes back
//! that the upstream did not cause.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use support::{ADMIN_TOKEN, App, run};

/// Requests sent; connections are kept alive where the server allows.
const REQUESTS: usize = 10_000;

/// A request as it is written on the wire.
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

fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("POST".to_owned()),
        2 => Just("GET".to_owned()),
        3 => prop::sample::select(vec!["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
            .prop_map(str::to_owned),
        1 => "[A-Za-z!#$%&'*+.^_`|~-]{1,10}",
    ]
}

fn target(key: String) -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("v1".to_owned()),
        Just("chat/completions".to_owned()),
        Just("..".to_owned()),
        Just("%2e%2E".to_owned()),
        Just("refresh".to_owned()),
        Just(key),
        "[!-~]{0,12}",
        "(%[0-9a-fA-F]{2}){1,3}",
    ];
    let route = prop::sample::select(vec![
        "/openai",
        "/tokens",
        "/healthz",
        "/openai/v1",
        "/anthropic",
        "/google/v1beta/models",
        "/azure/openai/deployments",
        "/workers-ai/@cf",
        "/bedrock",
        "",
    ]);
    (route, prop::collection::vec(segment, 0..4), proptest::option::of("[!-~]{0,20}")).prop_map(
        |(route, segments, query)| {
            let path = segments.iter().fold(route.to_owned(), |path, next| path + "/" + next);
            let path = if path.is_empty() { "/".to_owned() } else { path };
            query.map_or(path.clone(), |query| format!("{path}?{query}"))
        },
    )
}

fn headers(key: &str) -> impl Strategy<Value = Vec<(String, String)>> + use<> {
    let names = vec![
        "content-type",
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
        Just(r#"{"a":1}"#.to_owned()),
        Just(r#"{"a":null}"#.to_owned()),
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

/// Valid bodies with a few bytes changed, and noise.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let chat = br#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let bedrock = br#"{"model":"nova-lite","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#;
    let token = br#"{"teamId":"blue","name":"Blue","limited":false}"#;
    let seed =
        prop::sample::select(vec![chat.to_vec(), bedrock.to_vec(), token.to_vec(), Vec::new()]);
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
fn no_request_makes_a_component_fail() {
    run(async {
        let app = App::shared().await;
        let mut runner = TestRunner::deterministic();
        let mut key = app.key("hostile").await.unwrap();
        let mut strategy = request(&key);
        let mut answered = 0;
        for _ in 0..REQUESTS {
            let request = strategy.new_tree(&mut runner).unwrap().current();
            let said = app.client().send_raw(&request.to_bytes()).await.unwrap();
            let status = said.split(' ').nth(1).unwrap_or_default().to_owned();
            assert!(!status.starts_with('5'), "{request:?}\n{said}");
            answered += usize::from(!status.is_empty());
            // A rotation among the requests has retired the key: go on with a new one.
            if status == "200" && said.contains("apiKey") {
                key = app.key("hostile").await.unwrap();
                strategy = self::request(&key);
            }
        }
        assert!(answered * 100 > REQUESTS * 99, "{answered} of {REQUESTS} were answered");
    });
}
