//! Requests as clients write them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Creates a request with `members` and the required fields.
fn body(members: &Value) -> String {
    let mut body = json!({"model": "m", "messages": []});
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

/// Applies `pick` to a request with `members`.
fn picked<T>(members: &Value, pick: impl Fn(&ChatRequest<'_>) -> T) -> T {
    let body = body(members);
    pick(&ChatRequest::parse(body.as_bytes()).unwrap())
}

#[track_caller]
fn assert_rejected(body: &str, code: &str, param: Option<&str>) {
    let error = ChatRequest::parse(body.as_bytes()).map(|_| ()).unwrap_err();
    assert_eq!((error.shape().code, error.param()), (code, param), "{body}: {error}");
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn parse_of_an_invalid_body_is_rejected() {
    for (body, param) in [
        ("[]", None),
        ("{", None),
        ("{}", Some("model")),
        (r#"{"model":"m"}"#, Some("messages")),
        (r#"{"model":null,"messages":[]}"#, Some("model")),
        (r#"{"model":"m","messages":[],"model":"n"}"#, Some("model")),
        (r#"{"model":"m","messages":{}}"#, Some("messages")),
        (r#"{"model":"m","messages":[{"role":"user"},{"role":1}]}"#, Some("messages[1]")),
        (r#"{"model":"m","messages":[{"content":"a"}]}"#, Some("messages[0]")),
        (r#"{"model":"m","messages":[],"tools":[{"type":"function"},{}]}"#, Some("tools[1]")),
    ] {
        assert_rejected(body, "invalid_body", param);
    }
}

#[test]
fn parse_with_a_wrong_type_names_the_field() {
    for (name, value) in [
        ("model", json!(1)),
        ("stream", json!("yes")),
        ("stream_options", json!({"include_usage": 1})),
        ("tools", json!({})),
        ("tool_choice", json!("any")),
        ("tool_choice", json!({"type": "function"})),
        ("tool_choice", json!({"type": "custom", "custom": {"name": "f"}})),
        ("tool_choice", json!(1)),
        ("parallel_tool_calls", json!(0)),
        ("max_tokens", json!(0)),
        ("max_tokens", json!(-1)),
        ("max_completion_tokens", json!(1.5)),
        ("temperature", json!("warm")),
        ("temperature", json!(2.1)),
        ("top_p", json!(-0.1)),
        ("top_k", json!(-1)),
        ("stop", json!([1])),
        ("stop", json!(1)),
        ("response_format", json!("json_object")),
        ("reasoning_effort", json!(3)),
        ("metadata", json!({"a": 1})),
        ("user", json!({})),
        ("service_tier", json!(true)),
        ("n", json!("1")),
        ("logprobs", json!(1)),
        ("logit_bias", json!([])),
        ("modalities", json!("text")),
        ("guardrailConfig", json!([])),
        ("promptVariables", json!("a")),
        ("additionalModelRequestFields", json!(1)),
        ("additionalModelResponseFieldPaths", json!({})),
    ] {
        assert_rejected(&body(&json!({name: value})), "invalid_body", Some(name));
    }
}

#[test]
fn parse_with_an_unsupported_value_is_rejected() {
    for (name, refused, harmless) in [
        ("n", json!(2), json!(1)),
        ("n", json!(0), json!(null)),
        ("logprobs", json!(true), json!(false)),
        ("top_logprobs", json!(3), json!(0)),
        ("logit_bias", json!({"1": 1}), json!({})),
        ("modalities", json!(["text", "audio"]), json!(["text"])),
        ("web_search_options", json!({}), json!(null)),
        ("functions", json!([]), json!(null)),
        ("function_call", json!("auto"), json!(null)),
        ("moderation", json!({"input": true}), json!(null)),
        ("system", json!("Be brief."), json!(null)),
        ("stop_sequences", json!(["x"]), json!(null)),
        ("max_output_tokens", json!(5), json!(null)),
        ("toolConfig", json!({}), json!(null)),
        ("extra_body", json!({"top_k": 5}), json!(null)),
        ("response_format", json!({"type": "grammar"}), json!({"type": "text"})),
    ] {
        assert_rejected(&body(&json!({name: refused})), "unsupported_value", Some(name));
        picked(&json!({name: harmless}), |request| assert_eq!(request.ignored.len(), 0, "{name}"));
    }
}

#[test]
fn parse_with_both_limits_uses_max_completion_tokens() {
    for (members, expected) in [
        (r#""max_tokens":1,"max_completion_tokens":2"#, Some(2)),
        (r#""max_completion_tokens":2,"max_tokens":1"#, Some(2)),
        (r#""max_tokens":1,"max_completion_tokens":null"#, Some(1)),
        (r#""max_tokens":null"#, None),
    ] {
        let body = format!(r#"{{"model":"m","messages":[],{members}}}"#);
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        assert_eq!(request.max_tokens, expected, "{members}");
    }
}

#[test]
fn parse_of_stop_accepts_one_or_several() {
    for (stop, expected) in
        [(json!("x"), vec!["x"]), (json!(["a", "b"]), vec!["a", "b"]), (json!(null), vec![])]
    {
        picked(&json!({"stop": stop}), |request| {
            let found: Vec<&str> = request.stop.iter().map(|text| &**text).collect();
            assert_eq!(found, expected, "{stop}");
        });
    }
}

#[test]
fn parse_of_tool_choice_accepts_all_forms() {
    let function = json!({"type": "function", "function": {"name": "f"}});
    let allowed = |mode| {
        let tools = [function.clone(), json!({"type": "function", "function": {"name": "g"}})];
        json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
    };
    let names = || vec![Text::from("f"), Text::from("g")];
    for (choice, expected) in [
        (json!("auto"), ToolChoice::Auto),
        (json!("none"), ToolChoice::None),
        (json!("required"), ToolChoice::Required),
        (function.clone(), ToolChoice::Function("f".into())),
        (allowed("auto"), ToolChoice::Allowed { names: names(), is_required: false }),
        (allowed("required"), ToolChoice::Allowed { names: names(), is_required: true }),
    ] {
        picked(&json!({"tool_choice": choice}), |request| {
            assert_eq!(request.tool_choice, expected, "{choice}");
        });
    }
    let mode = "tool_choice.allowed_tools.mode";
    assert_rejected(&body(&json!({"tool_choice": allowed("maybe")})), "invalid_body", Some(mode));
}

#[test]
fn parse_of_response_format_keeps_the_schema() {
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"a": 1}}});
    picked(&json!({"response_format": schema}), |request| {
        let ResponseFormat::JsonSchema(schema) = &request.response_format else { panic!() };
        let found = (&*schema.name, schema.schema.map(RawValue::get));
        assert_eq!(found, ("n", Some(r#"{"a":1}"#)));
    });
    let bare = body(&json!({"response_format": {"type": "json_schema"}}));
    assert_rejected(&bare, "invalid_body", Some("response_format.json_schema"));
}

#[test]
fn parse_of_metadata_puts_it_before_the_user() {
    let members = r#""user":"u","metadata":{"a":"b"},"safety_identifier":"s""#;
    let body = format!(r#"{{"model":"m","messages":[],{members}}}"#);
    let request = ChatRequest::parse(body.as_bytes()).unwrap();
    let names: Vec<&str> = request.metadata.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["a", "user", "safety_identifier"]);
}

#[test]
fn parse_keeps_the_models_fields_and_the_names_of_unknown_ones() {
    let members = json!({"seed": 1, "store": true, "thinking": {"type": "enabled"}, "x": [1]});
    picked(&members, |request| {
        let found: Vec<_> =
            request.model_fields.iter().map(|(name, raw)| (&**name, raw.get())).collect();
        assert_eq!(found, [("thinking", r#"{"type":"enabled"}"#)]);
        assert_eq!(request.ignored, ["x"]);
    });
}

#[test]
fn parse_keeps_extensions_unchanged() {
    let members = json!({
        "guardrailConfig": {"a": 1},
        "performanceConfig": {"b": 2},
        "promptVariables": {"c": 3},
        "additionalModelRequestFields": {"d": 4},
        "additionalModelResponseFieldPaths": ["/e"],
    });
    picked(&members, |request| {
        let extensions = &request.extensions;
        let found = [
            extensions.guardrail_config,
            extensions.performance_config,
            extensions.prompt_variables,
            extensions.additional_model_request_fields,
            extensions.additional_model_response_field_paths,
        ];
        let expected = [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#, r#"{"d":4}"#, r#"["/e"]"#];
        assert_eq!(found.map(|raw| raw.unwrap().get()), expected);
    });
}

proptest! {
    #[test]
    fn parse_never_panics(body: Vec<u8>) {
        let _ = ChatRequest::parse(&body);
    }
}
