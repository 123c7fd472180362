//! Headers, and the one table that says which of them cross the gateway.

/// A header list as WASI provides it: lower-case names, raw values, order and duplicates preserved.
///
/// A plain list and not a map, because the host's interface is a list: a header that only passes
/// through is neither copied nor hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

/// What the gateway does with a client's header before it sends the request upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestRule {
    /// Forwards it unchanged.
    Pass,
    /// Strips it.
    Drop,
    /// Strips it and sends the gateway's own value.
    Rewrite,
}

/// Credentials of the client and of every provider. The client's is for the gateway only, and any
/// of them, even a placeholder, disables the provider keys stored in Cloudflare.
/// <https://developers.cloudflare.com/ai-gateway/configuration/bring-your-own-keys/>
const CREDENTIALS: [&str; 10] = [
    "api-key",
    "authorization",
    "cf-aig-authorization",
    "cookie",
    "ocp-apim-subscription-key",
    "x-api-key",
    "x-auth-email",
    "x-auth-key",
    "x-goog-api-key",
    "xi-api-key",
];

/// Headers of one connection, RFC 9110 §7.6.1. A WASI guest may not set most of them.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "expect",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
];

/// Where the client connected from, and which page sent the request, concern the platform, not a
/// provider.
const ORIGIN: [&str; 9] = [
    "forwarded",
    "origin",
    "referer",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-envoy-external-address",
    "x-original-forwarded-for",
    "x-real-ip",
];

/// Who pays for a request, and by which organisation's rights: the operator decides that.
const PAYER: [&str; 3] = ["openai-organization", "openai-project", "x-goog-user-project"];

/// Headers that some servers obey in place of the method, which policy has checked.
const METHOD_OVERRIDE: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

/// Whole families that are stripped: proxy credentials, AWS signatures, what Spin, proxies and the gateway's
/// own components add, and all of Cloudflare's except [`CLOUDFLARE_PASSED`].
const DROPPED_PREFIXES: [&str; 6] =
    ["cf-", "proxy-", "spin-", "x-amz-", "x-forwarded-", "x-gateway-"];

/// Cloudflare's headers that a client may set: they affect only its own request.
const CLOUDFLARE_PASSED: [&str; 10] = [
    "cf-aig-backoff",
    "cf-aig-cache-ttl",
    "cf-aig-event-id",
    "cf-aig-max-attempts",
    "cf-aig-no-session-affinity",
    "cf-aig-request-timeout",
    "cf-aig-retry-delay",
    "cf-aig-session-id",
    "cf-aig-skip-cache",
    "cf-aig-turn-id",
];

/// Headers the gateway writes itself. `content-length` is that of the body it sends.
const REWRITTEN: [&str; 5] =
    ["accept-encoding", "cf-aig-cache-key", "cf-aig-metadata", "content-length", "idempotency-key"];

/// What the upstream says about its own origin: a browser would apply it to the gateway's. With them
/// goes a credential of AWS.
const RESPONSE_DROPPED: [&str; 8] = [
    "alt-svc",
    "nel",
    "report-to",
    "reporting-endpoints",
    "server",
    "set-cookie",
    "strict-transport-security",
    "x-amz-security-token",
];

/// Families of such headers: which pages may call the upstream, its proxies' own, and those that only this
/// gateway sends.
const RESPONSE_DROPPED_PREFIXES: [&str; 3] = ["access-control-", "proxy-", "x-gateway-"];

/// Returns the rule for the client's header `name` (lower case). An unknown header passes, so that
/// headers that providers add later work without a change here.
pub fn request_rule(name: &str) -> RequestRule {
    if REWRITTEN.contains(&name) {
        return RequestRule::Rewrite;
    }
    if CLOUDFLARE_PASSED.contains(&name) {
        return RequestRule::Pass;
    }
    let is_dropped = CREDENTIALS.contains(&name)
        || HOP_BY_HOP.contains(&name)
        || ORIGIN.contains(&name)
        || PAYER.contains(&name)
        || METHOD_OVERRIDE.contains(&name)
        || DROPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if is_dropped { RequestRule::Drop } else { RequestRule::Pass }
}

/// Checks whether the header `name` (lower case) is of one connection.
pub fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.contains(&name)
}

/// Checks whether the upstream's header `name` (lower case) is forwarded to the client.
pub fn passes_to_client(name: &str) -> bool {
    !(RESPONSE_DROPPED.contains(&name)
        || CREDENTIALS.contains(&name)
        || HOP_BY_HOP.contains(&name)
        || RESPONSE_DROPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

// === impl Headers ===

impl Headers {
    /// Wraps a list whose names are lower case, as WASI's are.
    pub fn from_list(list: Vec<(String, Vec<u8>)>) -> Self {
        Self(list)
    }

    /// Returns the list.
    pub fn into_list(self) -> Vec<(String, Vec<u8>)> {
        self.0
    }

    /// Returns the first value of `name` (lower case).
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// Returns the first value of `name`, if it is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Returns every value of `name`, in order.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_slice())
    }

    /// Appends a header.
    pub fn push(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Sets a header in place of all of its name.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.retain(|given| given != name);
        self.push(name, value);
    }

    /// Appends all of `others`.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// Keeps the headers whose name passes `is_kept`.
    pub fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.0.retain(|(name, _)| is_kept(name));
    }

    /// Returns a copy of the headers whose name passes `is_copied`.
    #[must_use]
    pub fn only(&self, is_copied: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| is_copied(name)).cloned().collect())
    }

    /// Replaces the prefix `from` of names by `to`.
    pub fn rename_prefix(&mut self, from: &str, to: &str) {
        for (name, _) in &mut self.0 {
            if let Some(rest) = name.strip_prefix(from) {
                *name = format!("{to}{rest}");
            }
        }
    }

    /// Returns the length of all names and values together, in bytes.
    pub fn total_bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// Returns the body's length in bytes as the sender announced it.
    pub fn content_length(&self) -> Option<u64> {
        self.get_str("content-length")?.trim().parse().ok()
    }

    /// Returns the media type without its parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.get_str("content-type")?;
        Some(value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
    }

    /// Checks whether the media type says that the body is JSON.
    pub fn is_json(&self) -> bool {
        self.media_type()
            .is_some_and(|media| media == "application/json" || media.ends_with("+json"))
    }

    /// Checks whether the media type says that the body is an event stream.
    pub fn is_event_stream(&self) -> bool {
        self.media_type().as_deref() == Some("text/event-stream")
    }

    /// Checks whether the body may say which model responded, and what it used.
    pub fn is_text(&self) -> bool {
        self.is_json() || self.is_event_stream()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_rule_covers_the_table() {
        for name in CREDENTIALS
            .iter()
            .chain(&HOP_BY_HOP)
            .chain(&ORIGIN)
            .chain(&PAYER)
            .chain(&METHOD_OVERRIDE)
        {
            assert_eq!(request_rule(name), RequestRule::Drop, "{name}");
        }
        for name in CLOUDFLARE_PASSED {
            assert_eq!(request_rule(name), RequestRule::Pass, "{name}");
        }
        for name in REWRITTEN {
            assert_eq!(request_rule(name), RequestRule::Rewrite, "{name}");
        }
        for name in [
            "cf-aig-byok-alias",
            "cf-aig-custom-cost",
            "cf-aig-collect-log",
            "cf-connecting-ip",
            "cf-aig-anything-new",
            "proxy-authorization",
            "spin-client-addr",
            "x-amz-security-token",
            "x-forwarded-for",
        ] {
            assert_eq!(request_rule(name), RequestRule::Drop, "{name}");
        }
        for name in [
            "accept",
            "anthropic-beta",
            "anthropic-version",
            "content-type",
            "traceparent",
            "user-agent",
            "x-stainless-retry-count",
            "x-unknown-header",
        ] {
            assert_eq!(request_rule(name), RequestRule::Pass, "{name}");
        }
    }

    #[test]
    fn passes_to_client_covers_the_table() {
        let dropped = [
            "transfer-encoding",
            "connection",
            "proxy-status",
            "access-control-allow-origin",
            "access-control-expose-headers",
            "x-gateway-counted",
        ];
        for name in dropped.iter().chain(&RESPONSE_DROPPED).chain(&CREDENTIALS) {
            assert!(!passes_to_client(name), "{name}");
        }
        for name in [
            "cf-aig-log-id",
            "cf-ray",
            "content-length",
            "openai-processing-ms",
            "retry-after",
            "x-ratelimit-remaining-requests",
            "x-request-id",
        ] {
            assert!(passes_to_client(name), "{name}");
        }
    }

    #[test]
    fn media_type_ignores_parameters_and_case() {
        for (value, is_json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/problem+json", true),
            ("application/jsonlines", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            let headers = Headers::from_iter([("content-type", value)]);
            assert_eq!(headers.is_json(), is_json, "{value}");
        }
    }
}
