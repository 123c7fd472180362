//! Paths that cannot leave their prefix.
//!
//! Spin passes a path on as the client wrote it, and Cloudflare's edge resolves dot segments and
//! merges slashes, so `/openai/../../other-account` would leave the account's path. A path that any
//! hop could resolve to another one is rejected.

use std::borrow::Cow;

use crate::Error;
use crate::keys::api_key;

/// The target of a client's request below its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The version that stood before the path, of which the path has none: empty, or `/v1`.
    pub version: &'static str,
    /// The path below the route and its version: empty, or starting with `/`.
    pub path: &'a str,
    /// The query, without the `?`.
    pub query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Parses the raw `path_with_query` of a request to the route `/{slug}`.
    ///
    /// # Errors
    /// [`Error::UnknownUrl`] if it is not below the route, [`Error::UnsafePath`] if a hop could read
    /// another path in it.
    pub fn parse(path_with_query: &'a str, slug: &str) -> Result<Self, Error> {
        let (path, query) = match path_with_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_with_query, None),
        };
        let path = path
            .strip_prefix('/')
            .and_then(|path| path.strip_prefix(slug))
            .filter(|path| path.is_empty() || path.starts_with('/'))
            .ok_or(Error::UnknownUrl { supported: "paths below its own prefix" })?;
        check_path(path)?;
        check_characters(query.unwrap_or_default())?;
        check_credentials(path_with_query, query.unwrap_or_default())?;
        let (version, path) = split_version(path);
        Ok(Self { version, path, query })
    }

    /// Returns `prefix`, the path and the query, ready to be appended to the AI Gateway's base.
    pub fn below(&self, prefix: &str) -> String {
        self.at(&format!("{prefix}{}", self.path))
    }

    /// Returns another path with the same query.
    pub fn at(&self, path: &str) -> String {
        match self.query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }
}

/// Returns the path below the route before any check, for what must be known even of a request that
/// is rejected: the dialect of its error.
pub fn raw_path<'a>(path_with_query: &'a str, slug: &str) -> &'a str {
    let path = path_with_query.split('?').next().unwrap_or_default();
    let below = path.strip_prefix('/').and_then(|path| path.strip_prefix(slug));
    without_version(below.unwrap_or_default())
}

/// Strips versions from the beginning of a path.
pub fn without_version(path: &str) -> &str {
    split_version(path).1
}

/// Splits an optional version off. People configure both `/openai` and `/openai/v1` as base URL, and some
/// SDKs add a version to either, so that it is there twice.
fn split_version(mut path: &str) -> (&'static str, &str) {
    let mut version = "";
    while let Some(rest) = path.strip_prefix(VERSION).filter(|rest| is_segment_end(rest)) {
        (version, path) = (VERSION, rest);
    }
    (version, path)
}

/// Checks whether a segment of a path ends where `rest` starts.
fn is_segment_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// The version of OpenAI's API and of Anthropic's.
const VERSION: &str = "/v1";

/// Query parameters that hold a credential in some API. A URL ends up in logs.
const CREDENTIALS: [&str; 8] = [
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "authorization",
    "key",
    "subscription-key",
    "x-api-key",
];

/// Rejects a credential in a URL, in any spelling.
fn check_credentials(path_with_query: &str, query: &str) -> Result<(), Error> {
    // Decoded first, because an escaped key reaches the same logs and opens the same door. Twice,
    // because the digits of an escape may be escaped.
    if api_key::appears_in(&decoded(&decoded(path_with_query))) {
        return Err(Error::UnsafePath("it contains a team key; send it in a header"));
    }
    let is_credential = |pair: &str| {
        let name = decoded(pair.split('=').next().unwrap_or_default());
        CREDENTIALS.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    if query.split('&').any(is_credential) {
        return Err(Error::UnsafePath("it contains an api key; send it in a header"));
    }
    Ok(())
}

/// Decodes the escapes of ASCII characters in `text`, also those whose `%` is escaped itself, however
/// often.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for given in parts {
        let mut part = given;
        while let Some(rest) = part.strip_prefix("25") {
            part = rest;
        }
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let code = code.filter(u8::is_ascii);
        plain.push(code.map_or('%', char::from));
        plain.push_str(if code.is_some() { part.get(2..).unwrap_or_default() } else { given });
    }
    Cow::Owned(plain)
}

/// Rejects every path that could be read as another one: dot segments, empty segments, escaped
/// separators, characters that a URI must not contain.
///
/// # Errors
/// [`Error::UnsafePath`], which names the reason.
pub fn check_path(path: &str) -> Result<(), Error> {
    check_characters(path)?;
    let trimmed = path.strip_prefix('/').unwrap_or(path);
    let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
    if path.len() > 1 && trimmed.split('/').any(str::is_empty) {
        return Err(Error::UnsafePath("it contains an empty segment"));
    }
    if path.split('/').any(is_dot_segment) {
        return Err(Error::UnsafePath("it contains a dot segment"));
    }
    check_escapes(path)
}

/// Checks whether a resolver would read `segment` as `.` or `..`, percent-encoded or not.
fn is_dot_segment(segment: &str) -> bool {
    let plain = decoded(segment);
    plain == "." || plain == ".."
}

/// Rejects broken escapes, and those of `/`, `\`, `%` and control characters, which a second
/// decoding would turn into something else.
fn check_escapes(path: &str) -> Result<(), Error> {
    for escape in path.split('%').skip(1) {
        let code = escape.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            None => return Err(Error::UnsafePath("it contains a broken percent escape")),
            Some(b'/' | b'\\') => {
                return Err(Error::UnsafePath("it contains an encoded separator"));
            }
            Some(b'%') => return Err(Error::UnsafePath("it contains an encoded percent sign")),
            Some(code) if code.is_ascii_control() => {
                return Err(Error::UnsafePath("it contains an encoded control character"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Rejects characters that a URI must not contain, and `\`, which browsers read as `/`.
fn check_characters(text: &str) -> Result<(), Error> {
    let is_allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%[]|{}^".contains(&byte);
    if text.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(Error::UnsafePath("it contains a character that must be percent-encoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_strips_route_and_version() {
        for (given, path, query) in [
            ("/openai", "", None),
            ("/openai/", "/", None),
            ("/openai/v1", "", None),
            ("/openai/v1/chat/completions", "/chat/completions", None),
            ("/openai/chat/completions", "/chat/completions", None),
            ("/openai/v1beta/models", "/v1beta/models", None),
            ("/openai/v1/v1/models", "/models", None),
            ("/openai/v1/v10/models", "/v10/models", None),
            ("/openai/files?limit=2&after=a%2Fb", "/files", Some("limit=2&after=a%2Fb")),
            ("/openai/models/ft:gpt-4o:acme::1", "/models/ft:gpt-4o:acme::1", None),
            ("/openai/models/a%20b", "/models/a%20b", None),
            ("/openai/files/?", "/files/", Some("")),
        ] {
            let version =
                if given.starts_with("/openai/v1/") || given == "/openai/v1" { "/v1" } else { "" };
            let expected = Target { version, path, query };
            assert_eq!(Target::parse(given, "openai").unwrap(), expected, "{given}");
        }
    }

    #[test]
    fn parse_refuses_a_credential_however_it_is_written() {
        let key = format!("sk_{}", "0a".repeat(32));
        for given in [
            format!("/openai/models?a={key}"),
            format!("/openai/models/{key}"),
            format!("/openai/models?a={}", key.replace('_', "%5F")),
            format!("/openai/models?a={}", key.replace('s', "%73")),
            format!("/openai/models?a={}", key.replace('_', "%255f")),
            format!("/openai/models?a={}", key.replace('s', "%25252573")),
            format!("/openai/models?a={}", key.replace('s', "%25%37%33")),
            "/openai/models?%256bey=x".to_owned(),
            "/openai/models?key=x".to_owned(),
            "/openai/models?a=1&%6Bey=x".to_owned(),
            "/openai/models?Access_Token=x".to_owned(),
            "/openai/models?api-key".to_owned(),
        ] {
            let outcome = Target::parse(&given, "openai");
            assert!(matches!(outcome, Err(Error::UnsafePath(_))), "{given}: {outcome:?}");
        }
        for given in ["/openai/models?keys=x", "/openai/models?a=key", "/openai/models?a=%e4%"] {
            assert!(Target::parse(given, "openai").is_ok(), "{given}");
        }
    }

    #[test]
    fn parse_refuses_what_is_not_below_the_route() {
        for given in ["", "/", "/openaix", "/openai-x/models", "openai/models", "/anthropic"] {
            let outcome = Target::parse(given, "openai");
            assert!(matches!(outcome, Err(Error::UnknownUrl { .. })), "{given}: {outcome:?}");
        }
    }

    #[test]
    fn parse_refuses_paths_with_a_second_meaning() {
        for path in [
            "/../x",
            "/..",
            "/a/./b",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/%2E",
            "//evil.example/x",
            "/a//b",
            "/a/..%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%0d%0aX: y",
            "/a\r\nX: y",
            "/a b",
            "/a#b",
            "/%",
            "/%4",
            "/%zz",
            "/a%252e",
            "/ä",
            "/a%00",
            "/v1/../../x",
            "/v1//x",
        ] {
            let outcome = Target::parse(&format!("/openai{path}"), "openai").map(|_| ());
            assert!(matches!(outcome, Err(Error::UnsafePath(_))), "{path}: {outcome:?}");
        }
        let query = Target::parse("/openai/x?a=b c", "openai");
        assert!(matches!(query, Err(Error::UnsafePath(_))));
    }
}
