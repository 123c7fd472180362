//! `POST /tokens/{id}/explain`: whether a request would be allowed, without sending it.

use gateway::limits::gauge::Kind;
use gateway::limits::period::Moment;
use gateway::limits::prices::{self, Prices};
use gateway::limits::rules::{OnExceeded, Unit};
use gateway::models::aliases::{Aliases, SETTING_SUFFIX};
use gateway::models::limited;
use gateway::{Error, LimitedModels, Response, Team};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Action;
use crate::fields::read_body;
use crate::own_usage::{LimitState, account, state};
use crate::usage::counters;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    provider: String,
    model: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict<'a> {
    allowed: bool,
    /// The rule that denies the request, or the one that allows it.
    rule: String,
    /// The model the provider would be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_model: Option<&'a str>,
    /// Whether the key may call operations on the provider's whole account, too.
    account: bool,
    /// The limits of the key and of its team, and what is used of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    limits: Vec<LimitState>,
}

/// What the limits say to a request.
#[derive(Default)]
struct LimitVerdict {
    states: Vec<LimitState>,
    /// The rule that refuses the request.
    refused: Option<String>,
    /// Whether the request is served by the models of limited teams.
    is_limited: bool,
}

/// Reports whether the key `id` may use a model of a provider, by which rule, and the model sent.
pub(crate) fn explain(action: &mut Action<'_>, id: &str) -> Result<Response, Error> {
    action.entry.action = Some("explain");
    let id = action.require_admin_for(id)?;
    let Question { provider, model } = read_body(&(action.request.body)()?)?;
    let team = action.read_record(&id)?.team();
    let limited_models = LimitedModels::parse(&(action.context.model_setting)(limited::SETTING)?)?;
    let aliases = read_aliases(action, &provider)?;
    let names = |name| aliases.as_ref().map_or([name; 2], |aliases| aliases.names(name));
    let account = team.account;
    let limits = check_limits(action, &team, &provider, &names(&model), &limited_models)?;
    let team = if limits.is_limited { team.as_limited() } else { team };
    let refused = |rule| Verdict {
        allowed: false,
        rule,
        sent_model: None,
        account: false,
        limits: Vec::new(),
    };
    let verdict = match judge(&team, &provider, &names(&model), &action.now()) {
        Err(rule) => refused(rule.to_owned()),
        Ok(rule) => {
            // The scope applies to the model the client names, not to the operator's substitute,
            // exactly as for a real request.
            let substitute = match &aliases {
                Some(aliases) => aliases.substitute(&model, &team, &provider, &limited_models),
                None => limited_models.substitute(&team, &provider, &model),
            };
            let [_, id] = names(substitute.unwrap_or(&model));
            match limits.refused {
                Some(rule) => Verdict { limits: limits.states, ..refused(rule) },
                None => Verdict {
                    allowed: true,
                    rule,
                    sent_model: Some(id),
                    account,
                    limits: limits.states,
                },
            }
        }
    };
    Ok(Response::json(StatusCode::OK, &verdict))
}

/// Reads what is used of the limits, and finds the first that would refuse a request, or would have it
/// served by the models of limited teams.
fn check_limits(
    action: &Action<'_>,
    team: &Team,
    provider: &str,
    names: &[&str],
    limited_models: &LimitedModels,
) -> Result<LimitVerdict, Error> {
    let account = account(action, team)?;
    let mut verdict = LimitVerdict::default();
    // Read only where a limit needs them: a platform may have no counters, and prices may be wrong.
    if !account.is_limited() {
        return Ok(verdict);
    }
    let (counters, at) = (counters(action)?, Moment::new(action.context.now));
    let prices = Prices::parse(&(action.context.model_setting)(prices::SETTING)?)?;
    let has_models = limited_models.applies_to(&team.as_limited());
    for gauge in account.gauges(at) {
        let state = state(&gauge, counters, at)?;
        let budget = match &gauge.kind {
            Kind::Budget(budget, _) => Some(budget),
            _ => None,
        };
        let mode = budget.map(|budget| budget.on_exceeded).unwrap_or_default();
        let is_dollars = budget.is_some_and(|budget| budget.unit == Unit::Usd);
        let is_unpriced = is_dollars && prices.of(provider, names).is_none();
        let refusal = match mode {
            OnExceeded::Audit => None,
            _ if is_unpriced => Some(format!("prices: {} has none", gauge.label())),
            OnExceeded::Limit if state.reached && has_models => {
                verdict.is_limited = true;
                None
            }
            _ => state.reached.then(|| format!("limits: {}", gauge.label())),
        };
        verdict.refused = verdict.refused.or(refusal);
        verdict.states.push(state);
    }
    Ok(verdict)
}

/// Reads the names that stand for models of `provider`, if it has a variable for them.
fn read_aliases(action: &Action<'_>, provider: &str) -> Result<Option<Aliases>, Error> {
    let name = format!("{provider}{SETTING_SUFFIX}");
    match (action.context.model_setting)(&name) {
        Ok(aliases) => Aliases::parse(&aliases).map(Some),
        // Not declared: the provider has no such names.
        Err(Error::Configuration(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Checks the rules in the order in which a request meets them.
///
/// Returns the rule that allows the request, or as an error the first that denies it.
fn judge(team: &Team, provider: &str, names: &[&str], now: &str) -> Result<String, &'static str> {
    // The next check covers this as well, but does not say which of the two is the reason.
    if team.disabled {
        return Err("disabled");
    }
    if !team.is_active(now) {
        return Err("expiresAt");
    }
    team.scope.check_provider(provider).map_err(|_| "providers")?;
    let mut patterns = names.iter().map(|name| team.scope.rule_for(provider, name));
    let pattern = patterns.find_map(|pattern| pattern).ok_or("models")?;
    if team.scope.is_unrestricted() {
        return Ok("unrestricted".to_owned());
    }
    Ok(format!("models: {pattern}"))
}

#[cfg(test)]
mod tests {
    use gateway::Error;
    use serde_json::json;

    use crate::testing::{ADMIN, Host, body, key};

    #[test]
    fn explain_returns_the_first_rule_that_denies() {
        let question = r#"{"provider":"openai","model":"gpt-4o"}"#;
        for (fields, expected) in [
            (
                "",
                json!({"allowed": true, "rule": "unrestricted", "sentModel": "gpt-4o", "account": false}),
            ),
            (
                r#","limited":true"#,
                json!({"allowed": true, "rule": "unrestricted", "sentModel": "small", "account": false}),
            ),
            (
                r#","models":["x","gpt-*"],"limited":true"#,
                json!({"allowed": true, "rule": "models: gpt-*", "sentModel": "small", "account": false}),
            ),
            (
                r#","providers":["openai"]"#,
                json!({"allowed": true, "rule": "models: *", "sentModel": "gpt-4o", "account": false}),
            ),
            (
                r#","account":true"#,
                json!({"allowed": true, "rule": "unrestricted", "sentModel": "gpt-4o", "account": true}),
            ),
            (r#","models":["x"]"#, json!({"allowed": false, "rule": "models", "account": false})),
            (
                r#","providers":["azure"],"models":["x"]"#,
                json!({"allowed": false, "rule": "providers", "account": false}),
            ),
            (
                r#","disabled":true,"providers":[]"#,
                json!({"allowed": false, "rule": "disabled", "account": false}),
            ),
            (
                r#","ttlSeconds":60"#,
                json!({"allowed": false, "rule": "expiresAt", "account": false}),
            ),
        ] {
            let mut host = Host::default();
            host.limited_models = r#"{"*":"small"}"#;
            host.create(&format!(r#"{{"teamId":"blue"{fields}}}"#));
            host.advance(60);
            let path = format!("/tokens/{}/explain", key(0).id().as_str());
            let response = host.send("POST", &path, ADMIN, question).unwrap();
            assert_eq!(body(&response), expected, "{fields}");
        }
    }

    #[test]
    fn explain_knows_the_names_of_a_model() {
        let mut host = Host::default();
        host.limited_models = r#"{"bedrock/nova-pro":"nova-micro"}"#;
        host.create(r#"{"teamId":"blue","models":["*amazon.nova-*"],"limited":true}"#);
        let path = format!("/tokens/{}/explain", key(0).id().as_str());
        for (provider, model, sent) in [
            ("bedrock", "nova-pro", Some("amazon.nova-micro-v1:0")),
            ("bedrock", "amazon.nova-pro-v1:0", Some("amazon.nova-micro-v1:0")),
            ("bedrock", "mine", Some("amazon.nova-micro-v1:0")),
            ("bedrock", "nova-lite", Some("amazon.nova-lite-v1:0")),
            ("bedrock", "meta.llama3", None),
            ("openai", "nova-pro", None),
            ("x y", "nova-pro", None),
        ] {
            let question = serde_json::json!({"provider": provider, "model": model}).to_string();
            let verdict = body(&host.send("POST", &path, ADMIN, &question).unwrap());
            assert_eq!(verdict["allowed"], sent.is_some(), "{provider} {model}: {verdict}");
            assert_eq!(verdict["sentModel"].as_str(), sent, "{provider} {model}: {verdict}");
        }
    }

    #[test]
    fn explain_with_invalid_body_is_400() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}/explain", key(0).id().as_str());
        for question in ["", "[]", r#"{"provider":"a"}"#, r#"{"provider":"a","model":1}"#] {
            let outcome = host.send("POST", &path, ADMIN, question);
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{question}");
        }
    }
}
