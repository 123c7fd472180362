//! Parses `allowed_outbound_hosts` and checks where a component may send requests.
//! <https://spinframework.dev/v3/http-outbound#granting-http-permissions-to-components>

use anyhow::{Context as _, Result, bail, ensure};
use http::Uri;

/// One allowed origin. `*` allows any scheme, host or port.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AllowedHost {
    scheme: String,
    host: String,
    port: String,
}

impl AllowedHost {
    /// Parses `scheme://host[:port]`.
    ///
    /// # Errors
    /// The pattern has no scheme, has a path, or has neither a port nor a scheme with a default
    /// port. Spin rejects these too.
    pub(crate) fn parse(pattern: &str) -> Result<Self> {
        let (scheme, rest) = pattern
            .split_once("://")
            .with_context(|| format!("allowed host {pattern:?} needs a scheme"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        ensure!(
            !rest.is_empty() && !rest.contains('/'),
            "allowed host {pattern:?} must be an origin"
        );
        let (host, port) = match rest.rsplit_once(':') {
            // In `[::1]` without a port, the last colon is part of the address.
            Some((host, port)) if !port.contains(']') => (host, port.to_owned()),
            _ => (rest, default_port(scheme)?),
        };
        Ok(Self { scheme: scheme.to_owned(), host: host.to_ascii_lowercase(), port })
    }

    /// Checks whether a request may be sent to `uri`.
    pub(crate) fn allows(&self, uri: &Uri) -> bool {
        let scheme = uri.scheme_str().unwrap_or("https");
        let port = uri.port_u16().map(|port| port.to_string());
        let port = port.or_else(|| default_port(scheme).ok()).unwrap_or_default();
        is_match(&self.scheme, scheme)
            && is_match(&self.port, &port)
            && self.allows_host(&uri.host().unwrap_or_default().to_ascii_lowercase())
    }

    /// Checks the host name, in lower case. `*.example.com` allows subdomains only.
    fn allows_host(&self, host: &str) -> bool {
        match self.host.strip_prefix("*.") {
            Some(domain) => {
                host.strip_suffix(domain).is_some_and(|subdomain| subdomain.ends_with('.'))
            }
            None => is_match(&self.host, host),
        }
    }
}

/// Checks whether a part of a pattern is `*` or equals `value`.
fn is_match(pattern: &str, value: &str) -> bool {
    pattern == "*" || pattern == value
}

/// Returns the port of a scheme that has a default one.
fn default_port(scheme: &str) -> Result<String> {
    Ok(match scheme {
        "https" => "443",
        "http" => "80",
        "*" => "*",
        other => bail!("an allowed host with the scheme {other:?} needs a port"),
    }
    .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_uri_of_declared_origin_only() {
        for (pattern, url, expected) in [
            ("https://h.example", "https://h.example/a", true),
            ("https://h.example/", "https://H.example:443/a", true),
            ("https://h.example", "http://h.example/a", false),
            ("https://h.example", "https://h.example:444/", false),
            ("https://h.example", "https://x.h.example/", false),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/", true),
            ("http://127.0.0.1:9000", "http://127.0.0.1/", false),
            ("https://*.h.example", "https://x.h.example/", true),
            ("https://*.h.example", "https://xh.example/", false),
            ("*://*:*", "http://anything:1/", true),
            ("http://[::1]:80", "http://[::1]/", true),
        ] {
            let allowed = AllowedHost::parse(pattern).unwrap();
            assert_eq!(allowed.allows(&url.parse().unwrap()), expected, "{pattern} {url}");
        }
    }

    #[test]
    fn parse_invalid_pattern_is_error() {
        for pattern in ["h.example", "https://h.example/v1", "redis://h", "https://"] {
            assert!(AllowedHost::parse(pattern).is_err(), "{pattern}");
        }
    }
}
