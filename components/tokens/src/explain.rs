//! `POST /tokens/{id}/explain`: what would become of a request, without asking anybody.

use gateway::{Error, LimitedModels, Reply, Team, policy};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Act;
use crate::fields::read_body;

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
    /// The rule that denies, or the one that allows.
    rule: String,
    /// The model that would be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_model: Option<&'a str>,
}

/// Tells which rule denies the key `id` a model, or what would be sent.
pub(crate) fn explain(act: &mut Act<'_>, id: &str) -> Result<Reply, Error> {
    act.entry.action = Some("explain");
    let id = act.require_admin_of(id)?;
    let Question { provider, model } = read_body(&act.call.body)?;
    let team = act.read(&id)?.team();
    let limited_models = LimitedModels::parse(&(act.context.variable)(policy::SETTING)?)?;
    let verdict = match judge(&team, &provider, &model, &act.now()) {
        Err(rule) => Verdict { allowed: false, rule: rule.to_owned(), sent_model: None },
        Ok(rule) => {
            let chosen = limited_models.substitute(&team, &provider, &model);
            Verdict { allowed: true, rule, sent_model: Some(chosen.unwrap_or(&model)) }
        }
    };
    Ok(Reply::json(StatusCode::OK, &verdict))
}

/// The rules in the order in which a request meets them.
fn judge(team: &Team, provider: &str, model: &str, now: &str) -> Result<String, &'static str> {
    if team.disabled {
        return Err("disabled");
    }
    if !team.is_open(now) {
        return Err("expiresAt");
    }
    team.scope.check_provider(provider).map_err(|_| "providers")?;
    let pattern = team.scope.rule_for(provider, model).ok_or("models")?;
    if team.scope.is_open() {
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
    fn the_first_rule_that_denies_is_told() {
        let question = r#"{"provider":"openai","model":"gpt-4o"}"#;
        for (wish, expected) in [
            ("", json!({"allowed": true, "rule": "unrestricted", "sentModel": "gpt-4o"})),
            (
                r#","limited":true"#,
                json!({"allowed": true, "rule": "unrestricted", "sentModel": "small"}),
            ),
            (
                r#","models":["x","gpt-*"],"limited":true"#,
                json!({"allowed": true, "rule": "models: gpt-*", "sentModel": "small"}),
            ),
            (
                r#","providers":["openai"]"#,
                json!({"allowed": true, "rule": "models: *", "sentModel": "gpt-4o"}),
            ),
            (r#","models":["x"]"#, json!({"allowed": false, "rule": "models"})),
            (
                r#","providers":["azure"],"models":["x"]"#,
                json!({"allowed": false, "rule": "providers"}),
            ),
            (r#","disabled":true,"providers":[]"#, json!({"allowed": false, "rule": "disabled"})),
            (r#","ttlSeconds":60"#, json!({"allowed": false, "rule": "expiresAt"})),
        ] {
            let mut host = Host::default();
            host.limited_models = r#"{"*":"small"}"#;
            host.create(&format!(r#"{{"teamId":"blue"{wish}}}"#));
            host.advance(60);
            let path = format!("/tokens/{}/explain", key(0).id().as_str());
            let reply = host.call("POST", &path, ADMIN, question).unwrap();
            assert_eq!(body(&reply), expected, "{wish}");
        }
    }

    #[test]
    fn a_question_that_is_none_is_refused() {
        let host = Host::with_a_key();
        let path = format!("/tokens/{}/explain", key(0).id().as_str());
        for question in ["", "[]", r#"{"provider":"a"}"#, r#"{"provider":"a","model":1}"#] {
            let outcome = host.call("POST", &path, ADMIN, question);
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{question}");
        }
    }
}
