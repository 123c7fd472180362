//! Every type of error, with the shape that a client receives.

use super::*;

fn read(status: u16, headers: &[(&str, &str)], body: &str) -> ProviderError {
    let headers = headers.iter().copied().collect();
    let error = parse(StatusCode::from_u16(status).unwrap(), headers, body.as_bytes());
    provider_error(error)
}

fn provider_error(error: Error) -> ProviderError {
    match error {
        Error::Provider(error) => *error,
        other => panic!("{other:?}"),
    }
}

fn parts(error: &ProviderError) -> (u16, &'static str, &'static str) {
    (error.shape.status.as_u16(), error.shape.kind, error.shape.code)
}

const TYPES: [(&str, u16, u16, &str, &str); 24] = [
    ("ValidationException", 400, 400, "invalid_request_error", "validation_exception"),
    ("ConflictException", 400, 400, "invalid_request_error", "validation_exception"),
    ("IncompleteSignature", 400, 502, "server_error", "gateway_credentials"),
    ("IncompleteSignatureException", 403, 502, "server_error", "gateway_credentials"),
    ("MissingAuthenticationToken", 403, 502, "server_error", "gateway_credentials"),
    ("UnrecognizedClientException", 403, 502, "server_error", "gateway_credentials"),
    ("ExpiredToken", 403, 502, "server_error", "gateway_credentials"),
    ("ExpiredTokenException", 403, 502, "server_error", "gateway_credentials"),
    ("InvalidSignatureException", 403, 502, "server_error", "gateway_credentials"),
    ("InvalidClientTokenId", 403, 502, "server_error", "gateway_credentials"),
    ("AccessDeniedException", 403, 403, "permission_error", "access_denied"),
    ("NotAuthorized", 400, 403, "permission_error", "access_denied"),
    ("ResourceNotFoundException", 404, 404, "not_found_error", "model_not_found"),
    ("ModelTimeoutException", 408, 408, "api_error", "model_timeout"),
    ("ModelErrorException", 424, 424, "api_error", "model_error"),
    ("ModelStreamErrorException", 424, 424, "api_error", "model_stream_error"),
    ("ThrottlingException", 429, 429, "rate_limit_error", "rate_limit_exceeded"),
    ("ModelNotReadyException", 429, 429, "rate_limit_error", "model_not_ready"),
    ("ServiceQuotaExceededException", 400, 429, "insufficient_quota", "insufficient_quota"),
    ("InternalServerException", 500, 500, "server_error", "internal_server_error"),
    ("InternalFailure", 500, 500, "server_error", "internal_server_error"),
    ("ServiceUnavailableException", 503, 503, "server_error", "service_unavailable"),
    ("ErrorOfTomorrow", 418, 418, "invalid_request_error", "invalid_request"),
    ("ErrorOfTomorrow", 529, 529, "server_error", "internal_server_error"),
];

#[test]
fn parse_of_every_type_finds_its_status_type_and_code_anywhere() {
    for (name, status, expected, kind, code) in TYPES {
        let header = format!("{name}:http://internal.amazon.com/coral/com.amazon.bedrock/");
        let qualified = format!("com.amazon.bedrock#{name}:");
        for (headers, body) in [
            (
                vec![("x-amzn-errortype", header.as_str())],
                r#"{"message":"ErrorBody so"}"#.to_owned(),
            ),
            (vec![("x-amzn-errortype", &qualified)], r#"{"Message":"ErrorBody so"}"#.to_owned()),
            (vec![], format!(r#"{{"__type":"com.amazon#{name}","message":"ErrorBody so"}}"#)),
            (vec![], format!(r#"{{"code":"{name}","message":"ErrorBody so"}}"#)),
            (vec![], format!(r#"{{"code":7,"type":"{name}","message":"ErrorBody so"}}"#)),
        ] {
            let error = read(status, &headers, &body);
            assert_eq!(parts(&error), (expected, kind, code), "{name} {headers:?} {body}");
            assert!(code == "gateway_credentials" || error.message == "ErrorBody so", "{error:?}");
        }
    }
}

#[test]
fn parse_prefers_the_header_to_the_body() {
    let headers = [("x-amzn-errortype", "ThrottlingException")];
    let error = read(400, &headers, r#"{"__type":"ValidationException"}"#);
    assert_eq!(error.shape.code, "rate_limit_exceeded");
}

const TOO_LONG: &str = "context_length_exceeded";

#[test]
fn parse_of_a_validation_error_reads_its_message() {
    for (message, code) in [
        ("Input is too long for requested model.", TOO_LONG),
        ("prompt is too long: 210000 tokens > 200000 maximum", TOO_LONG),
        ("The model returned: maximum context length is 8192", TOO_LONG),
        ("The number of input tokens exceeds the maximum", TOO_LONG),
        ("Input Tokens Exceeded: Number of input tokens exceeds maximum length.", TOO_LONG),
        ("The model returned the following errors: too many total text bytes: 9 > 8", TOO_LONG),
        ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", TOO_LONG),
        (
            "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
            TOO_LONG,
        ),
        (
            "too many tokens: total number of tokens in the prompt exceeds the limit of 4081",
            TOO_LONG,
        ),
        ("The total of input tokens and max tokens exceeds the context window", TOO_LONG),
        ("messages.0.content.0.image: image exceeds the maximum of 5 MB", "validation_exception"),
        (
            "The maximum tokens you requested exceeds the model limit of 8192.",
            "validation_exception",
        ),
        ("The document file name is too long", "validation_exception"),
        ("The provided model identifier is invalid.", "model_not_found"),
        ("Invocation with on-demand throughput isn’t supported", "model_not_found"),
        ("Invocation with on-demand throughput isn't supported", "model_not_found"),
        ("temperature is deprecated for this model", "validation_exception"),
    ] {
        let body = serde_json::json!({ "message": message }).to_string();
        let error = read(400, &[("x-amzn-errortype", "ValidationException")], &body);
        assert_eq!(parts(&error), (400, "invalid_request_error", code), "{message}");
        assert_eq!(error.message, message);
    }
}

#[test]
fn parse_without_a_message_creates_one() {
    let unnamed = "bedrock reported an error without a message";
    let named = "bedrock reported ThrottlingException without a message";
    let rejected = "the gateway's own credentials were rejected upstream";
    for (status, kind, body, expected) in [
        (503, "", "<html>busy</html>", unnamed),
        (500, "", "", unnamed),
        (429, "ThrottlingException", "{}", named),
        (429, "ThrottlingException", r#"{"message":" "}"#, named),
        (429, "ThrottlingException", r#"{"message":null}"#, named),
        (401, "", "", rejected),
    ] {
        let error = read(status, &[("x-amzn-errortype", kind)], body);
        assert_eq!(error.message, expected, "{status} {kind} {body}");
    }
}

#[test]
fn parse_of_an_unknown_type_uses_the_status() {
    for (status, expected, kind, code) in [
        (302, 502, "server_error", "bad_upstream_response"),
        (400, 400, "invalid_request_error", "invalid_request"),
        (401, 502, "server_error", "gateway_credentials"),
        (403, 403, "permission_error", "access_denied"),
        (404, 404, "not_found_error", "not_found"),
        (408, 408, "api_error", "model_timeout"),
        (413, 413, "invalid_request_error", "request_too_large"),
        (424, 424, "api_error", "model_error"),
        (429, 429, "rate_limit_error", "rate_limit_exceeded"),
        (500, 500, "server_error", "internal_server_error"),
        (502, 502, "server_error", "internal_server_error"),
        (503, 503, "server_error", "service_unavailable"),
    ] {
        assert_eq!(parts(&read(status, &[], "")), (expected, kind, code), "{status}");
    }
}

#[test]
fn parse_of_a_credential_error_blames_the_operator_and_quotes_nothing() {
    let denied = "Authentication failed: Please make sure your API Key is valid.";
    let signature = "The Canonical String should have been 'x-amz-security-token:secret'";
    for (kind, message) in
        [("AccessDeniedException", denied), ("InvalidSignatureException", signature)]
    {
        let body = serde_json::json!({ "message": message }).to_string();
        let error = read(403, &[("x-amzn-errortype", kind)], &body);
        assert_eq!(parts(&error), (502, "server_error", "gateway_credentials"), "{kind}");
        assert_eq!(error.shape.fault, Fault::Operator);
        let expected = format!("the gateway's own credentials were rejected upstream: {kind}");
        assert_eq!(error.message, expected);
    }
}

#[test]
fn parse_keeps_helpful_headers() {
    let error = read(
        429,
        &[
            ("content-type", "application/json"),
            ("retry-after", "3"),
            ("x-amzn-requestid", "r"),
            ("x-amzn-errortype", "ThrottlingException"),
            ("cf-aig-log-id", "l"),
            ("cf-ray", "c"),
        ],
        "{}",
    );
    let expected = [("retry-after", "3"), ("x-amzn-requestid", "r"), ("cf-aig-log-id", "l")];
    assert_eq!(error.headers, Headers::from_iter(expected));
}

#[test]
fn exception_uses_the_same_table() {
    for (kind, payload, expected) in [
        ("internalServerException", "{}", (500, "server_error", "internal_server_error")),
        ("validationException", "{}", (400, "invalid_request_error", "validation_exception")),
        ("throttlingException", "{}", (429, "rate_limit_error", "rate_limit_exceeded")),
        ("serviceUnavailableException", "{}", (503, "server_error", "service_unavailable")),
        ("modelTimeoutException", "{}", (408, "api_error", "model_timeout")),
        ("modelStreamErrorException", "{}", (424, "api_error", "model_stream_error")),
        ("unknownException", "{}", (502, "server_error", "internal_server_error")),
        ("", "", (502, "server_error", "internal_server_error")),
    ] {
        let error = provider_error(exception(kind, payload.as_bytes()));
        assert_eq!(parts(&error), expected, "{kind}");
    }
}

#[test]
fn exception_with_a_plausible_model_status_uses_it() {
    for (given, expected) in
        [("503", 503), ("400", 400), ("200", 424), ("401", 424), ("70000", 424), ("\"x\"", 424)]
    {
        let payload = format!(r#"{{"originalStatusCode":{given},"originalMessage":"Overloaded"}}"#);
        let error = provider_error(exception("modelStreamErrorException", payload.as_bytes()));
        assert_eq!(error.shape.status.as_u16(), expected, "{given}");
        assert_eq!(error.message, "Overloaded");
    }
}

#[test]
fn from_headers_uses_the_same_table() {
    for (kind, message, status, expected) in [
        ("InternalFailure", "It broke", 500, "It broke"),
        ("InternalFailure", "", 500, "bedrock reported InternalFailure without a message"),
        ("", "", 502, "bedrock reported an error without a message"),
    ] {
        let error = provider_error(from_headers(kind, message));
        assert_eq!((error.shape.status.as_u16(), error.message.as_str()), (status, expected));
    }
}
