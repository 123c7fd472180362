//! A page for a browser: one file of HTML with its style and its script inside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::http::target::check_path;
use crate::{Error, Head, Response};

/// The parts of a page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The path at which it is.
    pub path: &'static str,
    /// The HTML, with an empty element each for the style and the script.
    pub html: &'static str,
    /// The style sheet.
    pub style: &'static str,
    /// The script.
    pub script: &'static str,
}

impl Page {
    /// Returns the page, if the request is for it.
    ///
    /// # Errors
    /// [`Error::UnknownUrl`] and [`Error::UnsafePath`] for another path, [`Error::MethodNotAllowed`] for another
    /// method.
    pub fn respond(&self, head: &Head) -> Result<Response, Error> {
        let path = head.path_with_query.split('?').next().unwrap_or_default();
        check_path(path)?;
        if path.trim_end_matches('/') != self.path {
            return Err(Error::UnknownUrl { supported: self.path });
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Err(Error::MethodNotAllowed { allowed: "GET, HEAD" });
        }
        let body = self.body().into_bytes();
        let mut response = Response::new(StatusCode::OK, body, "text/html; charset=utf-8");
        let policy = self.policy();
        for (name, value) in [
            ("content-security-policy", policy.as_str()),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            response.headers.push(name, value);
        }
        Ok(response)
    }

    fn body(&self) -> String {
        let style = format!("<style>{}</style>", self.style);
        let script = format!("<script>{}</script>", self.script);
        self.html.replace("<style></style>", &style).replace("<script></script>", &script)
    }

    /// Returns the policy that lets the browser run this script alone, and lets it call this gateway alone.
    /// <https://www.w3.org/TR/CSP3/>
    fn policy(&self) -> String {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
        let (script, style) = (hash(self.script), hash(self.style));
        format!(
            "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; \
             connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;

    const PAGE: Page = Page {
        path: "/page",
        html: "<p><style></style><script></script>",
        style: "p{}",
        script: "1",
    };

    fn get(method: Method, path: &str) -> Result<Response, Error> {
        let head = Head { method, path_with_query: path.to_owned(), headers: Headers::default() };
        PAGE.respond(&head)
    }

    #[test]
    fn respond_has_style_and_script_inside_and_allows_no_others() {
        for path in ["/page", "/page/", "/page?x=/y"] {
            let response = get(Method::GET, path).unwrap();
            assert_eq!(response.body, b"<p><style>p{}</style><script>1</script>");
            assert_eq!(response.headers.get_str("cache-control"), Some("no-store"));
            let policy = response.headers.get_str("content-security-policy").unwrap();
            // printf 1 | openssl sha256 -binary | base64
            let script = "script-src 'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='";
            assert!(policy.contains(script), "{policy}");
            assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        }
    }

    #[test]
    fn respond_to_another_path_or_method_is_an_error() {
        for (method, path, status) in [
            (Method::POST, "/page", 405),
            (Method::GET, "/page/other", 404),
            (Method::GET, "/pages", 404),
            (Method::GET, "/page/../x", 400),
        ] {
            assert_eq!(get(method, path).unwrap_err().shape().status, status, "{path}");
        }
    }
}
