//! `GET /healthz`: whether the app could serve a request now, and if not, why.

use gateway::service::Context;
use gateway::{Error, LimitedModels, Reply, policy};
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// Checks settings and store; 503 names what is wrong. Open to all, so it says no value.
pub(crate) fn check(context: &Context<'_>) -> Reply {
    let settings = context.settings;
    let checks = [
        settings.gateway().map(drop),
        settings.require("admin_token").map(drop),
        (context.variable)(policy::SETTING)
            .and_then(|models| LimitedModels::parse(&models))
            .map(drop),
        context.store.get("healthz").map(drop),
    ];
    let problems: Vec<String> =
        checks.into_iter().filter_map(Result::err).map(|error: Error| error.to_string()).collect();
    let (status, word) = if problems.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    Reply::json(status, &Health { status: word, problems })
}

#[cfg(test)]
mod tests {
    use crate::testing::{Host, body};

    #[test]
    fn a_complete_app_is_healthy() {
        let reply = Host::default().call("GET", "/healthz", "", "").unwrap();
        assert_eq!(
            (reply.status.as_u16(), body(&reply).to_string()),
            (200, r#"{"status":"ok"}"#.to_owned())
        );
    }

    #[test]
    fn a_bad_map_of_models_is_named() {
        let mut host = Host::default();
        host.limited_models = "[]";
        let reply = host.call("GET", "/healthz", "", "").unwrap();
        assert_eq!(reply.status, 503);
        assert!(body(&reply).to_string().contains("limited_models must be a JSON object"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let host = Host::with_settings("ai_gateway_host=https://h\nai_gateway_token=s3cret\n");
        host.store.fail_after(0);
        let reply = host.call("GET", "/healthz", "", "").unwrap();
        let text = body(&reply).to_string();
        assert_eq!(reply.status, 503);
        for expected in ["ai_gateway_account_id", "admin_token", "key store"] {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!text.contains("s3cret"), "{text}");
    }
}
