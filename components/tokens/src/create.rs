//! `POST /tokens`: a key for a team.

use gateway::service::{Call, Context};
use gateway::{ApiKey, Error, Reply, Team, time};
use http::StatusCode;
use serde::Deserialize;

use crate::admin;
use crate::info::Info;

/// Characters a team id may have.
const TEAM_ID_LENGTH: usize = 128;

/// Characters a name may have.
const NAME_LENGTH: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wish {
    team_id: String,
    /// For people; the team id where it is left out.
    name: Option<String>,
    #[serde(default)]
    limited: bool,
}

/// Makes a key, stores its team under its hash, and shows it this once.
pub(crate) fn create(call: &Call, context: &Context<'_>) -> Result<Reply, Error> {
    admin::require(call, context)?;
    let wish = read(&call.body)?;
    let key = ApiKey::from_random((context.random)());
    let name = wish.name.unwrap_or_else(|| wish.team_id.clone());
    let team = Team::new(&key, wish.team_id, name, wish.limited, time::rfc3339(context.now));
    team.save(context.store, &key.id())?;
    Ok(Reply::json(StatusCode::CREATED, &Info::of(&team).with_key(&key)))
}

fn read(body: &[u8]) -> Result<Wish, Error> {
    let wish: Wish = serde_json::from_slice(body).map_err(|error| Error::InvalidBody {
        message: format!("the body must be {{\"teamId\", \"name\", \"limited\"}}: {error}"),
        param: None,
    })?;
    check("teamId", &wish.team_id, TEAM_ID_LENGTH)?;
    if let Some(name) = &wish.name {
        check("name", name, NAME_LENGTH)?;
    }
    Ok(wish)
}

/// Names go into logs and headers: they must be there, and be one line.
fn check(param: &'static str, text: &str, limit: usize) -> Result<(), Error> {
    let problem = if text.trim().is_empty() {
        "must not be empty".to_owned()
    } else if text.chars().count() > limit {
        format!("may have at most {limit} characters")
    } else if text.chars().any(char::is_control) {
        "must not have control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid_param(param, format!("`{param}` {problem}")))
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Team};

    use crate::testing::{ADMIN, Host, json};

    #[test]
    fn create_answers_with_exactly_the_record() {
        let host = Host::default();
        let body = r#"{"teamId":"blue","name":"Blue team","limited":true}"#;
        let reply = host.call("POST", "/tokens", ADMIN, body).unwrap();
        assert_eq!(reply.status, 201);
        let key = crate::testing::key(0);
        let expected = serde_json::json!({
            "apiKey": key.reveal(),
            "id": key.id().as_str(),
            "teamId": "blue",
            "name": "Blue team",
            "limited": true,
            "createdAt": "2026-01-01T00:00:00.007Z",
        });
        assert_eq!(json(&reply), expected);
        assert_eq!(Team::find(&host.store, &key).unwrap().team_id, "blue");
    }

    #[test]
    fn create_fills_in_what_may_be_left_out() {
        let reply = Host::default().call("POST", "/tokens", ADMIN, r#"{"teamId":"blue"}"#).unwrap();
        let json = json(&reply);
        assert_eq!((&json["name"], &json["limited"]), (&"blue".into(), &false.into()));
    }

    #[test]
    fn create_refuses_bad_input() {
        let long = format!(r#"{{"teamId":"{}"}}"#, "x".repeat(129));
        for body in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"teamId":1}"#,
            r#"{"teamId":""}"#,
            r#"{"teamId":"  "}"#,
            r#"{"teamId":"a\nb"}"#,
            r#"{"teamId":"a","teamId":"b"}"#,
            r#"{"teamId":"a","limited":"yes"}"#,
            r#"{"teamId":"a","name":""}"#,
            r#"{"teamId":"a","name":7}"#,
            r#"{"teamId":"a","admin":true}"#,
            &long,
        ] {
            let outcome = Host::default().call("POST", "/tokens", ADMIN, body);
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{body}");
        }
    }

    #[test]
    fn create_says_nothing_of_a_key_it_could_not_store() {
        let host = Host::default();
        host.store.fail_after(0);
        let outcome = host.call("POST", "/tokens", ADMIN, r#"{"teamId":"blue"}"#);
        assert!(matches!(outcome, Err(Error::StoreUnavailable(_))));
    }
}
