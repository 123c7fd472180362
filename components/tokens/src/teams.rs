//! `/tokens/teams`: the limits of whole teams, over all their keys.

pub(crate) mod list;

use gateway::limits::account::{TeamRecord, read_team, team_key};
use gateway::limits::rules::Limits;
use gateway::{Error, KeyId, Record, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::claim::Claim;
use crate::fields::read_body;
use crate::limits::LimitsView;
use crate::refresh::claimed;
use crate::{Action, limits, query, team_ids};

/// A team in a response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TeamView {
    team_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<LimitsView>,
}

/// A request that sets the limits of a team.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    limits: Box<RawValue>,
}

/// Shows a team.
pub(crate) fn show(action: &mut Action<'_>, team_id: &str) -> Result<Response, Error> {
    action.entry.action = Some("show_team");
    action.require_admin()?;
    let team_id = known(action, team_id)?;
    let limits = read_team(action.context.store, &team_id)?;
    Ok(Response::json(StatusCode::OK, &view(team_id, limits.as_ref())))
}

/// Sets the limits of a team, which may have no keys yet.
///
/// The record is written before the keys are marked: a key that is created meanwhile finds it. A failure
/// in between leaves keys without a mark, so the request has to be sent again.
pub(crate) fn put(action: &mut Action<'_>, team_id: &str) -> Result<Response, Error> {
    action.entry.action = Some("put_team");
    action.require_admin()?;
    let team_id = query::decode_path(team_id);
    let change: Change = read_body(&(action.request.body)()?)?;
    let Some(limits) = limits::read(&change.limits)? else {
        let why = "`limits` has no limit: use DELETE to clear the limits of a team";
        return Err(Error::invalid_param("limits", why));
    };
    crate::fields::check_team_id(&team_id)?;
    team_ids::register(action, &team_id)?;
    let record = TeamRecord::new(team_id.clone(), limits);
    let bytes = serde_json::to_vec(&record).unwrap_or_default();
    action.context.store.set(&team_key(&team_id), &bytes)?;
    mark_keys(action, &team_id)?;
    Ok(Response::json(StatusCode::OK, &view(team_id, Some(&record.limits))))
}

/// Clears the limits of a team.
pub(crate) fn delete(action: &mut Action<'_>, team_id: &str) -> Result<Response, Error> {
    action.entry.action = Some("delete_team");
    action.require_admin()?;
    let team_id = known(action, team_id)?;
    action.context.store.delete(&team_key(&team_id))?;
    mark_keys(action, &team_id)?;
    Ok(Response::no_content())
}

/// Returns the id of a team that is known.
fn known(action: &Action<'_>, team_id: &str) -> Result<String, Error> {
    let team_id = query::decode_path(team_id);
    if team_ids::is_registered(action, &team_id)? { Ok(team_id) } else { Err(Error::UnknownTeam) }
}

fn view(team_id: String, limits: Option<&Limits>) -> TeamView {
    TeamView { team_id, limits: limits.map(LimitsView::new) }
}

/// Notes in the records of all keys of a team whether it has limits, so that only their requests read them.
///
/// Each key is claimed as by a rotation: an update at the same time would otherwise undo the mark. Whether the
/// team has limits is looked up with the claim: another request may set or clear them at the same time.
///
/// # Errors
/// [`Error::InProgress`] if another request changes one of the keys.
fn mark_keys(action: &Action<'_>, team_id: &str) -> Result<(), Error> {
    let store = action.context.store;
    for id in store.keys()?.iter().filter_map(|name| KeyId::stored(name)) {
        let is_of_team = |record: &Record| record.team_id == team_id;
        // One that cannot be read authenticates no one.
        if !Record::read(store, &id).is_ok_and(|record| record.as_ref().is_some_and(is_of_team)) {
            continue;
        }
        let claim = Claim::take(action, &claimed(&id))?;
        let outcome = mark_key(action, &id);
        claim.release(action);
        outcome?;
    }
    Ok(())
}

fn mark_key(action: &Action<'_>, id: &KeyId) -> Result<(), Error> {
    let store = action.context.store;
    let Some(mut record) = Record::read(store, id)? else { return Ok(()) };
    let has_limits = store.get(&team_key(&record.team_id))?.is_some();
    if record.has_team_limits == has_limits {
        return Ok(());
    }
    record.has_team_limits = has_limits;
    match record.update(action.context.store) {
        // Revoked meanwhile.
        Err(Error::UnknownKeyId) => Ok(()),
        outcome => outcome,
    }
}

/// Stores a record by `save`, marked if its team has limits. These are looked up again afterwards: they may
/// have been set in between, when the record was not there to be marked.
pub(crate) fn save_marked(
    action: &Action<'_>,
    record: &mut Record,
    save: impl Fn(&Record) -> Result<(), Error>,
) -> Result<(), Error> {
    let has_limits = |record: &Record| {
        Ok::<_, Error>(action.context.store.get(&team_key(&record.team_id))?.is_some())
    };
    record.has_team_limits = has_limits(record)?;
    save(record)?;
    if !record.has_team_limits && has_limits(record)? {
        record.has_team_limits = true;
        return record.update(action.context.store);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use gateway::{Error, Team};
    use serde_json::json;

    use crate::testing::{ADMIN, Host, body, key};

    const LIMITS: &str = r#"{"limits":{"requestsPerMinute":5}}"#;

    fn is_marked(host: &Host, index: u8) -> bool {
        Team::find(&*host.store, &key(index), &host.now()).unwrap().has_team_limits
    }

    #[test]
    fn put_marks_the_keys_of_the_team_and_delete_clears_them() {
        let host = Host::default();
        for team in ["Blue team", "red", "Blue team"] {
            host.create(&format!(r#"{{"teamId":"{team}"}}"#));
        }
        let path = "/tokens/teams/Blue%20team";
        let put = host.send("PUT", path, ADMIN, LIMITS).unwrap();
        let expected = json!({"teamId": "Blue team", "limits": {"requestsPerMinute": 5}});
        assert_eq!((put.status.as_u16(), body(&put)), (200, expected.clone()));
        assert_eq!(body(&host.send("GET", path, ADMIN, "").unwrap()), expected);
        assert_eq!([0, 1, 2].map(|index| is_marked(&host, index)), [true, false, true]);
        // A new key and a rotated one are marked, too.
        host.create(r#"{"teamId":"Blue team"}"#);
        host.send("POST", &format!("/tokens/{}/refresh", key(0).reveal()), "", "").unwrap();
        assert_eq!([3, 4].map(|index| is_marked(&host, index)), [true, true]);
        assert_eq!(host.send("DELETE", path, ADMIN, "").unwrap().status, 204);
        assert_eq!([2, 3, 4].map(|index| is_marked(&host, index)), [false; 3]);
        let shown = body(&host.send("GET", path, ADMIN, "").unwrap());
        assert_eq!(shown, json!({"teamId": "Blue team"}));
    }

    #[test]
    fn list_pages_through_the_teams() {
        let host = Host::default();
        for team in ["a", "b", "c/d"] {
            host.create(&format!(r#"{{"teamId":"{team}"}}"#));
        }
        host.send("PUT", "/tokens/teams/c/d", ADMIN, LIMITS).unwrap();
        let (mut teams, mut query) = (Vec::new(), "?limit=2".to_owned());
        for expected in [2, 1] {
            let page =
                body(&host.send("GET", &format!("/tokens/teams{query}"), ADMIN, "").unwrap());
            assert_eq!(page["data"].as_array().unwrap().len(), expected);
            teams.extend(page["data"].as_array().unwrap().clone());
            query = format!("?limit=2&cursor={}", page["nextCursor"].as_str().unwrap_or_default());
        }
        teams.sort_by_key(|team| team["teamId"].as_str().unwrap().to_owned());
        let limited = json!({"teamId": "c/d", "limits": {"requestsPerMinute": 5}});
        assert_eq!(teams, [json!({"teamId": "a"}), json!({"teamId": "b"}), limited]);
    }

    #[test]
    fn key_that_is_changed_while_limits_are_set_is_marked() {
        for operation in ["create", "patch", "refresh"] {
            let mut interleaved = 0;
            for step in 0..24 {
                let host = Host::with_a_key();
                let other = host.sibling();
                let path = format!("/tokens/{}", key(0).id().as_str());
                let put = Rc::new(Cell::new(false));
                let has_put = put.clone();
                host.store.interrupt_after(step, move |_| {
                    // Refused while the key is being changed: then the admin tries again.
                    let outcome = other.send("PUT", "/tokens/teams/blue", ADMIN, LIMITS);
                    has_put.set(outcome.is_ok());
                });
                let outcome = match operation {
                    "create" => host.send("POST", "/tokens", ADMIN, r#"{"teamId":"blue"}"#),
                    "patch" => host.send("PATCH", &path, ADMIN, r#"{"note":"n"}"#),
                    _ => host.send("POST", &format!("{path}/refresh"), ADMIN, ""),
                };
                let index = u8::from(operation != "patch");
                if outcome.is_ok() && put.get() {
                    interleaved += 1;
                    assert!(is_marked(&host, index), "{operation} {step}");
                }
            }
            assert_ne!(interleaved, 0, "{operation}");
        }
    }

    #[test]
    fn invalid_request_for_a_team_is_rejected() {
        let host = Host::with_a_key();
        for (method, path, text) in [
            ("PUT", "/tokens/teams/blue", "{}"),
            ("PUT", "/tokens/teams/blue", r#"{"limits":{}}"#),
            ("PUT", "/tokens/teams/blue", r#"{"limits":null}"#),
            ("PUT", "/tokens/teams/BLUE", LIMITS),
            ("PUT", "/tokens/teams/%0a", LIMITS),
        ] {
            let outcome = host.send(method, path, ADMIN, text);
            assert!(outcome.unwrap_err().shape().status == 400, "{method} {path} {text}");
        }
        for method in ["GET", "DELETE"] {
            let outcome = host.send(method, "/tokens/teams/nobody", ADMIN, "");
            assert!(matches!(outcome, Err(Error::UnknownTeam)), "{method}");
        }
    }
}
