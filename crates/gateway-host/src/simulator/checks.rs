//! What a gateway must never let through, and what Cloudflare would refuse.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::simulator::faults::gateway_error;
use crate::simulator::reply::Reply;
use crate::simulator::{BASE_PATH, Received, TOKEN};

/// What a stream of Bedrock's is.
pub(crate) const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

/// Headers that no request may bring here, and families of them.
const FORBIDDEN: [&str; 6] =
    ["cookie", "forwarded", "x-real-ip", "xi-api-key", "cf-aig-byok-alias", "cf-connecting-ip"];
const FORBIDDEN_PREFIXES: [&str; 4] = ["proxy-", "spin-", "x-amz-", "x-forwarded-"];

/// Where Bedrock is, and what of AWS's its requests may bring.
const BEDROCK: &str = "/aws-bedrock/";
const BEDROCK_HEADERS: [&str; 3] = ["x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

/// Headers of providers' credentials.
const CREDENTIALS: [&str; 4] = ["authorization", "api-key", "x-api-key", "x-goog-api-key"];

/// The answer to a request that should not have come this way.
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

/// The answer that tells a test what it has done wrong.
pub(crate) fn refuse(problem: &str) -> Reply {
    let error = json!({"message": problem, "type": "simulator_violation"});
    Reply::json(400, &json!({"error": error}))
}

/// Provider keys are stored in the gateway; a request that brings one would switch them off. The
/// one exception is the key an operator may configure, as tests do, in the provider's own header.
/// Workers AI also takes the gateway's token.
pub(crate) fn wrong_credential(headers: &HeaderMap, own: &[&str]) -> Option<String> {
    CREDENTIALS.iter().find_map(|name| {
        let given = header(headers, name)?;
        let value = given.strip_prefix("Bearer ").unwrap_or(given);
        let is_configured = value.starts_with("provider-key-") || value == TOKEN;
        (!own.contains(name) || !is_configured)
            .then(|| format!("a provider credential nobody configured, in {name}"))
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn wrong_path(target: &str) -> Option<String> {
    let path = target.split('?').next().unwrap_or(target);
    let plain = with_model_slashes(&path.to_ascii_lowercase()).replace("%2e", ".");
    let is_unsafe = plain.contains("%2f")
        || plain.contains("//")
        || plain.split('/').any(|segment| segment == "." || segment == "..");
    let is_outside = !path.starts_with(&format!("{BASE_PATH}/"));
    (is_unsafe || is_outside).then(|| format!("a path outside of the gateway: {target}"))
}

/// A model's id in Bedrock's paths may hold slashes, encoded; what they part is checked all the same.
fn with_model_slashes(path: &str) -> String {
    let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
    let model = segments.iter().position(|segment| segment == "model").map(|before| before + 1);
    if let Some(model) = model.filter(|_| is_bedrock(path)).and_then(|at| segments.get_mut(at)) {
        *model = model.replace("%2f", "/");
    }
    segments.join("/")
}

fn is_bedrock(target: &str) -> bool {
    target.strip_prefix(BASE_PATH).is_some_and(|path| path.starts_with(BEDROCK))
}

fn forbidden(name: &str, received: &Received) -> Option<String> {
    if is_bedrock(&received.target) && BEDROCK_HEADERS.contains(&name) {
        return None;
    }
    let is_forbidden = FORBIDDEN.contains(&name)
        || FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_forbidden.then(|| format!("a header that must not leave: {name}"))
}

/// A team key anywhere but in the body, which is the client's own affair.
fn leaked_key(received: &Received) -> Option<String> {
    let is_key = |text: &[u8]| {
        text.windows(67).any(|window| {
            window.starts_with(b"sk_") && window.iter().skip(3).all(u8::is_ascii_hexdigit)
        })
    };
    let in_header = received.headers.values().any(|value| is_key(value.as_bytes()));
    let leaks = in_header || is_key(received.target.as_bytes());
    leaks.then(|| "a client's key".to_owned())
}

fn wrong_encoding(headers: &HeaderMap) -> Option<String> {
    let given = header(headers, "accept-encoding");
    (given != Some("identity")).then(|| format!("accept-encoding is {given:?}, not identity"))
}

/// AWS answers a stream to whoever accepts none, but its own tools all say what they accept.
fn wrong_accept(received: &Received) -> Option<String> {
    let is_stream = is_bedrock(&received.target) && received.path().ends_with("/converse-stream");
    let given = header(&received.headers, "accept");
    (is_stream && given != Some(EVENT_STREAM))
        .then(|| format!("accept is {given:?}, not {EVENT_STREAM}"))
}

/// Cloudflare takes five flat entries, and drops all of them for one that is not.
fn wrong_metadata(headers: &HeaderMap) -> Option<String> {
    let text = header(headers, "cf-aig-metadata").unwrap_or_default();
    let Ok(Value::Object(entries)) = serde_json::from_str(text) else {
        return Some(format!("cf-aig-metadata is not a JSON object: {text:?}"));
    };
    let is_flat =
        entries.values().all(|value| !(value.is_null() || value.is_object() || value.is_array()));
    let is_attributed = entries.contains_key("team_id") && entries.contains_key("key_id");
    (entries.len() > 5 || !is_flat || !is_attributed)
        .then(|| format!("cf-aig-metadata would not be kept: {text}"))
}

#[cfg(test)]
mod tests {
    use super::{BASE_PATH, wrong_path};

    #[test]
    fn wrong_path_encoded_slash_is_for_bedrocks_models_only() {
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
