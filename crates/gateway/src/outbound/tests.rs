use super::*;
use crate::http::body::{self, Probe};
use crate::http::model_field::ModelField;
use crate::keys::team::tests::{limited, team};
use crate::operation::{Class, OPENAI};
use crate::{LimitedModels, RequestParts, Scope, Settings, Upstream};

struct Echo;

impl Provider for Echo {
    const SLUG: &'static str = "echo";
    const RETURNS_NUMBERS: bool = true;

    /// Takes every path outside of OpenAI's table for inference, except those below `/account`.
    fn class(head: &Head, path: &str) -> Class {
        match Class::find(OPENAI, &head.method, path) {
            Class::Account if !path.starts_with("/account") => Class::Inference,
            class => class,
        }
    }

    fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error> {
        if request.model == Some("impossible") {
            return Err(Error::invalid_param("model", "no such model"));
        }
        let model = request.headers.get_str("x-model").map(ToOwned::to_owned);
        let upstream = Upstream::at(request.target.below("/echo"));
        let echoes_model = model.is_some();
        Ok(Upstream { model, echoes_model, ..upstream.with_bearer(settings, "echo_key") })
    }

    fn bare_model(model: &str) -> &str {
        model.strip_prefix("models/").unwrap_or(model)
    }

    fn model_in_path(path: &str) -> Option<std::ops::Range<usize>> {
        let name = path.strip_prefix("/native/")?;
        Some(path.len() - name.len()..path.len())
    }
}

fn settings() -> Settings {
    let lines = "ai_gateway_host=https://h\nai_gateway_account_id=a\nai_gateway_id=g\n\
        ai_gateway_token=operator\necho_key=own";
    Settings::from_lines(lines.to_owned())
}

fn send(request: Request<Body>) -> Result<Outbound, Error> {
    send_as(&team("blue"), request)
}

fn send_as(team: &Team, request: Request<Body>) -> Result<Outbound, Error> {
    with_operator(|operator| Outbound::new::<Echo>(request, team, operator, false))
}

fn with_operator<T>(next: impl FnOnce(&Operator<'_>) -> T) -> T {
    let settings = settings();
    let ai_gateway = &settings.ai_gateway().unwrap();
    let limited_models = &LimitedModels::parse(r#"{"echo/big": "small", "*": "any"}"#).unwrap();
    next(&Operator { settings: &settings, ai_gateway, limited_models })
}

fn request(path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let body = match body {
        "" => Body::Absent,
        json => Body::Json(json.into(), body::probe(json.as_bytes()).unwrap()),
    };
    let head = Head {
        method: Method::POST,
        path_with_query: path.to_owned(),
        headers: headers.iter().copied().collect(),
    };
    Request { head, body }
}

#[test]
fn new_strips_the_clients_headers_and_adds_the_gateways() {
    let client = [
        ("authorization", "Bearer sk_client"),
        ("x-api-key", "sk_client"),
        ("cookie", "a=b"),
        ("cf-aig-authorization", "Bearer stolen"),
        ("cf-aig-metadata", r#"{"team_id":"red","run":1}"#),
        ("spin-path-info", "/x"),
        ("x-forwarded-for", "1.2.3.4"),
        ("accept-encoding", "gzip"),
        ("content-length", "99"),
        ("content-type", "application/json"),
        ("user-agent", "OpenAI/JS"),
        ("idempotency-key", "once"),
        ("openai-project", "proj_1"),
    ];
    let sent = send(request("/echo/v1/chat?a=1", &client, r#"{"model":"m"}"#)).unwrap();
    assert_eq!(sent.path_with_query, "/v1/a/g/echo/chat?a=1");
    let key_id = team("blue").id().to_owned();
    let metadata = format!(
        r#"{{"team_id":"blue","key_id":"{key_id}","model":"m","original_model":"m","run":1}}"#
    );
    let expected = Headers::from_iter([
        ("content-type", "application/json"),
        ("user-agent", "OpenAI/JS"),
        ("accept-encoding", "identity"),
        ("cf-aig-authorization", "Bearer operator"),
        ("cf-aig-metadata", &metadata),
        ("content-length", "13"),
        ("idempotency-key", &format!("{}-once", team("blue").cache_scope())),
        ("authorization", "Bearer own"),
    ]);
    assert_eq!(sent.headers, expected);
    assert_eq!(sent.body.bytes(), br#"{"model":"m"}"#);
}

#[test]
fn translated_strips_what_describes_the_clients_body() {
    let client =
        "authorization cookie accept content-encoding content-type range x-a user-agent x-a";
    let client: Vec<_> = client.split(' ').map(|name| (name, "1")).collect();
    let Request { head, body } = request("/x", &client, "{}");
    let route = with_operator(|operator| {
        Route::new::<Echo>(&request("/echo/x", &[], "").head, body, &team("blue"), operator)
    });
    let sent = with_operator(|operator| {
        Outbound::translated(route.unwrap(), &head, &team("blue"), operator).unwrap()
    });
    let names: Vec<_> = sent.headers.into_list().into_iter().map(|(name, _)| name).collect();
    let ours = "accept-encoding cf-aig-authorization cf-aig-metadata content-length authorization";
    assert_eq!(names.join(" "), format!("x-a user-agent x-a {ours}"));
}

#[test]
fn new_writes_another_model_into_body_length_and_metadata() {
    let sent = send(request("/echo/x", &[("x-model", "longer")], r#"{"model": "m" }"#)).unwrap();
    assert_eq!(sent.body.bytes(), br#"{"model": "longer" }"#);
    assert_eq!(sent.headers.content_length(), Some(20));
    let metadata = sent.headers.get_str("cf-aig-metadata").unwrap();
    assert!(metadata.contains(r#""model":"longer","original_model":"m""#), "{metadata}");
    assert_eq!(
        (sent.original_model.as_deref(), sent.model.as_deref()),
        (Some("m"), Some("longer"))
    );
}

const CHAT: &str = "/echo/chat/completions";

#[test]
fn new_gives_a_limited_team_the_operators_model() {
    let team = limited("blue");
    for (path, body, sent_path, sent_body, sent_model) in [
        (CHAT, r#"{"model":"big"}"#, CHAT, r#"{"model":"small"}"#, Some("small")),
        (CHAT, r#"{"model":"other"}"#, CHAT, r#"{"model":"any"}"#, Some("any")),
        ("/echo/native/big", "", "/echo/native/small", "", Some("small")),
        (
            "/echo/native/big",
            r#"{"model":"x"}"#,
            "/echo/native/small",
            r#"{"model":"small"}"#,
            Some("small"),
        ),
        (
            "/echo/native/big",
            r#"{"model":"models/big"}"#,
            "/echo/native/small",
            r#"{"model":"models/small"}"#,
            Some("small"),
        ),
        ("/echo/x", "", "/echo/x", "", None),
    ] {
        let sent = send_as(&team, request(path, &[], body)).unwrap();
        assert_eq!(sent.path_with_query, format!("/v1/a/g{sent_path}"), "{path} {body}");
        assert_eq!(sent.body.bytes(), sent_body.as_bytes(), "{path} {body}");
        assert_eq!(sent.model.as_deref(), sent_model, "{path} {body}");
    }
}

#[test]
fn new_reports_a_bad_map_entry_as_configuration_error() {
    let wish = r#"{"model":"impossible"}"#;
    let own = send_as(&team("blue"), request("/echo/x", &[], wish));
    assert!(matches!(own, Err(Error::InvalidBody { .. })), "{own:?}");
    let settings = settings();
    let ai_gateway = settings.ai_gateway().unwrap();
    let limited_models = LimitedModels::parse(r#"{"*": "impossible"}"#).unwrap();
    let operator =
        Operator { settings: &settings, ai_gateway: &ai_gateway, limited_models: &limited_models };
    let wish = request(CHAT, &[], r#"{"model":"m"}"#);
    let error =
        Outbound::new::<Echo>(wish, &limited("blue"), &operator, false).unwrap_err().to_string();
    assert!(error.contains("limited_models: "), "{error}");
}

#[test]
fn new_rejects_a_limited_teams_request_without_a_model() {
    let limited = limited("blue");
    let json = Body::Json(b"{}".to_vec(), Probe::default());
    for body in [Body::Stream, Body::Whole(b"{}".to_vec()), json] {
        let upload = || Request { body: body.clone(), ..request("/echo/x", &[], "") };
        assert!(matches!(send_as(&limited, upload()), Err(Error::ModelNotAllowed(_))));
        assert!(send(upload()).is_ok());
    }
    // A batch does not run the model that its body names.
    let batch = request("/echo/batches", &[], r#"{"model":"big"}"#);
    assert!(matches!(send_as(&limited, batch), Err(Error::ModelNotAllowed(_))));
    let encoded = send_as(&limited, request("/echo/native/%62ig", &[], ""));
    assert!(matches!(encoded, Err(Error::UnsafePath(_))));
}

#[test]
fn new_rejects_what_no_host_would_accept() {
    let long = format!(r#"{{"model":"{}"}}"#, "x".repeat(2049));
    let outcome = send(request("/echo/x", &[], &long));
    assert!(matches!(outcome, Err(Error::InvalidBody { param: Some(_), .. })));
    let large = "x".repeat(HEADER_BYTES);
    let twice = [("content-type", "a/b"), ("content-type", "c/d")];
    for headers in [&[("x-large", large.as_str())][..], &twice] {
        let outcome = send(request("/echo/x", headers, ""));
        assert!(matches!(outcome, Err(Error::InvalidHeader { .. })));
    }
}

#[test]
fn new_replaces_a_forms_model_as_plain_text() {
    let limited = limited("blue");
    let bytes = b"a big b".to_vec();
    let model = Some(ModelField { name: "big".to_owned(), span: 2..5 });
    let form = Request { body: Body::Form(bytes, model), ..request(CHAT, &[], "") };
    let sent = send_as(&limited, form).unwrap();
    assert_eq!((sent.body.bytes(), sent.headers.content_length()), (&b"a small b"[..], Some(9)));
}

#[test]
fn new_echoes_the_clients_model() {
    let renamed = request("/echo/x", &[("x-model", "theirs")], r#"{"model":"mine"}"#);
    let Edit::EchoModel(mut echo) = send(renamed).unwrap().edit else { panic!("no echo") };
    assert_eq!(echo.push(br#"{"model":"theirs"}"#), br#"{"model":"mine"}"#);
    let same = send(request("/echo/x", &[], r#"{"model":"mine"}"#)).unwrap();
    assert!(matches!(same.edit, Edit::Nothing));
}

#[test]
fn new_encodes_vectors_of_embeddings_only() {
    let body = r#"{"model":"mine","encoding_format":"base64"}"#;
    let edit = |path, body| send(request(path, &[("x-model", "theirs")], body)).unwrap().edit;
    assert!(matches!(edit("/echo/v1/embeddings", body), Edit::EncodeVectors));
    assert!(matches!(edit("/echo/v1/embeddings", r#"{"model":"mine"}"#), Edit::EchoModel(_)));
    assert!(matches!(edit("/echo/v1/chat/completions", body), Edit::EchoModel(_)));
}

#[test]
fn new_keeps_the_length_of_a_streamed_body() {
    let mut upload = request("/echo/x", &[("content-length", "1000")], "");
    upload.body = Body::Stream;
    assert_eq!(send(upload).unwrap().headers.content_length(), Some(1000));
}

#[test]
fn new_rejects_proxy_methods() {
    for method in [Method::TRACE, Method::CONNECT, Method::from_bytes(b"BREW").unwrap()] {
        let mut unusual = request("/echo/x", &[], "");
        unusual.head.method = method;
        assert!(matches!(send(unusual), Err(Error::MethodNotAllowed { .. })));
    }
}

#[test]
fn new_rejects_a_key_in_the_url() {
    let key = crate::keys::team::tests::key();
    let outcome = send(request(&format!("/echo/x?key={}", key.reveal()), &[], ""));
    assert!(matches!(outcome, Err(Error::UnsafePath(_))));
}

#[test]
fn new_rejects_an_unsafe_path() {
    let outcome = send(request("/echo/../x", &[], "")).map(|_| ());
    assert!(matches!(outcome, Err(Error::UnsafePath(_))));
}

#[test]
fn new_filters_lists_for_a_restricted_key() {
    let scope = Scope { providers: None, models: Some(vec!["a".to_owned()]) };
    let restricted = Team { scope, ..team("blue") };
    for (team, path, expected) in
        [(&restricted, "/echo/v1/models", true), (&team("blue"), "/echo/v1/models", false)]
    {
        let mut list = request(path, &[], "");
        list.head.method = Method::GET;
        let edit = send_as(team, list).unwrap().edit;
        let Edit::FilterModels(filter) = edit else {
            assert!(!expected, "{path}");
            continue;
        };
        assert!(expected, "{path}");
        let filtered = filter.apply(br#"{"data":[{"id":"models/a"},{"id":"b"}]}"#).unwrap();
        assert_eq!(filtered, br#"{"data":[{"id":"models/a"}]}"#);
    }
    let unnamed = send_as(&restricted, request("/echo/embeddings", &[], ""));
    let error = unnamed.unwrap_err().to_string();
    assert_eq!(error, "this key is restricted to certain models: name one in the request");
}

#[test]
fn new_checks_the_class_of_an_operation() {
    let scope = Scope { providers: None, models: Some(vec!["a".to_owned()]) };
    let restricted = Team { scope, ..team("blue") };
    let account = Team { account: true, ..restricted.clone() };
    let unrestricted = team("blue");
    for (method, path, body, keys_allowed) in [
        (Method::GET, "/echo/responses/resp_1", "", "arlu"),
        (Method::POST, "/echo/responses/resp_1/cancel", "{}", "arlu"),
        (Method::POST, "/echo/threads/thread_1/x", r#"{"model":"b"}"#, "lu"),
        (Method::POST, "/echo/batches", r#"{"model":"a"}"#, "u"),
        (Method::GET, "/echo/models/a", "", "arlu"),
        (Method::GET, "/echo/models/b", "", "lu"),
        (Method::GET, "/echo/account", "", "a"),
        (Method::POST, "/echo/account", "{}", "a"),
        (Method::POST, "/echo/account", r#"{"model":"b"}"#, ""),
    ] {
        let keys =
            [('a', &account), ('r', &restricted), ('l', &limited("blue")), ('u', &unrestricted)];
        let mut sent = request(path, &[], body);
        sent.head.method = method.clone();
        let admits = |team: &Team| send_as(team, sent.clone()).is_ok();
        let allowed: String =
            keys.iter().filter(|(_, team)| admits(team)).map(|(name, _)| name).collect();
        assert_eq!(allowed, keys_allowed, "{method} {path} {body}");
    }
}

#[test]
fn plan_body_reads_a_form_whose_model_decides() {
    let settings = settings();
    let ai_gateway = settings.ai_gateway().unwrap();
    let limited_models = LimitedModels::parse(r#"{"*": "any"}"#).unwrap();
    let operator =
        Operator { settings: &settings, ai_gateway: &ai_gateway, limited_models: &limited_models };
    let form = request("/echo/x", &[("content-type", "multipart/form-data; boundary=x")], "").head;
    let scope = Scope { providers: None, models: Some(vec![]) };
    let restricted = Team { scope, ..team("blue") };
    for (team, expected) in
        [(team("blue"), Plan::Stream), (limited("blue"), Plan::Form), (restricted, Plan::Form)]
    {
        assert_eq!(Outbound::plan_body::<Echo>(&form, &team, &operator, false), expected);
    }
    let cached =
        request("/echo/x", &[("cf-aig-cache-ttl", "60"), ("content-length", "5")], "").head;
    assert_eq!(Outbound::plan_body::<Echo>(&cached, &team("blue"), &operator, false), Plan::Whole);
}

#[test]
fn new_asks_the_ai_gateway_for_what_the_key_and_the_operator_say() {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let claims = [
        ("cf-aig-collect-log-payload", "true"),
        ("cf-aig-byok-alias", "theirs"),
        ("cf-aig-no-wholesale", "false"),
        ("cf-aig-allowed-models", "*"),
        ("cf-aig-allowed-providers", "*"),
        ("cf-aig-otel-trace-id", "theirs"),
    ];
    let names = [
        "cf-aig-collect-log-payload",
        "cf-aig-byok-alias",
        "cf-aig-otel-trace-id",
        "cf-aig-otel-parent-span-id",
        "cf-aig-allowed-models",
        "cf-aig-allowed-providers",
        "cf-aig-no-wholesale",
    ];
    let sent = |team: &Team, headers: &[(&str, &str)], model: &str| {
        let body = format!(r#"{{"model":"{model}"}}"#);
        let outbound = send_as(team, request("/echo/run", headers, &body)).unwrap();
        names.map(|name| outbound.headers.get_str(name).map(ToOwned::to_owned))
    };
    assert_eq!(sent(&team("blue"), &claims, "m"), [const { None }; 7], "no client may ask for it");
    let private = Team {
        log_payloads: false,
        byok_alias: Some("finance".to_owned()),
        scope: Scope {
            providers: None,
            models: Some(["cloudflare/auto", "openai/gpt-*", "groq/m"].map(str::to_owned).to_vec()),
        },
        ..team("blue")
    };
    let some = |text: &str| Some(text.to_owned());
    let (trace_id, span) = (some("0af7651916cd43dd8448eb211c80319c"), some("b7ad6b7169203331"));
    let expected = [some("false"), some("finance"), trace_id, span, None, None, None];
    assert_eq!(sent(&private, &[("traceparent", trace)], "groq/m"), expected);
    let auto = sent(&private, &[("traceparent", "broken")], "cloudflare/auto");
    let (models, providers) = (some("openai/gpt-*,groq/m"), some("openai,groq"));
    assert_eq!(auto, [some("false"), some("finance"), None, None, models, providers, None]);
    let scoped = Team {
        scope: Scope { providers: None, models: Some(vec!["*".to_owned()]) },
        ..team("blue")
    };
    let denied = send_as(&scoped, request("/echo/run", &[], r#"{"model":"cloudflare/auto"}"#));
    assert!(
        matches!(denied, Err(Error::NotInScope(_))),
        "the AI Gateway's choice needs its own pattern"
    );
}
