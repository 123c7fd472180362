//! `POST /tokens`: creates a key for a team.

use gateway::{ApiKey, Error, Record, Response};
use http::StatusCode;

use crate::Action;
use crate::fields::{Fields, read_body};
use crate::idempotency::IdempotencyKey;
use crate::key_view::KeyView;

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
    let idempotency_key = IdempotencyKey::read(action, "create")?;
    idempotency_key.check(action)?;
    idempotency_key.remember(action, &key.id())?;
    record.save(action.context.store)?;
    action.entry.subject = Some(record.id().to_owned());
    Ok(Response::json(StatusCode::CREATED, &KeyView::new(&record).with_key(&key)))
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
        assert_eq!(Team::find(&host.store, &key, NOW).unwrap().team_id, "blue");
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
