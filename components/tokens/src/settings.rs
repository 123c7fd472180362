//! `GET /tokens/settings`: what the operator has set, as far as a form for keys needs it.

use gateway::limits::USAGE_SETTING;
use gateway::limits::account::Counted;
use gateway::limits::prices::{self, Prices};
use gateway::router::aliases::{self, ModelAliases};
use gateway::{Error, Response};
use http::StatusCode;
use serde::Serialize;

use crate::{Action, query};

/// The setting with the names of the components that have a provider.
const PROVIDERS: &str = "providers";

#[derive(Serialize)]
struct View<'a> {
    /// The names by which a key's scope knows providers.
    providers: Vec<&'a str>,
    /// Models and patterns of models that the operator's settings name.
    models: Vec<&'a str>,
    /// Whose requests are counted: `limits`, `all` or `off`.
    usage: &'static str,
}

/// Shows the settings. None of them is a secret, but only the admin needs them.
pub(crate) fn settings(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("settings");
    action.require_admin()?;
    let [] = query::read_params(&action.request.head, [])?;
    let context = action.context;
    let prices = Prices::parse(&(context.model_setting)(prices::SETTING)?)?;
    let aliases = ModelAliases::parse(&(context.model_setting)(aliases::SETTING)?)?;
    let providers = context.settings.get(PROVIDERS).unwrap_or_default();
    let priced = prices.patterns().filter_map(|pattern| Some(pattern.split_once('/')?.1));
    let mut models: Vec<&str> = aliases.names().chain(priced).filter(|name| *name != "*").collect();
    models.sort_unstable();
    models.dedup();
    let usage = match Counted::parse(context.settings.get(USAGE_SETTING))? {
        Counted::Limited => "limits",
        Counted::All => "all",
        Counted::Off => "off",
    };
    let providers = providers.split_whitespace().collect();
    Ok(Response::json(StatusCode::OK, &View { providers, models, usage }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{ADMIN, Host, body};

    #[test]
    fn settings_are_those_of_a_form() {
        let host = Host::with_settings(
            "admin_token=0123456789abcdef0123456789abcdef\nproviders=one two\nusage=all\n",
        );
        let shown = body(&host.send("GET", "/tokens/settings", ADMIN, "").unwrap());
        let expected = json!({
            "providers": ["one", "two"], "models": ["fast", "gpt-*"], "usage": "all",
        });
        assert_eq!(shown, expected);
        assert_eq!(host.send("GET", "/tokens/settings", "", "").unwrap_err().shape().status, 401);
    }
}
