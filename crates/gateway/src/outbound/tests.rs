use super::*;
use crate::team::tests::{limited, team};

struct Echo;

impl Provider for Echo {
    const SLUG: &'static str = "echo";

    fn upstream(request: &Request<'_>, settings: &Settings) -> Result<Upstream, Error> {
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

fn send(inbound: Inbound) -> Result<Outbound, Error> {
    send_as(&team("blue"), inbound)
}

fn send_as(team: &Team, inbound: Inbound) -> Result<Outbound, Error> {
    let settings = settings();
    let gateway = settings.gateway().unwrap();
    let limited_models = LimitedModels::parse(r#"{"echo/big": "small", "*": "any"}"#).unwrap();
    let rules = Rules { settings: &settings, gateway: &gateway, limited_models: &limited_models };
    Outbound::new::<Echo>(inbound, team, &rules)
}

fn inbound(path: &str, headers: &[(&str, &str)], body: &str) -> Inbound {
    let body = match body {
        "" => Body::Absent,
        json => Body::Json(json.into(), body::probe(json.as_bytes()).unwrap()),
    };
    Inbound {
        method: Method::POST,
        path_with_query: path.to_owned(),
        headers: headers.iter().copied().collect(),
        body,
    }
}

#[test]
fn a_request_leaves_as_ours() {
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
    ];
    let sent = send(inbound("/echo/v1/chat?a=1", &client, r#"{"model":"m"}"#)).unwrap();
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
        ("authorization", "Bearer own"),
    ]);
    assert_eq!(sent.headers, expected);
    assert_eq!(sent.body.bytes(), br#"{"model":"m"}"#);
}

#[test]
fn another_model_changes_body_length_and_metadata() {
    let sent = send(inbound("/echo/x", &[("x-model", "longer")], r#"{"model": "m" }"#)).unwrap();
    assert_eq!(sent.body.bytes(), br#"{"model": "longer" }"#);
    assert_eq!(sent.headers.content_length(), Some(20));
    let metadata = sent.headers.get_str("cf-aig-metadata").unwrap();
    assert!(metadata.contains(r#""model":"longer","original_model":"m""#), "{metadata}");
    assert_eq!((sent.asked.as_deref(), sent.sent.as_deref()), (Some("m"), Some("longer")));
}

const CHAT: &str = "/echo/chat/completions";

#[test]
fn a_limited_team_gets_the_operators_model() {
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
        let sent = send_as(&team, inbound(path, &[], body)).unwrap();
        assert_eq!(sent.path_with_query, format!("/v1/a/g{sent_path}"), "{path} {body}");
        assert_eq!(sent.body.bytes(), sent_body.as_bytes(), "{path} {body}");
        assert_eq!(sent.sent.as_deref(), sent_model, "{path} {body}");
    }
}

#[test]
fn a_model_the_provider_refuses_is_the_maps_fault_where_the_map_chose_it() {
    let wish = r#"{"model":"impossible"}"#;
    let own = send_as(&team("blue"), inbound("/echo/x", &[], wish));
    assert!(matches!(own, Err(Error::InvalidBody { .. })), "{own:?}");
    let settings = settings();
    let gateway = settings.gateway().unwrap();
    let limited_models = LimitedModels::parse(r#"{"*": "impossible"}"#).unwrap();
    let rules = Rules { settings: &settings, gateway: &gateway, limited_models: &limited_models };
    let wish = inbound(CHAT, &[], r#"{"model":"m"}"#);
    let error = Outbound::new::<Echo>(wish, &limited("blue"), &rules).unwrap_err().to_string();
    assert!(error.contains("limited_models: "), "{error}");
}

#[test]
fn a_limited_team_cannot_hide_its_model() {
    let limited = limited("blue");
    let json = Body::Json(b"{}".to_vec(), Probe::default());
    for body in [Body::Stream, Body::Whole(b"{}".to_vec()), json] {
        let upload = || Inbound { body: body.clone(), ..inbound("/echo/x", &[], "") };
        assert!(matches!(send_as(&limited, upload()), Err(Error::ModelNotAllowed(_))));
        assert!(send(upload()).is_ok());
    }
    // What is not run by the request itself stands for nothing.
    let batch = inbound("/echo/batches", &[], r#"{"model":"big"}"#);
    assert!(matches!(send_as(&limited, batch), Err(Error::ModelNotAllowed(_))));
    let encoded = send_as(&limited, inbound("/echo/native/%62ig", &[], ""));
    assert!(matches!(encoded, Err(Error::UnsafePath(_))));
}

#[test]
fn what_no_host_would_take_is_refused() {
    let long = format!(r#"{{"model":"{}"}}"#, "x".repeat(MODEL_LENGTH + 1));
    let outcome = send(inbound("/echo/x", &[], &long));
    assert!(matches!(outcome, Err(Error::InvalidBody { param: Some(_), .. })));
    let large = "x".repeat(HEADER_BYTES);
    let twice = [("content-type", "a/b"), ("content-type", "c/d")];
    for headers in [&[("x-large", large.as_str())][..], &twice] {
        let outcome = send(inbound("/echo/x", headers, ""));
        assert!(matches!(outcome, Err(Error::InvalidHeader { .. })));
    }
}

#[test]
fn a_forms_model_is_replaced_as_plain_text() {
    let limited = limited("blue");
    let bytes = b"a big b".to_vec();
    let model = Some(Model { name: "big".to_owned(), span: 2..5 });
    let form = Inbound { body: Body::Form(bytes, model), ..inbound(CHAT, &[], "") };
    let sent = send_as(&limited, form).unwrap();
    assert_eq!((sent.body.bytes(), sent.headers.content_length()), (&b"a small b"[..], Some(9)));
}

#[test]
fn a_name_the_provider_echoes_is_given_back() {
    let request = inbound("/echo/x", &[("x-model", "theirs")], r#"{"model":"mine"}"#);
    let mut rename = send(request).unwrap().rename.unwrap();
    assert_eq!(rename.push(br#"{"model":"theirs"}"#), br#"{"model":"mine"}"#);
    assert!(send(inbound("/echo/x", &[], r#"{"model":"mine"}"#)).unwrap().rename.is_none());
}

#[test]
fn a_streamed_body_keeps_its_length() {
    let mut upload = inbound("/echo/x", &[("content-length", "1000")], "");
    upload.body = Body::Stream;
    assert_eq!(send(upload).unwrap().headers.content_length(), Some(1000));
}

#[test]
fn proxy_methods_are_refused() {
    for method in [Method::TRACE, Method::CONNECT, Method::from_bytes(b"BREW").unwrap()] {
        let request = Inbound { method, ..inbound("/echo/x", &[], "") };
        assert!(matches!(send(request), Err(Error::MethodNotAllowed { .. })));
    }
}

#[test]
fn a_key_in_the_url_never_leaves() {
    let key = crate::team::tests::key();
    let outcome = send(inbound(&format!("/echo/x?key={}", key.reveal()), &[], ""));
    assert!(matches!(outcome, Err(Error::UnsafePath(_))));
}

#[test]
fn a_refusal_of_the_path_stops_the_request() {
    let outcome = send(inbound("/echo/../x", &[], "")).map(|_| ());
    assert!(matches!(outcome, Err(Error::UnsafePath(_))));
}
