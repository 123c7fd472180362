//! Whole requests, with an upstream that responds like the models.

use std::cell::{Cell, RefCell};
use std::time::UNIX_EPOCH;

use gateway::translator::{Chunks, Transport, UpstreamResponse};
use gateway::usage::Usage;
use gateway::{
    ApiKey, Head, Headers, LimitedModels, Operator, Outbound, Record, Response, Settings, Team,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::*;

const SETTINGS: &str = "ai_gateway_host=https://h\nai_gateway_account_id=a\nai_gateway_id=g\n\
    ai_gateway_token=t\naws_region=eu-west-1\nbedrock_api_key=k\n";

const ALIASES: &str = r#"{"mine": {
    "model": "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x",
    "base": "amazon.titan-embed-text-v2:0"
}}"#;

/// An upstream that records the requests, and how many are in flight at a time.
#[derive(Default)]
struct Canned {
    /// Paths and bodies, in the order of sending.
    sent: RefCell<Vec<(String, Value)>>,
    headers: RefCell<Headers>,
    under_way: Cell<usize>,
    most_under_way: Cell<usize>,
    /// The request, counted from 0, that fails.
    failing: Option<usize>,
    /// The body of all other responses, instead of vectors.
    answer: Option<&'static str>,
}

struct Pieces(Vec<Vec<u8>>);

impl Transport for Canned {
    fn start(&self, outbound: Outbound) -> Result<InFlight<'_>, Error> {
        let body: Value = serde_json::from_slice(outbound.body.bytes()).unwrap();
        let index = self.sent.borrow().len();
        self.sent.borrow_mut().push((outbound.path_with_query, body.clone()));
        self.headers.replace(outbound.headers);
        self.under_way.set(self.under_way.get() + 1);
        self.most_under_way.set(self.most_under_way.get().max(self.under_way.get()));
        Ok(Box::new(move || {
            self.under_way.set(self.under_way.get() - 1);
            Ok(self.response(index, &body))
        }))
    }

    fn note_retry(&self, error: &Error) {
        panic!("embeddings are asked for once: {error}");
    }

    fn note_completion(&self, finish_reason: Option<&'static str>, _: Option<Usage>) {
        panic!("embeddings are not a completion: {finish_reason:?}");
    }

    fn note_ignored(&self, names: String) {
        panic!("unknown fields of embeddings are rejected: {names}");
    }
}

impl Canned {
    fn response(&self, index: usize, body: &Value) -> UpstreamResponse {
        let id = format!("r{index}");
        let mut headers = Headers::from_iter([
            ("x-amzn-requestid", id.as_str()),
            ("x-amzn-bedrock-input-token-count", "7"),
            ("content-type", "application/json"),
        ]);
        if self.failing == Some(index) {
            headers.push("x-amzn-errortype", "ThrottlingException");
            let body = Box::new(Pieces(vec![b"ting".to_vec(), b"wai".to_vec()]));
            return UpstreamResponse { status: StatusCode::TOO_MANY_REQUESTS, headers, body };
        }
        let text = self.answer.map_or_else(|| response_to(body).to_string(), ToOwned::to_owned);
        let (head, tail) = text.split_at(text.len() / 2);
        let body = Box::new(Pieces(vec![tail.into(), head.into()]));
        UpstreamResponse { status: StatusCode::OK, headers, body }
    }
}

impl Chunks for Pieces {
    fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.pop())
    }
}

/// Creates a response in which the vector of each text is its length.
fn response_to(body: &Value) -> Value {
    let vector = |text: &Value| json!([text.as_str().unwrap().len()]);
    if let Some(texts) = body["texts"].as_array() {
        return json!({"embeddings": {"float": texts.iter().map(vector).collect::<Vec<_>>()}});
    }
    if body["inputText"].is_string() {
        return json!({"embedding": vector(&body["inputText"]), "inputTextTokenCount": 2});
    }
    let text = &body["singleEmbeddingParams"]["text"]["value"];
    json!({"embeddings": [{"embeddingType": "TEXT", "embedding": vector(text)}]})
}

fn team(limited: bool) -> Team {
    let key = ApiKey::from_random([1; 32]);
    let mut record = Record::new(&key, "blue".to_owned(), String::new());
    record.limited = limited;
    record.team()
}

fn ask(transport: &Canned, body: &Value) -> Result<Response, Error> {
    ask_as(&team(false), "", transport, body)
}

fn ask_as(team: &Team, map: &str, transport: &Canned, body: &Value) -> Result<Response, Error> {
    let settings = Settings::from_lines(SETTINGS.to_owned());
    let ai_gateway = settings.ai_gateway().unwrap();
    let limited_models = LimitedModels::parse(map).unwrap();
    let operator =
        Operator { settings: &settings, ai_gateway: &ai_gateway, limited_models: &limited_models };
    let context = Context {
        team,
        operator: &operator,
        model_setting: &|_| Ok(ALIASES.to_owned()),
        now: UNIX_EPOCH,
        transport,
    };
    let head = Head {
        method: Method::POST,
        path_with_query: "/bedrock/embeddings".to_owned(),
        headers: Headers::default(),
    };
    let request = Request { head, body: body.to_string().into_bytes() };
    match respond(&request, &context)? {
        Translated::Whole(response) => Ok(response),
        Translated::Stream(_) => panic!("embeddings are no stream"),
    }
}

/// Creates the list of these vectors.
fn list(vectors: &[Value], model: &str, tokens: u64) -> Value {
    let entry =
        |(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector});
    let data: Vec<Value> = vectors.iter().enumerate().map(entry).collect();
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    json!({"object": "list", "data": data, "model": model, "usage": usage})
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn respond_of_each_model_is_a_list() {
    for (model, calls, tokens) in [
        ("amazon.titan-embed-text-v2:0", 3, 6),
        ("amazon.titan-embed-g1-text-02", 3, 6),
        ("amazon.titan-embed-image-v1", 3, 6),
        ("us.cohere.embed-v4:0", 1, 7),
        ("cohere.embed-multilingual-v3", 1, 7),
        ("amazon.nova-2-multimodal-embeddings-v1:0", 3, 21),
    ] {
        let wire = Canned::default();
        let response = ask(&wire, &json!({"model": model, "input": ["a", "bb", "ccc"]})).unwrap();
        let expected = list(&[json!([1]), json!([2]), json!([3])], model, tokens);
        assert_eq!(body(&response), expected, "{model}");
        assert_eq!(wire.sent.borrow().len(), calls, "{model}");
        let encoded = model.replace(':', "%3A");
        let path = format!("/v1/a/g/aws-bedrock/bedrock-runtime/eu-west-1/model/{encoded}/invoke");
        assert!(wire.sent.borrow().iter().all(|(sent, _)| *sent == path), "{model}");
    }
}

#[test]
fn respond_sends_headers_with_all_and_returns_those_of_the_first() {
    let wire = Canned::default();
    let input = json!({"model": "mine", "input": ["a", "bb"], "encoding_format": "base64"});
    let response = ask(&wire, &input).unwrap();
    let expected = list(&[json!("AACAPw=="), json!("AAAAQA==")], "mine", 4);
    assert_eq!(body(&response), expected);
    let length = response.body.len().to_string();
    let headers = Headers::from_iter([
        ("x-amzn-requestid", "r0"),
        ("content-type", "application/json"),
        ("content-length", &length),
    ]);
    assert_eq!((response.status, response.headers), (StatusCode::OK, headers));
    let sent = wire.headers.borrow();
    for (name, value) in [
        ("authorization", "Bearer k"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
    ] {
        assert_eq!(sent.get_str(name), Some(value), "{name}");
    }
    let metadata: Value = serde_json::from_str(sent.get_str("cf-aig-metadata").unwrap()).unwrap();
    let arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x";
    assert_eq!((&metadata["model"], &metadata["original_model"]), (&json!(arn), &json!("mine")));
}

#[test]
fn respond_requests_texts_concurrently_and_lists_them_in_order() {
    let texts: Vec<String> = (1..=30).map(|length| "x".repeat(length)).collect();
    let wire = Canned::default();
    let model = "amazon.titan-embed-text-v1";
    let response = ask(&wire, &json!({"model": model, "input": texts})).unwrap();
    let vectors: Vec<Value> = (1..=30).map(|length| json!([length])).collect();
    assert_eq!(body(&response), list(&vectors, model, 60));
    assert_eq!((wire.most_under_way.get(), wire.under_way.get()), (CONCURRENCY, 0));
}

#[test]
fn respond_of_cohere_sends_texts_in_chunks() {
    let texts: Vec<String> = (0..200).map(|index| format!("{index}")).collect();
    let wire = Canned::default();
    let model = "cohere.embed-english-v3";
    let response = ask(&wire, &json!({"model": model, "input": texts})).unwrap();
    let vectors: Vec<Value> = texts.iter().map(|text| json!([text.len()])).collect();
    assert_eq!(body(&response), list(&vectors, model, 21));
    let sizes: Vec<usize> = wire
        .sent
        .borrow()
        .iter()
        .map(|(_, body)| body["texts"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [96, 96, 8]);
}

#[test]
fn respond_for_a_limited_team_uses_the_operators_model() {
    let wire = Canned::default();
    let input = json!({"model": "mine", "input": "a"});
    let map = r#"{"bedrock/mine": "cohere.embed-english-v3"}"#;
    let response = ask_as(&team(true), map, &wire, &input).unwrap();
    assert_eq!(body(&response), list(&[json!([1])], "mine", 7));
    let (path, _) = wire.sent.borrow()[0].clone();
    assert!(path.ends_with("/model/cohere.embed-english-v3/invoke"), "{path}");
}

#[test]
fn respond_with_a_chosen_model_that_cannot_embed_is_a_configuration_error() {
    let input = json!({"model": "mine", "input": "a"});
    for chosen in ["nova-lite", "gpt-4o"] {
        let map = json!({"*": chosen}).to_string();
        let error = ask_as(&team(true), &map, &Canned::default(), &input).unwrap_err();
        assert!(matches!(error, Error::Configuration(_)), "{chosen}: {error}");
        assert!(error.to_string().contains("limited_models: "), "{chosen}: {error}");
    }
}

#[test]
fn respond_with_unsupported_values_sends_nothing() {
    for (members, param) in [
        (json!({"model": "gpt-4o"}), "model"),
        (json!({"model": "nova-pro"}), "model"),
        (json!({"model": "amazon.titan-embed-text-v1", "dimensions": 256}), "dimensions"),
        (json!({"model": "amazon.titan-embed-text-v2:0", "dimensions": 255}), "dimensions"),
        (json!({"model": "amazon.titan-embed-text-v2:0", "truncate": "END"}), "truncate"),
        (json!({"model": "mine", "suffix": "x"}), "suffix"),
    ] {
        let mut body = members.clone();
        body["input"] = json!("a");
        let wire = Canned::default();
        let error = ask(&wire, &body).unwrap_err();
        assert_eq!((error.param(), error.shape().status.as_u16()), (Some(param), 400), "{members}");
        assert!(wire.sent.borrow().is_empty(), "{members}");
    }
}

#[test]
fn respond_with_one_failure_is_that_error() {
    for failing in [0, 5, 19] {
        let wire = Canned { failing: Some(failing), ..Canned::default() };
        let input = json!({"model": "mine", "input": vec!["a"; 20]});
        let error = ask(&wire, &input).unwrap_err();
        assert_eq!(error.shape().status, StatusCode::TOO_MANY_REQUESTS, "{failing}: {error}");
        assert!(wire.sent.borrow().len() <= failing + CONCURRENCY, "{failing}");
    }
}

#[test]
fn respond_without_vectors_is_an_upstream_error() {
    for (model, answer) in [
        ("mine", "{}"),
        ("mine", r#"{"embedding":null}"#),
        ("mine", "<html>"),
        ("cohere.embed-v4:0", r#"{"embeddings":{"float":[]}}"#),
        ("amazon.nova-2-multimodal-embeddings-v1:0", r#"{"embeddings":[]}"#),
    ] {
        let wire = Canned { answer: Some(answer), ..Canned::default() };
        let error = ask(&wire, &json!({"model": model, "input": "a"})).unwrap_err();
        assert!(matches!(error, Error::InvalidUpstreamResponse(_)), "{model} {answer}: {error}");
    }
}
