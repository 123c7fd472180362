//! `GET /healthz`: whether the app can serve requests, and if not, why.

use gateway::limits::meter::Meter;
use gateway::limits::prices;
use gateway::models::limited;
use gateway::{Error, LimitedModels, Response};
use http::StatusCode;
use serde::Serialize;

use crate::Action;
use crate::auth::{admin_token, metrics_token};

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// Checks the settings and the store, and responds with 503 and the problems if there are any.
///
/// Anyone may ask, so a problem names a setting but never its value. Provider settings are not
/// checked: this component has no access to them.
pub(crate) fn check(action: &mut Action<'_>) -> Response {
    let context = action.context;
    let settings = context.settings;
    let checks = [
        settings.ai_gateway().map(drop),
        admin_token(settings).map(drop),
        metrics_token(settings).map(drop),
        (context.model_setting)(limited::SETTING)
            .and_then(|models| LimitedModels::parse(&models))
            .map(drop),
        (context.model_setting)(prices::SETTING).and_then(|prices| Meter::check(settings, &prices)),
        // No such entry exists: the read only shows whether the store responds.
        context.store.get("healthz").map(drop),
    ];
    let errors: Vec<Error> = checks.into_iter().filter_map(Result::err).collect();
    // In the log, too, because the operator has to act.
    for error in &errors {
        action.entry.note_error(error);
    }
    let problems: Vec<String> = errors.iter().map(Error::to_string).collect();
    let (status, status_text) = if problems.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    Response::json(status, &Health { status: status_text, problems })
}

#[cfg(test)]
mod tests {
    use crate::testing::{Host, body};

    #[test]
    fn healthz_with_all_settings_is_ok() {
        let response = Host::default().send("GET", "/healthz", "", "").unwrap();
        assert_eq!(
            (response.status.as_u16(), body(&response).to_string()),
            (200, r#"{"status":"ok"}"#.to_owned())
        );
    }

    #[test]
    fn healthz_names_invalid_limited_models() {
        let mut host = Host::default();
        host.limited_models = "[]";
        let response = host.send("GET", "/healthz", "", "").unwrap();
        assert_eq!(response.status, 503);
        assert!(body(&response).to_string().contains("limited_models must be a JSON object"));
    }

    #[test]
    fn healthz_names_missing_settings_and_failing_store() {
        let host = Host::with_settings(
            "ai_gateway_host=https://h\nai_gateway_token=s3cret\nmetrics_token=s3cret\n",
        );
        host.store.fail_after(0);
        let response = host.send("GET", "/healthz", "", "").unwrap();
        let text = body(&response).to_string();
        assert_eq!(response.status, 503);
        for expected in ["ai_gateway_account_id", "admin_token", "metrics_token", "key store"] {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!text.contains("s3cret"), "{text}");
        let entry = host.entry.borrow();
        assert_eq!(entry.level, "error");
        assert!(entry.error.as_deref().is_some_and(|error| error.contains("key store")));
    }
}
