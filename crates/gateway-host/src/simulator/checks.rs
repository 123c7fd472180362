//! Checks that a received request contains nothing that the gateway under test must strip, and
//! nothing that Cloudflare would reject.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::simulator::faults::gateway_error;
use crate::simulator::reply::Reply;
use crate::simulator::{BASE_PATH, Received, TOKEN};

/// The content type of Bedrock's streams.
pub(crate) const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// Headers that no request may carry to the AI Gateway.
const FORBIDDEN: [&str; 6] =
    ["cookie", "forwarded", "x-real-ip", "xi-api-key", "cf-aig-byok-alias", "cf-connecting-ip"];
/// Prefixes of such headers.
const FORBIDDEN_PREFIXES: [&str; 4] = ["proxy-", "spin-", "x-amz-", "x-forwarded-"];

/// The path of Bedrock below the gateway's base.
const BEDROCK: &str = "/aws-bedrock/";
/// The AWS headers that a request to Bedrock may carry, because its signature needs them.
const BEDROCK_HEADERS: [&str; 3] = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

/// Headers that carry the credentials of any provider.
const CREDENTIALS: [&str; 4] = ["authorization", "api-key", "x-api-key", "x-goog-api-key"];

/// Checks a request and returns the error for the first violation.
///
/// The token is checked first: without it the response is Cloudflare's own error, not a violation.
pub(crate) fn violation(received: &Received) -> Option<Reply> {
    let headers = &received.headers;
    if header(headers, "cf-aig-authorization") != Some(&format!("Bearer {TOKEN}")) {
        return Some(gateway_error(2009));
    }
    let problem = wrong_path(&received.target)
        .or_else(|| headers.keys().find_map(|name| forbidden(name.as_str(), received)))
        .or_else(|| leaked_key(received))
        .or_else(|| wrong_encoding(headers))
        .or_else(|| wrong_accept(received))
        .or_else(|| wrong_metadata(headers))?;
    Some(refuse(&problem))
}

/// Builds the error that reports a violation. Its type distinguishes it from a provider's errors.
pub(crate) fn refuse(problem: &str) -> Reply {
    let error = json!({"message": problem, "type": "simulator_violation"});
    Reply::json(400, &json!({"error": error}))
}

/// Finds a provider credential that is not configured.
///
/// Provider keys are stored in the AI Gateway, and a request with a key of its own would override
/// them. The one exception is the key that an operator configures, as tests do, in a header listed
/// in `own`. Workers AI also accepts the AI Gateway's token.
pub(crate) fn wrong_credential(headers: &HeaderMap, own: &[&str]) -> Option<String> {
    CREDENTIALS.iter().find_map(|name| {
        let given = header(headers, name)?;
        let value = given.strip_prefix("Bearer ").unwrap_or(given);
        let is_configured = value.starts_with("provider-key-") || value == TOKEN;
        (!own.contains(name) || !is_configured).then(|| {
            format!("the header {name} carries a provider credential that is not configured")
        })
    })
}

/// Returns the first value of a header, if it is text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Finds a path that could leave the gateway's base once an upstream decodes or normalises it.
fn wrong_path(target: &str) -> Option<String> {
    let path = target.split('?').next().unwrap_or(target);
    let plain = with_model_slashes(&path.to_ascii_lowercase()).replace("%2e", ".");
    let is_unsafe = plain.contains("%2f")
        || plain.contains("//")
        || plain.split('/').any(|segment| segment == "." || segment == "..");
    let is_outside = !path.starts_with(&format!("{BASE_PATH}/"));
    (is_unsafe || is_outside).then(|| format!("the path is outside the gateway: {target}"))
}

/// Decodes the slashes in the model ID of a Bedrock path, the only segment that may contain encoded
/// ones. The parts between them are then checked like any other segment.
fn with_model_slashes(path: &str) -> String {
    let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
    let model = segments.iter().position(|segment| segment == "model").map(|before| before + 1);
    if let Some(model) = model.filter(|_| is_bedrock(path)).and_then(|at| segments.get_mut(at)) {
        *model = model.replace("%2f", "/");
    }
    segments.join("/")
}

/// Checks whether a request is for Bedrock.
fn is_bedrock(target: &str) -> bool {
    target.strip_prefix(BASE_PATH).is_some_and(|path| path.starts_with(BEDROCK))
}

/// Checks whether a header must not reach the AI Gateway.
fn forbidden(name: &str, received: &Received) -> Option<String> {
    if is_bedrock(&received.target) && BEDROCK_HEADERS.contains(&name) {
        return None;
    }
    let is_forbidden = FORBIDDEN.contains(&name)
        || FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_forbidden.then(|| format!("the header {name} must be stripped"))
}

/// Finds a team key in the headers or the path. The body is not searched: the client's messages may
/// contain anything.
fn leaked_key(received: &Received) -> Option<String> {
    let is_key = |text: &[u8]| {
        text.windows(67).any(|window| {
            window.starts_with(b"sk_") && window.iter().skip(3).all(u8::is_ascii_hexdigit)
        })
    };
    let in_header = received.headers.values().any(|value| is_key(value.as_bytes()));
    let leaks = in_header || is_key(received.target.as_bytes());
    leaks.then(|| "the request carries a team key".to_owned())
}

/// Checks that the request asks for an uncompressed response, which the gateway can read and edit.
fn wrong_encoding(headers: &HeaderMap) -> Option<String> {
    let given = header(headers, "accept-encoding");
    (given != Some("identity")).then(|| format!("accept-encoding is {given:?}, not identity"))
}

/// Checks that a request for a stream accepts one. AWS streams without it too, but its own SDKs all
/// send the header.
fn wrong_accept(received: &Received) -> Option<String> {
    let is_stream = is_bedrock(&received.target) && received.path().ends_with("/converse-stream");
    let given = header(&received.headers, "accept");
    (is_stream && given != Some(EVENT_STREAM))
        .then(|| format!("accept is {given:?}, not {EVENT_STREAM}"))
}

/// Checks the metadata as Cloudflare does: it keeps at most five entries without nested values, and
/// drops all of them otherwise.
fn wrong_metadata(headers: &HeaderMap) -> Option<String> {
    let text = header(headers, "cf-aig-metadata").unwrap_or_default();
    let Ok(Value::Object(entries)) = serde_json::from_str(text) else {
        return Some(format!("cf-aig-metadata is not a JSON object: {text:?}"));
    };
    let is_flat =
        entries.values().all(|value| !(value.is_null() || value.is_object() || value.is_array()));
    let is_attributed = entries.contains_key("team_id") && entries.contains_key("key_id");
    (entries.len() > 5 || !is_flat || !is_attributed)
        .then(|| format!("cf-aig-metadata is incomplete, nested or too long: {text}"))
}

#[cfg(test)]
mod tests {
    use super::{BASE_PATH, wrong_path};

    #[test]
    fn wrong_path_encoded_slash_is_allowed_in_bedrock_model_only() {
        for (path, is_right) in [
            ("/openai/chat/completions", true),
            ("/openai/models/a%2Fb", false),
            ("/aws-bedrock/bedrock-runtime/us-east-1/model/arn%3Aa%2Fb/converse", true),
            ("/aws-bedrock/bedrock-runtime/us-east-1/model/a%2F%2E%2e%2Fb/converse", false),
            ("/aws-bedrock/bedrock-runtime/us-east-1/model/a%2F..%2Fb/converse", false),
            ("/aws-bedrock/bedrock-runtime/us-east-1/model/a%2F%2Fb/converse", false),
            ("/aws-bedrock/bedrock-runtime/us-east-1/model/a/con%2Fverse", false),
            ("/aws-bedrock/bedrock-runtime%2Fus-east-1/model/a/converse", false),
        ] {
            let problem = wrong_path(&format!("{BASE_PATH}{path}"));
            assert_eq!(problem.is_none(), is_right, "{path}: {problem:?}");
        }
    }
}
