use super::*;

#[test]
fn probe_finds_model_and_stream() {
    for (body, model, is_stream) in [
        ("{}", None, false),
        (r#"{"model":null}"#, None, false),
        (r#"{"model":"gpt-4o"}"#, Some("gpt-4o"), false),
        (r#" { "stream" : true , "model" : "a\u0041\"" } "#, Some("aA\""), true),
        (r#"{"stream":null,"x":{"model":"inner","stream":1}}"#, None, false),
        (r#"{"mod\u0065l":"escaped name"}"#, Some("escaped name"), false),
    ] {
        let found = probe(body.as_bytes()).unwrap();
        assert_eq!(found.model.map(|model| model.name).as_deref(), model, "{body}");
        assert_eq!(found.is_stream, is_stream, "{body}");
    }
}

#[test]
fn probe_rejects_ambiguous_bodies() {
    for (body, param) in [
        ("", None),
        ("null", None),
        ("[]", None),
        (r#""text""#, None),
        ("{", None),
        ("{} {}", None),
        ("{'model':1}", None),
        ("\u{feff}{}", None),
        (r#"{"model":1}"#, Some("model")),
        (r#"{"model":"a","model":"b"}"#, Some("model")),
        (r#"{"model":"a","\u006dodel":"b"}"#, Some("model")),
        (r#"{"model":"a","Model":"b"}"#, Some("model")),
        (r#"{"MODEL":"a"}"#, Some("model")),
        (r#"{"Stream":true}"#, Some("stream")),
        (r#"{"stream":"true"}"#, Some("stream")),
        (r#"{"stream":true,"stream":true}"#, Some("stream")),
    ] {
        match probe(body.as_bytes()) {
            Err(Error::InvalidBody { param: found, .. }) => {
                assert_eq!(found.as_deref(), param, "{body}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn plan_follows_the_headers() {
    let json = ("content-type", "application/json");
    for (headers, expected) in [
        (vec![], Plan::Stream),
        (vec![("content-length", "0"), json], Plan::Absent),
        (vec![json], Plan::Json),
        (vec![("content-length", "2"), json], Plan::Json),
        (vec![("content-type", "multipart/form-data; boundary=x")], Plan::Stream),
        (vec![("content-length", "5")], Plan::Stream),
    ] {
        let head = head(Method::POST, &headers);
        assert_eq!(Plan::new(&head, false, false), expected, "{headers:?}");
    }
    let sized = head(Method::POST, &[("content-length", "5")]);
    assert_eq!(Plan::new(&sized, false, true), Plan::Whole);
}

fn head(method: Method, headers: &[(&str, &str)]) -> Head {
    let headers = headers.iter().copied().collect();
    Head { method, path_with_query: "/".to_owned(), headers }
}

#[test]
fn plan_reads_no_body_of_a_method_without_one() {
    for (method, expected) in [
        (Method::GET, Plan::Absent),
        (Method::HEAD, Plan::Absent),
        (Method::DELETE, Plan::Absent),
        (Method::POST, Plan::Json),
        (Method::PUT, Plan::Json),
    ] {
        let head = head(method, &[("content-length", "5"), ("content-type", "application/json")]);
        assert_eq!(Plan::new(&head, true, true), expected, "{}", head.method);
    }
}

#[test]
fn check_encoding_accepts_plain_utf8_only() {
    for (name, value, expected) in [
        ("x", "y", true),
        ("content-encoding", "identity", true),
        ("content-encoding", "", true),
        ("content-encoding", "gzip", false),
        ("content-encoding", "identity, br", false),
        ("content-type", "application/json", true),
        ("content-type", "application/json; charset=UTF-8", true),
        ("content-type", "application/json; charset=\"utf8\"", true),
        ("content-type", "application/json; charset=utf-7", false),
        ("content-type", "application/json; charset=utf-16", false),
        ("content-type", "application/json; charset*=utf-8", false),
        ("content-type", "application/json; charset=utf-8; charset=utf-7", false),
    ] {
        let headers = [(name, value)].into_iter().collect();
        assert_eq!(check_encoding(&headers).is_ok(), expected, "{name}: {value}");
    }
    let twice = [("content-encoding", "identity"), ("content-encoding", "gzip")];
    assert!(check_encoding(&twice.into_iter().collect()).is_err());
}

#[test]
fn plan_reads_a_form_only_if_its_model_is_needed() {
    let form = head(Method::POST, &[("content-type", "Multipart/Form-Data; boundary=x")]);
    let plans = (Plan::new(&form, true, false), Plan::new(&form, false, false));
    assert_eq!(plans, (Plan::Form, Plan::Stream));
}

#[test]
fn inspect_reads_what_the_plan_needs() {
    let form = "--X\r\ncontent-disposition: form-data; name=model\r\n\r\nm\r\n--X--\r\n";
    let headers = [("content-type", "multipart/form-data; boundary=X")].into_iter().collect();
    for (plan, text, model) in [
        (Plan::Json, r#"{"model":"a"}"#, Some("a")),
        (Plan::Form, form, Some("m")),
        (Plan::Whole, r#"{"model":"a"}"#, None),
    ] {
        let body = Body::inspect(plan, text.as_bytes().to_vec(), &headers).unwrap();
        assert_eq!((body.model(), body.bytes()), (model, text.as_bytes()), "{plan:?}");
    }
    let empty = Body::inspect(Plan::Json, Vec::new(), &headers).unwrap();
    assert_eq!(empty, Body::Absent);
    assert!(Body::inspect(Plan::Json, b"[]".to_vec(), &headers).is_err());
}
