//! `POST /tokens`: a key for a team.

use gateway::{ApiKey, Error, Record, Reply};
use http::StatusCode;

use crate::Act;
use crate::fields::{Fields, read_body};
use crate::info::Info;
use crate::retry::Retry;

/// Makes a key, stores its team under its hash, and shows it this once.
pub(crate) fn create(act: &mut Act<'_>) -> Result<Reply, Error> {
    act.entry.action = Some("create");
    act.require_admin()?;
    let mut fields: Fields = read_body(&act.call.body)?;
    let team_id = fields.team()?;
    let key = ApiKey::from_random((act.context.random)());
    let mut record = Record::new(&key, team_id, act.now());
    fields.apply(&mut record, act)?;
    let retry = Retry::of(act, "create")?;
    retry.check(act)?;
    retry.note(act, &key.id())?;
    record.save(act.context.store)?;
    act.entry.subject = Some(record.id().to_owned());
    Ok(Reply::json(StatusCode::CREATED, &Info::of(&record).with_key(&key)))
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Team};
    use serde_json::json;

    use crate::testing::{ADMIN, Host, NOW, body, key};

    #[test]
    fn create_answers_with_exactly_the_record() {
        let host = Host::default();
        let wish = r#"{"teamId":"blue","name":"Blue team","limited":true}"#;
        let reply = host.call("POST", "/tokens", ADMIN, wish).unwrap();
        assert_eq!(reply.status, 201);
        let key = key(0);
        let expected = json!({
            "apiKey": key.reveal(),
            "id": key.id().as_str(),
            "teamId": "blue",
            "name": "Blue team",
            "limited": true,
            "createdAt": NOW,
        });
        assert_eq!(body(&reply), expected);
        assert_eq!(Team::find(&host.store, &key, NOW).unwrap().team_id, "blue");
    }

    #[test]
    fn create_takes_all_that_can_be_said_of_a_key() {
        let host = Host::default();
        let created = host.create(
            r#"{"teamId":"blue","ttlSeconds":60,"providers":["openai"],"models":["gpt-*"],
                "metadata":{"cost":7},"note":"for a test","disabled":false}"#,
        );
        let expected = json!({
            "apiKey": key(0).reveal(),
            "id": key(0).id().as_str(),
            "teamId": "blue",
            "name": "blue",
            "limited": false,
            "createdAt": NOW,
            "expiresAt": "2026-01-01T00:01:00.007Z",
            "providers": ["openai"],
            "models": ["gpt-*"],
            "metadata": {"cost": 7},
            "note": "for a test",
        });
        assert_eq!(created, expected);
    }

    #[test]
    fn create_refuses_bad_input() {
        let long = format!(r#"{{"teamId":"{}"}}"#, "x".repeat(129));
        let many = format!(r#"{{"teamId":"a","models":[{}"a"]}}"#, r#""a","#.repeat(64));
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
            r#"{"teamId":"a","ttlSeconds":0}"#,
            r#"{"teamId":"a","ttlSeconds":-1}"#,
            r#"{"teamId":"a","ttlSeconds":315360001}"#,
            r#"{"teamId":"a","expiresAt":"tomorrow"}"#,
            r#"{"teamId":"a","expiresAt":"2026-01-01T00:00:00Z"}"#,
            r#"{"teamId":"a","expiresAt":"2027-01-01T00:00:00Z","ttlSeconds":5}"#,
            r#"{"teamId":"a","providers":"openai"}"#,
            r#"{"teamId":"a","providers":["Open AI"]}"#,
            r#"{"teamId":"a","models":[""]}"#,
            r#"{"teamId":"a","metadata":{}}"#,
            r#"{"teamId":"a","metadata":{"a":null}}"#,
            r#"{"teamId":"a","metadata":{"a":1,"b":2}}"#,
            r#"{"teamId":"a","metadata":{"team_id":"b"}}"#,
            r#"{"teamId":"a","metadata":"x"}"#,
            r#"{"teamId":"a","note":"\u0000"}"#,
            &long,
            &many,
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
