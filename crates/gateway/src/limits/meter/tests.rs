use super::*;
use crate::edit::Edit;
use crate::http::body::{Body, probe};
use crate::keys::store::Memory as Store;
use crate::keys::team::tests::team;
use crate::limits::counters::tests::Memory;
use crate::limits::rules::{Budget, Limits, OnExceeded, Unit, Window};

const AT: Moment = Moment { millis: 1_795_867_230_000 };
const BODY: &str =
    r#"{"model":"m","max_tokens":50,"messages":[{"role":"user","content":"12345678"}]}"#;
/// The estimated input tokens of [`BODY`].
const INPUT: i64 = 2;

const PRICES: &str =
    r#"{"echo/m":{"input":"1","output":"2"},"echo/other":{"input":"10","output":"20"}}"#;
const CHAT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"12345678\"}}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12}}\n\ndata: [DONE]\n\n";

fn outbound(class: Class, body: &str) -> Outbound {
    Outbound {
        method: http::Method::POST,
        path_with_query: "/openai/chat/completions?a=b".to_owned(),
        headers: [JSON].into_iter().collect(),
        body: Body::Json(body.into(), probe(body.as_bytes()).unwrap()),
        original_model: Some("models/m".to_owned()),
        model: Some("models/m".to_owned()),
        edit: Edit::Nothing,
        class,
        hides_usage: false,
    }
}

fn meter(lines: &str) -> Meter {
    let budget = |unit| Budget {
        unit,
        amount: 1_000_000,
        window: Window::Day,
        on_exceeded: OnExceeded::Block,
    };
    let limits =
        Limits { budgets: vec![budget(Unit::Tokens), budget(Unit::Usd)], ..Limits::default() };
    let team = Team { limits: Some(limits), ..team("blue") };
    let settings = Settings::from_lines(lines.to_owned());
    let prices = || Ok(PRICES.to_owned());
    Meter::open("echo", &team, &settings, &Store::default(), prices).unwrap().unwrap()
}

fn bare(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

fn reserved(counters: &Memory) -> Meter {
    let mut meter = meter("");
    let outbound = outbound(Class::Inference, BODY);
    meter.reserve(&outbound, None, bare, WhenLimited::Ask, AT, counters).unwrap();
    meter
}

/// Returns the counters of the budgets, in tokens and in nano-dollars.
fn budgets(counters: &Memory) -> [i64; 2] {
    let values = counters.values();
    ["tokens", "usd"].map(|unit| {
        let part = format!(":{unit}:");
        let mut found =
            values.iter().filter(|(name, _)| name.starts_with("n:b:") && name.contains(&part));
        found.next().map_or(0, |(_, value)| *value)
    })
}

type Head<'a> = (u16, &'a [(&'a str, &'a str)]);

const STREAM: (&str, &str) = ("content-type", "text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Settles a request with this response, and checks what is charged in tokens and in nano-dollars.
fn check(head: Option<Head<'_>>, body: &str, is_complete: bool, expected: [i64; 2]) {
    let what = format!("{head:?} {body}");
    let counters = Memory::default();
    let mut meter = reserved(&counters);
    assert_eq!(budgets(&counters), [INPUT + 50, 102_000], "{what}");
    if let Some((status, headers)) = head {
        let headers = headers.iter().copied().collect();
        meter.note_head(StatusCode::from_u16(status).unwrap(), &headers);
    }
    meter.observe(body.as_bytes(), &counters);
    let mut entry = Entry::default();
    meter.settle(is_complete, AT, &counters, &mut entry);
    assert_eq!(budgets(&counters), expected, "{what}");
    let logged = entry.input_tokens.unwrap_or(0) + entry.output_tokens.unwrap_or(0);
    assert_eq!(logged, expected[0], "{what}");
}

#[test]
fn settle_charges_by_what_happened() {
    let broken = &CHAT[..CHAT.find("data: {\"choices\":[]").unwrap()];
    let error = r#"{"error":{"message":"long text"}}"#;
    for (head, body, is_complete, expected) in [
        (Some((200, &[STREAM][..])), CHAT, true, [21, 33_000]),
        (Some((400, &[JSON])), error, true, [0, 0]),
        (Some((503, &[JSON])), "{}", true, [0, 0]),
        (None, "", false, [0, 0]),
        // The stream breaks off, or ends without usage, or breaks off before any text.
        (Some((200, &[STREAM])), broken, false, [INPUT + 2, 6000]),
        (Some((200, &[STREAM])), broken, true, [INPUT + 2, 6000]),
        (Some((200, &[STREAM])), "", false, [INPUT, 2000]),
        (Some((200, &[JSON])), r#"{"cho"#, false, [INPUT, 2000]),
        // A whole response that reports nothing.
        (Some((200, &[JSON])), r#"{"data":[]}"#, true, [INPUT, 2000]),
    ] {
        check(head, body, is_complete, expected);
    }
}

#[test]
fn settle_takes_the_cache_and_the_model_from_the_response() {
    for (header, expected) in [
        (("cf-aig-cache-status", "HIT"), [0, 0]),
        (("cf-aig-cache-status", "MISS"), [21, 33_000]),
        (("cf-aig-model", "other"), [21, 330_000]),
        (("cf-aig-routed-model", "echo/other"), [21, 330_000]),
        (("cf-aig-routed-model", "x/other"), [21, 33_000]),
        (("cf-aig-model", "unknown"), [21, 33_000]),
    ] {
        check(Some((200, &[STREAM, header])), CHAT, true, expected);
    }
}

#[test]
fn reserve_is_done_once_for_several_upstream_requests() {
    let counters = Memory::default();
    let mut meter = reserved(&counters);
    let outbound = outbound(Class::Inference, BODY);
    meter.reserve(&outbound, None, bare, WhenLimited::Ask, AT, &counters).unwrap();
    assert_eq!(budgets(&counters), [INPUT + 50, 102_000]);
}

#[test]
fn reserve_of_a_translated_request_estimates_the_clients_body() {
    let counters = Memory::default();
    let mut meter = meter("reserve_output_tokens=20");
    let outbound = outbound(Class::Inference, "{}");
    let client = Some(("/bedrock/chat/completions", BODY.as_bytes()));
    meter.reserve(&outbound, client, bare, WhenLimited::Ask, AT, &counters).unwrap();
    assert_eq!(budgets(&counters), [INPUT + 20, 42_000]);
}

#[test]
fn operations_without_a_model_reserve_nothing() {
    for class in [Class::ById, Class::Account] {
        let (counters, mut meter) = (Memory::default(), meter(""));
        let outbound = Outbound { method: http::Method::GET, ..outbound(class, BODY) };
        meter.reserve(&outbound, None, bare, WhenLimited::Ask, AT, &counters).unwrap();
        assert!(!meter.observes(), "{class:?}");
        meter.note_head(StatusCode::OK, &Headers::default());
        meter.observe(CHAT.as_bytes(), &counters);
        meter.settle(true, AT, &counters, &mut Entry::default());
        assert_eq!(budgets(&counters), [0, 0], "{class:?}");
    }
}

#[test]
fn reserve_refuses_what_cannot_be_counted() {
    let background = r#"{"model":"m","background":true}"#;
    let plain = || outbound(Class::Inference, BODY);
    let at = |path: &str| Outbound { path_with_query: path.to_owned(), ..plain() };
    let with =
        |name, value| Outbound { headers: [JSON, (name, value)].into_iter().collect(), ..plain() };
    let text = [("content-type", "text/plain")].into_iter().collect();
    for (outbound, is_refused) in [
        (outbound(Class::UnnamedInference, BODY), true),
        (outbound(Class::Account, BODY), true),
        (outbound(Class::ById, BODY), false),
        (outbound(Class::Inference, background), true),
        (Outbound { headers: text, body: Body::Stream, ..plain() }, true),
        (at("/models/m:generateContent?alt=proto"), true),
        (at("/models/m:generateContent?alt=json&fields=candidates"), true),
        (at("/models/m:generateContent?f%69elds=candidates"), true),
        (with("x-goog-fieldmask", "candidates"), true),
        (at("/models/m:streamGenerateContent?alt=sse&key=x"), false),
        (plain(), false),
    ] {
        let (counters, mut meter) = (Memory::default(), meter(""));
        let outcome = meter.reserve(&outbound, None, bare, WhenLimited::Ask, AT, &counters);
        assert_eq!(outcome.is_err(), is_refused, "{outbound:?}");
    }
}

#[test]
fn one_request_may_have_several_responses() {
    let hit = [JSON, ("cf-aig-cache-status", "HIT")].into_iter().collect();
    let miss: Headers = [JSON].into_iter().collect();
    for (heads, is_charged) in [
        (vec![(200, &miss), (200, &hit)], true),
        (vec![(200, &miss), (400, &miss)], true),
        (vec![(400, &miss), (200, &miss)], true),
        (vec![(200, &hit), (200, &hit)], false),
        (vec![(400, &miss), (500, &miss)], false),
    ] {
        let counters = Memory::default();
        let mut meter = reserved(&counters);
        for (status, headers) in &heads {
            meter.note_head(StatusCode::from_u16(*status).unwrap(), headers);
        }
        meter.observe(br#"{"usage":{"prompt_tokens":7,"total_tokens":7}}"#, &counters);
        meter.settle(true, AT, &counters, &mut Entry::default());
        assert_eq!(budgets(&counters)[0], if is_charged { 7 } else { 0 }, "{heads:?}");
    }
}

#[test]
fn response_of_an_unread_form_is_charged_by_its_length() {
    for (media, expected) in [("application/x-protobuf", INPUT + 100), ("audio/mpeg", 0)] {
        let counters = Memory::default();
        let mut meter = reserved(&counters);
        meter.note_head(StatusCode::OK, &[("content-type", media)].into_iter().collect());
        let mut entry = Entry::default();
        entry.bytes = 400;
        meter.settle(true, AT, &counters, &mut entry);
        assert_eq!(budgets(&counters)[0], expected, "{media}");
    }
}

#[test]
fn settings_that_are_wrong_are_errors() {
    let team = Team { limits: Some(Limits::default()), ..team("blue") };
    for (lines, prices) in [("usage=some", ""), ("reserve_output_tokens=0", ""), ("", "[]")] {
        let settings = Settings::from_lines(lines.to_owned());
        let prices = || Ok(prices.to_owned());
        let outcome = Meter::open("echo", &team, &settings, &Store::default(), prices);
        assert!(matches!(outcome, Err(Error::Configuration(_))), "{lines}");
    }
}
