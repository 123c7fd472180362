//! Team keys: the admin creates, lists, updates and revokes them; a key's holder views and rotates it.
//! Also serves `/healthz` and `/metrics`.

mod auth;
mod budgets;
mod claim;
mod create;
mod explain;
mod fields;
mod health;
mod idempotency;
mod key_view;
mod limits;
mod list;
mod metrics;
mod openapi;
mod own_usage;
mod patch;
mod query;
mod refresh;
mod revoke;
mod settings;
mod show;
mod sweep;
mod team_ids;
mod teams;
mod usage;

#[cfg(test)]
mod testing;

use gateway::http::target::check_path;
use gateway::keys::api_key::bearer;
use gateway::log::Entry;
use gateway::service::{Context, ReadBody, Service};
use gateway::{Error, Request, Response};
use http::Method;

struct Tokens;

type Component = gateway_spin::ServiceComponent<Tokens>;
gateway_spin::export!(Component);

/// A request being served, together with its context and the log entry that records what it did.
struct Action<'a> {
    request: &'a Request<ReadBody<'a>>,
    context: &'a Context<'a>,
    entry: &'a mut Entry,
}

impl Service for Tokens {
    const SLUG: &'static str = "tokens";
    const MAX_BODY: u64 = 64 * 1024;

    fn respond(
        request: &Request<ReadBody<'_>>,
        context: &Context<'_>,
        entry: &mut Entry,
    ) -> Result<Response, Error> {
        let path = request.head.path_with_query.split('?').next().unwrap_or_default();
        // Checked before routing, because another hop could read an unsafe path differently.
        check_path(path)?;
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut action = Action { request, context, entry };
        match segments.as_slice() {
            ["healthz"] => action.require_method("GET, HEAD").map(|_| health::check(&mut action)),
            ["metrics"] => action.read(metrics::metrics),
            ["tokens"] => match action.require_method("GET, HEAD, POST")? {
                Method::POST => create::create(&mut action),
                _ => list::list(&mut action),
            },
            // The fixed names are matched before `key`. They cannot be ids, which are hex.
            ["tokens", "usage"] => action.read(usage::usage),
            ["tokens", "self", "usage"] => action.read(own_usage::own_usage),
            ["tokens", "settings"] => action.read(settings::settings),
            ["tokens", "teams"] => action.read(teams::list::list),
            ["tokens", "teams", ..] => {
                // An id may contain slashes.
                let team_id = path.strip_prefix("/tokens/teams/").unwrap_or_default();
                match action.require_method("DELETE, GET, HEAD, PUT")? {
                    Method::PUT => teams::put(&mut action, team_id),
                    Method::DELETE => teams::delete(&mut action, team_id),
                    _ => teams::show(&mut action, team_id),
                }
            }
            ["tokens", "openapi.json"] => {
                action.require_method("GET, HEAD").map(|_| openapi::document())
            }
            ["tokens", "refresh"] => {
                action.require_method("POST")?;
                refresh::refresh_own(&mut action)
            }
            ["tokens", key] => match action.require_method("DELETE, GET, HEAD, PATCH")? {
                Method::DELETE => revoke::revoke(&mut action, key),
                Method::PATCH => patch::patch(&mut action, key),
                _ => show::show(&mut action, key),
            },
            ["tokens", key, "refresh"] => {
                action.require_method("POST")?;
                refresh::refresh(&mut action, key)
            }
            ["tokens", key, "explain"] => {
                action.require_method("POST")?;
                explain::explain(&mut action, key)
            }
            _ => Err(Error::UnknownUrl {
                supported: "/healthz, /metrics and the paths in /tokens/openapi.json",
            }),
        }
    }
}

impl<'a> Action<'a> {
    /// Responds as `report` does, which only reads.
    fn read(
        &mut self,
        report: fn(&mut Self) -> Result<Response, Error>,
    ) -> Result<Response, Error> {
        self.require_method("GET, HEAD")?;
        report(self)
    }

    /// Returns the request's method if it is in `allowed`, a list as in an `Allow` header.
    fn require_method(&self, allowed: &'static str) -> Result<Method, Error> {
        let method = &self.request.head.method;
        if allowed.split(", ").any(|name| name == method.as_str()) {
            return Ok(method.clone());
        }
        Err(Error::MethodNotAllowed { allowed })
    }

    /// Returns the bearer token of the `Authorization` header, the only place of the admin token.
    fn bearer_token(&self) -> Option<&'a str> {
        bearer(self.request.head.headers.get_str("authorization")?)
    }

    /// Returns when the request was received, RFC 3339.
    fn now(&self) -> String {
        gateway::keys::time::rfc3339(self.context.now)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Host;

    const KEY: &str = "sk_0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn respond_checks_path_and_method() {
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
            let error = Host::default().send(method, path, "", "").unwrap_err();
            assert_eq!(error.shape().status, status, "{method} {path}: {error}");
        }
    }
}
