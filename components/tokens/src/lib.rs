//! Team keys: issued, shown, changed and revoked by an admin, seen and rotated by whoever holds one.
//! And `/healthz`.

mod access;
mod create;
mod explain;
mod fields;
mod health;
mod info;
mod list;
mod openapi;
mod patch;
mod query;
mod refresh;
mod retry;
mod revoke;
mod show;

#[cfg(test)]
mod testing;

use gateway::key::without_scheme;
use gateway::log::Entry;
use gateway::service::{Call, Context, Service};
use gateway::url::check_path;
use gateway::{Error, Reply};
use http::Method;

struct Tokens;

type Component = gateway_spin::Answer<Tokens>;
gateway_spin::export!(Component);

/// A call on its way, with what is known of it by now.
struct Act<'a> {
    call: &'a Call,
    context: &'a Context<'a>,
    entry: &'a mut Entry,
}

impl Service for Tokens {
    const SLUG: &'static str = "tokens";
    const MAX_BODY: u64 = 64 * 1024;

    fn answer(call: &Call, context: &Context<'_>, entry: &mut Entry) -> Result<Reply, Error> {
        let path = call.path_with_query.split('?').next().unwrap_or_default();
        check_path(path)?;
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut act = Act { call, context, entry };
        match segments.as_slice() {
            ["healthz"] => act.only("GET, HEAD").map(|_| health::check(context)),
            ["tokens"] => match act.only("GET, HEAD, POST")? {
                Method::POST => create::create(&mut act),
                _ => list::list(&mut act),
            },
            ["tokens", "openapi.json"] => act.only("GET, HEAD").map(|_| openapi::document()),
            ["tokens", "refresh"] => {
                act.only("POST")?;
                refresh::refresh_own(&mut act)
            }
            ["tokens", key] => match act.only("DELETE, GET, HEAD, PATCH")? {
                Method::DELETE => revoke::revoke(&mut act, key),
                Method::PATCH => patch::patch(&mut act, key),
                _ => show::show(&mut act, key),
            },
            ["tokens", key, "refresh"] => {
                act.only("POST")?;
                refresh::refresh(&mut act, key)
            }
            ["tokens", key, "explain"] => {
                act.only("POST")?;
                explain::explain(&mut act, key)
            }
            _ => Err(Error::UnknownUrl { supported: "/tokens as /tokens/openapi.json tells" }),
        }
    }
}

impl<'a> Act<'a> {
    /// The call's method, if it is one of those `allowed`.
    fn only(&self, allowed: &'static str) -> Result<Method, Error> {
        let method = &self.call.method;
        if allowed.split(", ").any(|name| name == method.as_str()) {
            return Ok(method.clone());
        }
        Err(Error::MethodNotAllowed { allowed })
    }

    /// The token of the call's `Authorization` header: where an admin's is looked for, and nowhere
    /// else.
    fn bearer(&self) -> Option<&'a str> {
        self.call.headers.get_str("authorization").map(without_scheme)
    }

    /// When the call came in, RFC 3339.
    fn now(&self) -> String {
        gateway::time::rfc3339(self.context.now)
    }
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
            ("PUT", "/tokens", 405),
            ("GET", "/tokens/refresh", 405),
            ("POST", "/tokens/openapi.json", 405),
            ("POST", &key, 405),
            ("GET", &format!("{key}/refresh"), 405),
            ("GET", &format!("{key}/explain"), 405),
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
