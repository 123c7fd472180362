//! `POST /tokens`: creates a key for a team.

use gateway::keys::api_key::digest;
use gateway::{ApiKey, Error, Record, Response};
use http::StatusCode;

use crate::Action;
use crate::fields::{Fields, read_body};
use crate::idempotency::IdempotencyKey;
use crate::key_view::KeyView;
use crate::team_ids;
use crate::teams::save_marked;

/// Creates a key, stores its record and returns the key, which is never shown again.
pub(crate) fn create(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("create");
    action.require_admin()?;
    let mut fields: Fields = read_body(&(action.request.body)()?)?;
    let team_id = fields.take_team_id()?;
    let key = ApiKey::from_random((action.context.random)());
    let mut record = Record::new(&key, team_id, action.now());
    fields.apply(&mut record, action)?;
    // The body is checked before the idempotency key is remembered: a rejected request can be
    // corrected and sent again under the same idempotency key.
    let team = digest(&record.team_id);
    let idempotency_key = IdempotencyKey::read(action, &format!("create:{team}"))?;
    idempotency_key.check(action)?;
    let claim = idempotency_key.claim(action)?;
    let outcome = save(action, &mut record, &idempotency_key);
    if let Some(claim) = claim {
        claim.release(action);
    }
    outcome?;
    action.entry.subject = Some(record.id().to_owned());
    Ok(Response::json(StatusCode::CREATED, &KeyView::new(&record).with_key(&key)))
}

/// Stores the record of a new key, unless the same request has created a key since it was checked.
fn save(
    action: &Action<'_>,
    record: &mut Record,
    idempotency_key: &IdempotencyKey,
) -> Result<(), Error> {
    idempotency_key.check(action)?;
    team_ids::register(action, &record.team_id)?;
    idempotency_key.remember(action, &record.key_id())?;
    save_marked(action, record, |record| record.save(action.context.store))
}

#[cfg(test)]
mod tests {
    use gateway::{Error, Team};
    use serde_json::json;

    use crate::testing::{ADMIN, Host, NOW, body, key};

    #[test]
    fn create_returns_exactly_the_record() {
        let host = Host::default();
        let fields = r#"{"teamId":"blue","name":"Blue team","limited":true}"#;
        let response = host.send("POST", "/tokens", ADMIN, fields).unwrap();
        assert_eq!(response.status, 201);
        let key = key(0);
        let expected = json!({
            "apiKey": key.reveal(),
            "id": key.id().as_str(),
            "teamId": "blue",
            "name": "Blue team",
            "limited": true,
            "createdAt": NOW,
        });
        assert_eq!(body(&response), expected);
        assert_eq!(Team::find(&*host.store, &key, NOW).unwrap().team_id, "blue");
    }

    #[test]
    fn create_accepts_every_field() {
        let host = Host::default();
        let created = host.create(
            r#"{"teamId":"blue","ttlSeconds":60,"providers":["openai"],"models":["gpt-*"],
                "metadata":{"cost":7},"note":"for a test","disabled":false,"account":true}"#,
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
            "account": true,
        });
        assert_eq!(created, expected);
    }

    #[test]
    fn create_for_a_team_that_looks_like_another_is_400() {
        let host = Host::default();
        host.create(r#"{"teamId":"Blue team"}"#);
        for (team, expected) in [
            ("Blue team", true),
            ("blue team", false),
            ("BLUE  TEAM", false),
            ("Blue team ", false),
            (" Blue team", false),
            ("Blue\u{a0}team", false),
            ("Blue\u{200b} team", false),
            ("Blue team\u{202e}", false),
            ("Blue team\u{fe0f}", false),
            ("Blue team\u{e0041}", false),
            ("blue", true),
        ] {
            let fields = serde_json::json!({"teamId": team}).to_string();
            let outcome = host.send("POST", "/tokens", ADMIN, &fields);
            assert_eq!(outcome.is_ok(), expected, "{team:?}: {outcome:?}");
        }
    }

    #[test]
    fn create_for_two_teams_takes_the_same_idempotency_key() {
        let host = Host::default();
        for team in ["blue", "red"] {
            let headers = [("authorization", ADMIN), ("idempotency-key", "a")];
            let fields = format!(r#"{{"teamId":"{team}"}}"#);
            assert!(host.send_with("POST", "/tokens", &headers, &fields).is_ok(), "{team}");
        }
    }

    #[test]
    fn create_with_invalid_field_is_400() {
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
            let outcome = Host::default().send("POST", "/tokens", ADMIN, body);
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{body}");
        }
    }

    #[test]
    fn create_with_failing_store_returns_no_key() {
        let host = Host::default();
        host.store.fail_after(0);
        let outcome = host.send("POST", "/tokens", ADMIN, r#"{"teamId":"blue"}"#);
        assert!(matches!(outcome, Err(Error::StoreUnavailable(_))));
    }
}
