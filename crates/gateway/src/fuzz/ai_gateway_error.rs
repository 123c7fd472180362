//! Errors of the AI Gateway: for any body, a client receives the status that its code has.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::Headers;
use crate::ai_gateway::error::tests::CODES;
use crate::ai_gateway::error::{AiGatewayError, parse};

const WORDS: &str = r#"
    { } [ ] : , " ␣ null true false -1 1e3 4294967296 \u0022 é
    2001 2003 2005 2009 2016 2021 2041 7013 10000 success error "success":false, "success":true,
    "error": "error":{ "error":[{ "code":2003, "code":null, "code":"2003", "message":"m"
    "message":null "name":"AiGatewayError", "internalCode":2009, "internalCode":null,
"#;

const SECRET: &str = "sk_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn error(status: u16, body: &[u8]) -> Option<AiGatewayError> {
    let headers = [
        ("cf-aig-log-id", "01"),
        ("retry-after", "7"),
        ("set-cookie", SECRET),
        ("authorization", SECRET),
    ];
    parse(http::StatusCode::from_u16(status).unwrap(), &headers.into_iter().collect(), body)
}

/// Reads the code and the message of a body whose `error` is an object, a list of them or absent.
fn code_and_message(body: &Value) -> Option<(Option<u32>, Option<&str>)> {
    let error = match body.get("error") {
        Some(Value::Array(list)) if list.iter().all(Value::is_object) => list.first(),
        Some(Value::Array(_)) => return None,
        other => other,
    };
    let code = |value: Option<&Value>| u32::try_from(value?.as_u64()?).ok();
    let inner = code(error.and_then(|error| error.get("code")));
    let own = error.and_then(|error| error.get("message")).and_then(Value::as_str);
    let outer = body.get("message").and_then(Value::as_str);
    Some((inner.or(code(body.get("internalCode"))), own.or(outer)))
}

proptest! {
    #[test]
    fn parse_accepts_only_the_ai_gateways_errors(
        body in super::files("ai_gateway_error", WORDS).inputs(),
        status in 100_u16..=999,
    ) {
        let Some(error) = error(status, &body) else {
            return Ok(());
        };
        let (shape, text) = (error.shape(), error.to_string());
        prop_assert!(shape.status.is_client_error() || shape.status.is_server_error());
        prop_assert!(shape.status != 401, "the caller's key is not at fault");
        let kept = Headers::from_iter([("cf-aig-log-id", "01"), ("retry-after", "7")]);
        prop_assert_eq!(&error.headers, &kept);
        // A message about the gateway's own credentials may quote them.
        prop_assert!(shape.code != "gateway_credentials" || !text.contains(char::is_numeric));

        let Ok(value @ Value::Object(_)) = serde_json::from_slice::<Value>(&body) else {
            return Ok(());
        };
        prop_assert_eq!(&value["success"], &json!(false));
        let Some((code, message)) = code_and_message(&value) else {
            return Ok(());
        };
        if let Some((_, status, name)) = CODES.iter().find(|(known, ..)| code == Some(*known)) {
            prop_assert_eq!((shape.status.as_u16(), shape.code), (*status, *name), "{}", value);
        }
        if shape.code != "gateway_credentials" {
            let code = code.map_or(String::new(), |code| format!(" {code}"));
            prop_assert_eq!(text, format!("ai gateway error{code}: {}", message.unwrap_or_default()));
        }
    }

    #[test]
    fn parse_reads_a_known_code_in_every_form(
        (code, expected, name) in select(&CODES[..]),
        status in 100_u16..=999,
        message in "\\PC{0,20}",
        others in select(vec![json!({}), json!({"result": [], "messages": []}), json!({"internalCode": 1})]),
        form in 0..4,
    ) {
        let detail = json!({"code": code, "message": message, "more": {"code": 1}});
        let mut body = match form {
            0 => json!({"error": [detail]}),
            1 => json!({"error": detail}),
            2 => json!({"error": [detail, {"code": 1, "message": "second"}]}),
            _ => json!({"name": "AiGatewayError", "message": message}),
        };
        body.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        body["success"] = json!(false);
        if form == 3 {
            body["internalCode"] = json!(code);
        }
        let error = error(status, body.to_string().as_bytes()).unwrap();
        prop_assert_eq!((error.shape().status.as_u16(), error.shape().code), (expected, name), "{}", body);
    }
}
