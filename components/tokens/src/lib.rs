//! Team keys: issued to an admin, shown to and rotated by whoever holds one. And `/healthz`.

mod admin;
mod create;
mod health;
mod info;
mod refresh;
mod show;

#[cfg(test)]
mod testing;

use gateway::key::without_scheme;
use gateway::service::{Call, Context, Service};
use gateway::url::check_path;
use gateway::{ApiKey, Error, Reply};
use http::Method;

struct Tokens;

type Component = gateway_spin::Answer<Tokens>;
gateway_spin::export!(Component);

impl Service for Tokens {
    const SLUG: &'static str = "tokens";
    const MAX_BODY: u64 = 64 * 1024;

    fn answer(call: &Call, context: &Context<'_>) -> Result<Reply, Error> {
        let path = call.path_with_query.split('?').next().unwrap_or_default();
        check_path(path)?;
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (segments.as_slice(), &call.method) {
            (["healthz"], &Method::GET | &Method::HEAD) => Ok(health::check(context)),

            (["tokens"], &Method::POST) => create::create(call, context),
            (["tokens", "refresh"], &Method::POST) => {
                refresh::refresh(&ApiKey::from_headers(&call.headers)?, context)
            }
            (["tokens", key, "refresh"], &Method::POST) => {
                refresh::refresh(&ApiKey::parse(key)?, context)
            }
            (["tokens"] | ["tokens", "refresh"] | ["tokens", _, "refresh"], _) => {
                Err(Error::MethodNotAllowed { allowed: "POST" })
            }

            (["tokens", key], &Method::GET | &Method::HEAD) => {
                show::show(&ApiKey::parse(key)?, context)
            }
            (["healthz"] | ["tokens", _], _) => {
                Err(Error::MethodNotAllowed { allowed: "GET, HEAD" })
            }

            _ => Err(Error::UnknownUrl { supported: "/tokens, /tokens/{key}, /tokens/refresh" }),
        }
    }
}

/// The token of the call's `Authorization` header: where an admin's is looked for, and nowhere
/// else.
fn bearer(call: &Call) -> Option<&str> {
    call.headers.get_str("authorization").map(without_scheme)
}

#[cfg(test)]
mod tests {
    use crate::testing::Host;

    const KEY: &str = "sk_0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn every_path_has_its_methods() {
        let key = format!("/tokens/{KEY}");
        for (method, path, status) in [
            ("DELETE", "/healthz", 405),
            ("GET", "/tokens", 405),
            ("PUT", "/tokens", 405),
            ("GET", "/tokens/refresh", 405),
            ("DELETE", &key, 405),
            ("GET", &format!("{key}/refresh"), 405),
            ("GET", "/tokens/not-a-key", 401),
            ("GET", &key, 401),
            ("GET", "/", 404),
            ("GET", "/tokens/a/b/c", 404),
            ("POST", &format!("{key}/rotate"), 404),
            ("GET", "/tokens/../healthz", 400),
            ("POST", "/tokens/%2e%2e/x", 400),
        ] {
            let error = Host::default().call(method, path, "", "").unwrap_err();
            assert_eq!(error.shape().status, status, "{method} {path}: {error}");
        }
    }
}
