//! Tests of requests to the simulator, signed and unsigned, and of AWS's errors.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::{ACCESS_KEY_ID, Bedrock, SECRET_ACCESS_KEY, SESSION_TOKEN};
use crate::simulator::bedrock::sigv4::{SignedRequest, tests::sign};
use crate::simulator::reply::{Content, Reply};
use crate::simulator::{BASE_PATH, Provider as _, Received};

const CONVERSE: &str = "us-east-1/model/us.amazon.nova-lite-v1%3A0/converse";

fn received(path: &str, headers: &[(&'static str, &str)], body: &Value) -> Received {
    let headers = headers.iter().copied().chain([("content-type", "application/json")]);
    let headers = headers.map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    });
    Received {
        method: Method::POST,
        target: format!("{BASE_PATH}/aws-bedrock/bedrock-runtime/{path}"),
        headers: headers.collect::<HeaderMap>(),
        body: Bytes::from(body.to_string()),
    }
}

fn hello() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "hello"}]}]})
}

fn respond(received: &Received) -> Reply {
    let path = received.path().to_owned();
    Bedrock.respond(received, &path.split('/').skip(1).collect::<Vec<_>>())
}

fn header(reply: &Reply, name: &str) -> Option<String> {
    let mut values = reply.headers.iter().filter(|(its, _)| *its == name);
    let value = values.next().map(|(_, value)| value.clone());
    assert!(values.next().is_none(), "{name} twice");
    value
}

fn json(reply: &Reply) -> Value {
    let Content::Whole(body) = &reply.body else { panic!("a stream") };
    serde_json::from_slice(body).unwrap()
}

/// Returns the status and the name of the error, or the type of a violation.
fn refusal(reply: &Reply) -> (u16, String) {
    let kind = header(reply, "x-amzn-errortype").map(|kind| kind.split(':').next().unwrap().into());
    let problem = || json(reply)["error"]["type"].as_str().unwrap_or_default().to_owned();
    (reply.status.as_u16(), kind.unwrap_or_else(problem))
}

#[test]
fn respond_converse_repeats_message() {
    let reply = respond(&received(CONVERSE, &[], &hello()));
    assert_eq!(header(&reply, "x-amzn-requestid").as_deref(), Some(super::REQUEST_ID));
    let content = json!([{"text": "You said: hello"}]);
    let expected = json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 14, "outputTokens": 12, "totalTokens": 26},
        "metrics": {"latencyMs": 42},
    });
    assert_eq!((reply.status.as_u16(), json(&reply)), (200, expected));
}

#[test]
fn respond_stream_has_one_frame_per_chunk() {
    let path = CONVERSE.replace("/converse", "/converse-stream");
    for (fault, count) in [("", 7), ("cut=stop", 5), ("plain=1", 0), ("chunks=20", 24)] {
        let reply = respond(&received(&path, &[("x-simulate", fault)], &hello()));
        let (content_type, frames) = match &reply.body {
            Content::Chunks(chunks) => ("application/vnd.amazon.eventstream", chunks.len()),
            Content::Whole(_) => ("application/json", 0),
        };
        assert_eq!(header(&reply, "content-type").as_deref(), Some(content_type), "{fault}");
        assert_eq!(frames, count, "{fault}");
    }
}

#[test]
fn respond_unknown_region_model_or_operation_is_error() {
    for (path, body, expected) in [
        ("mars-north-1/model/amazon.nova/converse", hello(), (400, String::new())),
        ("eu-west-1/model/gpt-4o/converse", hello(), (400, "ValidationException".into())),
        (CONVERSE, json!({"messages": []}), (400, "ValidationException".into())),
        ("eu-west-1/model/amazon.nova/chat", hello(), (404, "UnknownOperationException".into())),
        ("eu-west-1/guardrail/a/apply", hello(), (404, "UnknownOperationException".into())),
        ("eu-west-1/model/amazon.nova/invoke", hello(), (400, "ValidationException".into())),
    ] {
        assert_eq!(refusal(&respond(&received(path, &[], &body))), expected, "{path}");
    }
}

#[test]
fn error_of_status_has_aws_name() {
    for (status, kind, retry_after) in [
        (400, "ValidationException", None),
        (403, "AccessDeniedException", None),
        (404, "ResourceNotFoundException", None),
        (408, "ModelTimeoutException", None),
        (424, "ModelErrorException", None),
        (429, "ThrottlingException", Some("3")),
        (500, "InternalServerException", None),
        (502, "InternalServerException", None),
        (503, "ServiceUnavailableException", Some("3")),
    ] {
        let reply = Bedrock.error(&received(CONVERSE, &[], &hello()), status, "why");
        let namespace = "http://internal.amazon.com/coral/com.amazonaws.bedrock/";
        assert_eq!(header(&reply, "x-amzn-errortype"), Some(format!("{kind}:{namespace}")));
        assert_eq!(header(&reply, "retry-after").as_deref(), retry_after, "{status}");
        assert_eq!((reply.status.as_u16(), json(&reply)), (status, json!({"message": "why"})));
    }
}

#[test]
fn refuse_credential_accepts_configured_only() {
    let violation = || Some((400, "simulator_violation".to_owned()));
    for (headers, expected) in [
        (&[][..], None),
        (&[("authorization", "Bearer provider-key-bedrock")], None),
        (&[("authorization", "Bearer simulated-gateway-token")], violation()),
        (&[("authorization", "provider-key-bedrock")], violation()),
        (&[("authorization", "Bearer sk-client")], violation()),
        (&[("x-api-key", "provider-key-bedrock")], violation()),
        (&[("x-amz-security-token", SESSION_TOKEN)], violation()),
        (
            &[("authorization", "AWS4-HMAC-SHA256 Credential=a/b")],
            Some((400, "IncompleteSignatureException".to_owned())),
        ),
    ] {
        let refused = Bedrock.refuse_credential(&received(CONVERSE, headers, &hello()));
        assert_eq!(refused.as_ref().map(refusal), expected, "{headers:?}");
    }
}

#[test]
fn refuse_credential_verifies_path_as_sent() {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let date = now.replace(['-', ':'], "");
    let headers = [("x-amz-date", date.as_str()), ("x-amz-security-token", SESSION_TOKEN)];
    let mut request = received(CONVERSE, &headers, &hello());
    let authorization = sign(
        &SignedRequest {
            service: "bedrock",
            region: "us-east-1",
            path: "/model/us.amazon.nova-lite-v1%3A0/converse",
            headers: &request.headers,
            body: &request.body,
        },
        ACCESS_KEY_ID,
        SECRET_ACCESS_KEY,
    );
    request.headers.insert("authorization", HeaderValue::from_str(&authorization).unwrap());
    assert_eq!(Bedrock.refuse_credential(&request).as_ref().map(refusal), None);
    request.body = Bytes::from_static(b"{}");
    let expected = (403, "InvalidSignatureException".to_owned());
    assert_eq!(Bedrock.refuse_credential(&request).as_ref().map(refusal), Some(expected));
    request.headers.insert("x-api-key", HeaderValue::from_static("provider-key-bedrock"));
    let expected = (400, "simulator_violation".to_owned());
    assert_eq!(Bedrock.refuse_credential(&request).as_ref().map(refusal), Some(expected));
}
