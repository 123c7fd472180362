//! Which web pages may call the gateway from a browser: cross-origin resource sharing.
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>

use http::{Method, StatusCode};

use crate::{Head, Headers, Response};

/// The setting that lists the origins, separated by spaces or commas, or `*` for all. Empty means none.
pub const SETTING: &str = "cors_origins";

/// What a page may send.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// Seconds for which a browser may remember the response to a preflight request.
const MAX_AGE: &str = "600";

/// The origin whose pages may read a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors(String);

impl Cors {
    /// Returns the origin of a request, if the setting `allowed` lists it.
    pub fn of(head: &Head, allowed: &str) -> Option<Self> {
        let origin = head.headers.get_str("origin")?;
        let mut listed = allowed.split([' ', ',']).filter(|entry| !entry.is_empty());
        listed.any(|entry| entry == "*" || entry == origin).then(|| Self(origin.to_owned()))
    }

    /// Checks whether a browser asks whether it may send a request. It sends no key with that.
    pub fn is_preflight(head: &Head) -> bool {
        head.method == Method::OPTIONS
            && head.headers.get("access-control-request-method").is_some()
    }

    /// Returns the response to a preflight request.
    pub fn preflight(head: &Head) -> Option<Response> {
        Self::is_preflight(head).then(|| {
            let mut headers = Headers::default();
            headers.push("access-control-allow-methods", METHODS);
            headers.push("access-control-max-age", MAX_AGE);
            // A wildcard would not include `authorization`.
            if let Some(requested) = head.headers.get("access-control-request-headers") {
                headers.push("access-control-allow-headers", requested);
            }
            Response { status: StatusCode::NO_CONTENT, headers, body: Vec::new() }
        })
    }

    /// Adds the headers that let the page read a response: its body and all its headers.
    pub fn allow(&self, headers: &mut Headers) {
        headers.push("access-control-allow-origin", self.0.as_str());
        headers.push("access-control-expose-headers", "*");
        headers.push("vary", "origin");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: Method, headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter().copied().collect();
        Head { method, path_with_query: "/".to_owned(), headers }
    }

    #[test]
    fn of_finds_exact_origins_only() {
        for (origin, allowed, expected) in [
            (Some("https://a.example"), "https://a.example", true),
            (Some("https://a.example"), "https://b.example, https://a.example", true),
            (Some("https://a.example"), "*", true),
            (Some("https://a.example"), "", false),
            (Some("https://a.example.evil"), "https://a.example", false),
            (Some("http://a.example"), "https://a.example", false),
            (Some("null"), "https://a.example", false),
            (None, "*", false),
        ] {
            let headers: Vec<(&str, &str)> =
                origin.map(|origin| ("origin", origin)).into_iter().collect();
            let found = Cors::of(&head(Method::GET, &headers), allowed);
            assert_eq!(
                found.map(|cors| cors.0).as_deref(),
                origin.filter(|_| expected),
                "{allowed}"
            );
        }
    }

    #[test]
    fn preflight_is_an_options_request_for_a_method() {
        let wish = [
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,x-stainless-os"),
        ];
        let response = Cors::preflight(&head(Method::OPTIONS, &wish)).unwrap();
        assert_eq!(response.status, StatusCode::NO_CONTENT);
        let allowed = response.headers.get_str("access-control-allow-headers");
        assert_eq!(allowed, Some("authorization,x-stainless-os"));
        for head in [head(Method::OPTIONS, &[]), head(Method::POST, &wish)] {
            assert!(Cors::preflight(&head).is_none());
        }
    }
}
