use super::*;

fn cause() -> Cause {
    Cause("secret detail".to_owned())
}

/// Checks how a client sees an error.
fn check(error: &Error, status: u16, kind: &str, code: &str) {
    let shape = error.shape();
    assert_eq!((shape.status.as_u16(), shape.kind, shape.code), (status, kind, code));
    let text = error.to_string();
    assert!(!text.contains("secret detail"), "{text}");
    assert!(!text.ends_with('.') && !text.starts_with(char::is_uppercase), "{text}");
}

#[test]
fn every_error_has_its_status_type_and_code() {
    let body = Error::InvalidBody { message: "m".to_owned(), param: None };
    let quota = Error::QuotaExceeded { message: "m".to_owned(), limit: "l".to_owned() };
    let unpriced = Error::ModelNotPriced { word: "key", model: "m".to_owned() };
    let encoding = Error::UnsupportedEncoding { message: "m", name: "h" };
    for (error, status, kind, code) in [
        (Error::MissingKey, 401, "invalid_request_error", "invalid_api_key"),
        (Error::MalformedKey, 401, "invalid_request_error", "invalid_api_key"),
        (Error::InvalidKey, 401, "invalid_request_error", "invalid_api_key"),
        (Error::InvalidAdminToken, 401, "invalid_request_error", "invalid_admin_token"),
        (Error::ManagementDisabled("x"), 503, "server_error", "token_management_disabled"),
        (body, 400, "invalid_request_error", "invalid_body"),
        (Error::unsupported("n", "m"), 400, "invalid_request_error", "unsupported_value"),
        (Error::invalid_header("h", "m"), 400, "invalid_request_error", "invalid_header"),
        (Error::UnsafePath("x"), 400, "invalid_request_error", "unsafe_path"),
        (Error::ModelNotAllowed("x".to_owned()), 403, "permission_error", "model_not_allowed"),
        (Error::NotInScope("x".to_owned()), 403, "permission_error", "model_not_allowed"),
        (Error::ModelNotFound("x".to_owned()), 404, "invalid_request_error", "model_not_found"),
        (Error::AccountOperation, 403, "permission_error", "operation_not_allowed"),
        (quota, 429, "insufficient_quota", "insufficient_quota"),
        (unpriced, 403, "permission_error", "model_not_priced"),
        (encoding, 415, "invalid_request_error", "unsupported_encoding"),
    ] {
        check(&error, status, kind, code);
    }
}

#[test]
fn every_later_error_has_its_status_type_and_code() {
    let upgrade = Error::UpgradeNotSupported;
    for (error, status, kind, code) in [
        (Error::UnknownKeyId, 404, "invalid_request_error", "unknown_key"),
        (Error::UnknownTeam, 404, "invalid_request_error", "unknown_team"),
        (Error::AlreadyDone { id: "a".to_owned() }, 409, "invalid_request_error", "already_done"),
        (Error::Replaced { id: "a".to_owned() }, 404, "invalid_request_error", "unknown_key"),
        (Error::InProgress, 409, "invalid_request_error", "in_progress"),
        (
            Error::RotatedTooRecently { seconds: 5 },
            429,
            "invalid_request_error",
            "rotated_too_recently",
        ),
        (Error::UnknownUrl { supported: "x" }, 404, "invalid_request_error", "unknown_url"),
        (Error::MethodNotAllowed { allowed: "GET" }, 405, "invalid_request_error", "unknown_url"),
        (Error::TooLarge { limit: 1 }, 413, "invalid_request_error", "request_too_large"),
        (Error::IncompleteBody, 400, "invalid_request_error", "incomplete_body"),
        (Error::Configuration("x".to_owned()), 500, "server_error", "gateway_configuration"),
        (Error::UpstreamUnreachable(cause()), 502, "server_error", "upstream_unreachable"),
        (Error::UpstreamTimeout(cause()), 504, "server_error", "upstream_timeout"),
        (Error::UpstreamInterrupted(cause()), 502, "server_error", "upstream_interrupted"),
        (Error::UpstreamSilent(cause()), 504, "server_error", "upstream_timeout"),
        (upgrade, 426, "invalid_request_error", "upgrade_not_supported"),
        (Error::InvalidUpstreamResponse(cause()), 502, "server_error", "bad_upstream_response"),
        (Error::Internal(cause()), 500, "server_error", "internal_error"),
        (Error::StoreUnavailable(cause()), 503, "server_error", "store_unavailable"),
        (Error::CorruptRecord(cause()), 500, "server_error", "corrupt_record"),
    ] {
        check(&error, status, kind, code);
    }
}

#[test]
fn chain_names_the_cause() {
    let text = Error::StoreUnavailable(cause()).chain();
    assert_eq!(text, "the key store is unavailable: retry shortly: secret detail");
}
