//! What the AI Gateway is asked to do with a request, by the operator's settings and the key's record. No
//! client may ask for it.
//! <https://developers.cloudflare.com/ai-gateway/configuration/>

use crate::http::trace;
use crate::operator::Operator;
use crate::{Headers, Team};

/// The setting that keeps the AI Gateway from paying a provider with Cloudflare's credits.
pub(crate) const BILLING_SETTING: &str = "unified_billing";

/// The name with which the AI Gateway chooses a model itself.
/// <https://developers.cloudflare.com/ai-gateway/features/auto-router/>
const AUTO: &str = "cloudflare/auto";

/// A header, and its value if it is sent.
type Header = (&'static str, Option<Vec<u8>>);

/// Returns the headers for a request of `team` for `model`, whose client sent `headers`.
pub(crate) fn headers(
    headers: &Headers,
    team: &Team,
    model: Option<&str>,
    operator: &Operator<'_>,
) -> [Header; 7] {
    let (trace, span) = trace::ids(headers).unzip();
    let bytes = |id: Option<&str>| id.map(Into::into);
    let is_auto = model == Some(AUTO);
    let list = |entries: Vec<&str>| {
        (is_auto && !entries.is_empty()).then(|| entries.join(",").into_bytes())
    };
    // What it chooses must be in the key's scope. Patterns that name a choice of the AI Gateway itself are
    // not names of models.
    let models = team.scope.models.iter().flatten().map(String::as_str);
    let models: Vec<&str> = models
        .filter(|pattern| !pattern.contains("cloudflare/") && !pattern.contains("dynamic/"))
        .collect();
    let is_off = operator.settings.get(BILLING_SETTING) == Some("off");
    [
        ("cf-aig-allowed-providers", list(providers(&models))),
        ("cf-aig-allowed-models", list(models)),
        ("cf-aig-byok-alias", team.byok_alias.as_ref().map(|alias| alias.clone().into_bytes())),
        ("cf-aig-collect-log-payload", (!team.log_payloads).then(|| b"false".to_vec())),
        ("cf-aig-no-wholesale", is_off.then(|| b"true".to_vec())),
        ("cf-aig-otel-parent-span-id", bytes(span)),
        ("cf-aig-otel-trace-id", bytes(trace)),
    ]
}

/// Returns the providers of names of models, each once; none if a name leaves its provider open.
fn providers<'a>(models: &[&'a str]) -> Vec<&'a str> {
    let mut providers = Vec::new();
    for model in models {
        match model.split_once('/') {
            Some((provider, _)) if provider.contains('*') => return Vec::new(),
            Some((provider, _)) if providers.contains(&provider) => {}
            Some((provider, _)) => providers.push(provider),
            None => return Vec::new(),
        }
    }
    providers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_those_that_all_names_say() {
        for (models, expected) in [
            (&["openai/gpt-*", "groq/a/b", "openai/o*"][..], &["openai", "groq"][..]),
            (&["openai/gpt-*", "m"], &[]),
            (&["*/gpt-*", "openai/o*"], &[]),
            (&["open*"], &[]),
            (&[], &[]),
        ] {
            assert_eq!(providers(models), expected, "{models:?}");
        }
    }
}
