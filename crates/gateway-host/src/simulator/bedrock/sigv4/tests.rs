//! Tests with signatures that AWS's own tools computed, and with requests that are invalid in one
//! way each.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Credentials, SignedRequest, read_date, signature, verify};

const CREDENTIALS: Credentials<'_> = Credentials {
    access_key_id: "AKIDEXAMPLE",
    secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    session_token: "TOKEN",
};

const DATE: &str = "20260101T000000Z";
const NAMES: &str = "content-type;host;x-amz-date;x-amz-security-token";
const PATH: &str = "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse";
const SIGNATURE: &str = "43c6f50223762315ab009b9df9ffc7e32a7de04fe903ddf5edbada8dab0eac27";
const SCOPE: &str = "AKIDEXAMPLE/20260101/us-east-1/bedrock/aws4_request";

fn headers(credential: &str, names: &str, signature: &str) -> HeaderMap {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    );
    let pairs = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("host", "gateway.ai.cloudflare.com"),
        ("x-amz-date", DATE),
        ("x-amz-security-token", "TOKEN"),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect()
}

/// Builds the `authorization` of a client that signs correctly.
pub(in super::super) fn sign(signed: &SignedRequest<'_>, key: &str, secret: &str) -> String {
    let names = ["content-type", "host", "x-amz-date", "x-amz-security-token"];
    let (scope, signature) = (signed.scope(), signature::compute(signed, &names, secret));
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={NAMES}, Signature={signature}"
    )
}

fn outcome(path: &str, headers: &HeaderMap, now: SystemTime) -> String {
    let signed =
        SignedRequest { service: "bedrock", region: "us-east-1", path, headers, body: b"{}" };
    match verify(&signed, &CREDENTIALS, now) {
        Ok(()) => "verified".to_owned(),
        Err(exception) => format!("{exception:?}"),
    }
}

fn now() -> SystemTime {
    read_date(DATE).unwrap()
}

/// Builds headers with wrong content, but with a signature that matches it.
fn resigned(credential: &str, names: &str) -> HeaderMap {
    let headers_to_sign = headers(credential, names, "");
    let signed = SignedRequest {
        service: "bedrock",
        region: "us-east-1",
        path: PATH,
        headers: &headers_to_sign,
        body: b"{}",
    };
    let names_to_sign: Vec<&str> = names.split(';').collect();
    let signature = signature::compute(&signed, &names_to_sign, CREDENTIALS.secret_access_key);
    headers(credential, names, &signature)
}

#[test]
fn verify_golden_signature_is_ok() {
    for (path, signature) in [
        (
            "/model/anthropic.claude-3-5-sonnet-20240620-v1:0/converse",
            "e4c96d5b9ec4da873a5ff7de2039119936db830fc5449247f9b3a6ccfd530352",
        ),
        (PATH, SIGNATURE),
        (
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse-stream",
            "56aaf95574f16ed910c0dc4d785b3e0479ccd129910d0f5fbe2a727b6bc6c459",
        ),
    ] {
        assert_eq!(outcome(path, &headers(SCOPE, NAMES, signature), now()), "verified", "{path}");
    }
}

#[test]
fn verify_clock_off_by_over_five_minutes_is_error() {
    let headers = headers(SCOPE, NAMES, SIGNATURE);
    let (near, far) = (Duration::from_mins(5), Duration::from_secs(301));
    for (time, expected) in [
        (now() - near, "verified"),
        (now() + near, "verified"),
        (now() - far, "not yet current"),
        (now() + far, "Signature expired"),
    ] {
        let outcome = outcome(PATH, &headers, time);
        assert!(outcome.contains(expected), "{expected}: {outcome}");
    }
}

#[test]
fn verify_wrong_scope_or_headers_is_error() {
    let key = "AKIDOTHER000/20260101/us-east-1/bedrock/aws4_request";
    for (credential, names, expected) in [
        (SCOPE, NAMES, "verified"),
        (SCOPE, "host;x-amz-date;x-amz-security-token", "verified"),
        (key, NAMES, "UnrecognizedClientException"),
        ("AKIDEXAMPLE/20260102/us-east-1/bedrock/aws4_request", NAMES, "scoped"),
        ("AKIDEXAMPLE/20260101/eu-west-1/bedrock/aws4_request", NAMES, "scoped"),
        ("AKIDEXAMPLE/20260101/us-east-1/bedrock-runtime/aws4_request", NAMES, "scoped"),
        ("AKIDEXAMPLE", NAMES, "IncompleteSignatureException"),
        (SCOPE, "x-amz-date;x-amz-security-token", "'host' must be"),
        (SCOPE, "host;x-amz-security-token", "'x-amz-date' must be"),
        (SCOPE, "host;x-amz-date", "'x-amz-security-token' must be"),
        (SCOPE, "host;user-agent;x-amz-date;x-amz-security-token", "but Cloudflare changes it"),
        (
            SCOPE,
            "accept-encoding;host;x-amz-date;x-amz-security-token",
            "but Cloudflare changes it",
        ),
        (
            SCOPE,
            "cf-aig-metadata;host;x-amz-date;x-amz-security-token",
            "but Cloudflare changes it",
        ),
        (
            SCOPE,
            "host;x-amz-date;x-amz-security-token;x-forwarded-for",
            "but Cloudflare changes it",
        ),
        (SCOPE, "x-amz-date;host;x-amz-security-token", "not in order"),
    ] {
        let outcome = outcome(PATH, &resigned(credential, names), now());
        assert!(outcome.contains(expected), "{credential} {names}: {outcome}");
    }
}

#[test]
fn verify_changed_request_is_error() {
    let original = headers(SCOPE, NAMES, SIGNATURE);
    for (name, value, expected) in [
        ("content-type", "text/plain", "does not match the signature"),
        ("x-amz-date", "20260101T000001Z", "does not match the signature"),
        ("x-amz-date", "2026-01-01", "IncompleteSignatureException"),
        ("x-amz-security-token", "OTHER", "UnrecognizedClientException"),
        ("x-amz-content-sha256", "00", "must be a 'SignedHeader'"),
        ("authorization", "AWS4-HMAC-SHA256 Signature=00", "IncompleteSignatureException"),
    ] {
        let mut headers = original.clone();
        headers.insert(name, HeaderValue::from_static(value));
        let outcome = outcome(PATH, &headers, now());
        assert!(outcome.contains(expected), "{name}: {value}: {outcome}");
    }
    let elsewhere = outcome(&PATH.replace("%3A", "%253A"), &original, now());
    assert!(elsewhere.contains("does not match the signature"), "{elsewhere}");
}
