//! `GET /tokens/teams`: lists teams, with what they have used of their budgets if that is asked for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use gateway::keys::team::team_hash;
use gateway::limits::account::{LIMITS, UsageName, read_team, team_gauges, team_key};
use gateway::limits::period::Moment;
use gateway::limits::rules::Limits;
use gateway::{Error, KeyId, Record, Response};
use http::StatusCode;
use serde::Serialize;

use super::{TeamView, view};
use crate::budgets::{self, BudgetUse};
use crate::own_usage::LimitState;
use crate::usage::amounts::Amounts;
use crate::usage::date;
use crate::usage::days::{self, Wanted};
use crate::{Action, query, team_ids};

/// The default number of teams on a page.
const DEFAULT_LIMIT: u64 = 50;

/// The maximum number of teams on a page, because every team costs two reads of the store.
const MAX_LIMIT: u64 = 200;

/// The maximum number of days of a chart.
const MAX_DAYS: u64 = 92;

/// The most keys whose teams are looked up. With more, the numbers of keys are left out.
const MAX_KEYS: usize = 20_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<TeamView>,
    /// After which team the next page starts; `null` on the last page.
    next_cursor: Option<String>,
}

/// A team in a response that shows what it uses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TeamUse {
    #[serde(flatten)]
    team: TeamView,
    /// The number of its keys; none if there are too many keys to count.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<u64>,
    /// Its budgets, and what is used of them.
    budgets: Vec<LimitState>,
    /// What its keys used on each day of the chart on which they used something; none where nothing can be
    /// counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<Vec<DayUse>>,
}

#[derive(Serialize)]
struct DayUse {
    day: String,
    #[serde(flatten)]
    amounts: Amounts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsePage {
    data: Vec<TeamUse>,
    /// The number of all teams, those of other pages among them.
    total: usize,
    /// After which team the next page starts; `null` on the last page.
    next_cursor: Option<String>,
}

/// A team and what orders the list.
struct Ranked {
    team_id: String,
    limits: Option<Limits>,
    budgets: Vec<LimitState>,
    /// The largest share of a budget that is used.
    share: i128,
}

/// Which teams are wanted.
struct Filter {
    team: Option<String>,
    /// The start of an id, in lower case.
    prefix: String,
}

impl Filter {
    fn includes(&self, team_id: &str) -> bool {
        self.team.as_ref().is_none_or(|team| team == team_id)
            && team_id.to_lowercase().starts_with(&self.prefix)
    }
}

/// Lists the teams that have, or had, keys or limits.
pub(crate) fn list(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("list_teams");
    action.require_admin()?;
    let [view, team, prefix, days, limit, cursor] = query::read_params(
        &action.request.head,
        ["view", "team", "prefix", "days", "limit", "cursor"],
    )?;
    let limit = query::parse_limit(limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    match view {
        None if [team, prefix, days] == [None; 3] => by_id(action, limit, cursor),
        None => Err(Error::invalid_param("view", "`team`, `prefix` and `days` need `view=use`")),
        Some("use") => {
            let days = days.map(|days| query::parse_number("days", days)).transpose()?;
            if days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
                let rule = format!("`days` must be between 1 and {MAX_DAYS}");
                return Err(Error::invalid_param("days", rule));
            }
            let filter = Filter {
                team: team.map(query::decode),
                prefix: prefix.map(query::decode).unwrap_or_default().to_lowercase(),
            };
            let cursor = cursor.map(|cursor| query::parse_number("cursor", cursor)).transpose()?;
            by_use(action, &filter, days, limit, cursor.unwrap_or(0))
        }
        Some(_) => Err(Error::invalid_param("view", "`view` must be use")),
    }
}

/// Lists teams in an order that stays the same.
fn by_id(action: &Action<'_>, limit: usize, cursor: Option<&str>) -> Result<Response, Error> {
    let stored = action.context.store.keys()?;
    let mut names: Vec<&String> = stored.iter().filter(|name| team_ids::is_entry(name)).collect();
    names.sort_unstable();
    let is_next = |name: &&&String| {
        cursor.is_none_or(|cursor| team_ids::digest_of(name).is_some_and(|digest| digest > cursor))
    };
    let names: Vec<&String> = names.iter().filter(is_next).copied().collect();
    let page = names.get(..limit.min(names.len())).unwrap_or_default();
    let is_more = page.len() < names.len();
    let last = page.last().filter(|_| is_more).and_then(|name| team_ids::digest_of(name));
    let next_cursor = last.map(str::to_owned);
    let mut data = Vec::with_capacity(page.len());
    for name in page {
        if let Some(team_id) = team_ids::read(action, name)? {
            data.push(view(team_id.clone(), read_team(action.context.store, &team_id)?.as_ref()));
        }
    }
    Ok(Response::json(StatusCode::OK, &Page { data, next_cursor }))
}

/// Lists teams, those first that have used the largest share of a budget. The page starts at the team number
/// `start`.
fn by_use(
    action: &Action<'_>,
    filter: &Filter,
    days: Option<u64>,
    limit: usize,
    start: u64,
) -> Result<Response, Error> {
    let stored = action.context.store.keys()?;
    let mut teams = rank(action, &stored, filter)?;
    let total = teams.len();
    let start = usize::try_from(start).unwrap_or(usize::MAX).min(total);
    let end = start.saturating_add(limit).min(total);
    let shown: Vec<Ranked> = teams.drain(start..end).collect();
    // The list of a team's keys says how many there are.
    let keys = if filter.team.is_none() { count_keys(action, &stored)? } else { None };
    let mut charts = match days {
        Some(days) if action.context.store.counters().is_some() => {
            Some(read_charts(action, &stored, &shown, days)?)
        }
        _ => None,
    };
    let data = shown.into_iter().map(|Ranked { team_id, limits, budgets, .. }| TeamUse {
        keys: keys.as_ref().map(|keys| keys.get(&team_id).copied().unwrap_or(0)),
        budgets,
        days: charts.as_mut().map(|charts| charts.remove(&team_hash(&team_id)).unwrap_or_default()),
        team: view(team_id, limits.as_ref()),
    });
    let data = data.collect();
    let next_cursor = (end < total).then(|| end.to_string());
    Ok(Response::json(StatusCode::OK, &UsePage { data, total, next_cursor }))
}

/// Reads all teams that are wanted, in the order of the list.
fn rank(action: &Action<'_>, stored: &[String], filter: &Filter) -> Result<Vec<Ranked>, Error> {
    let store = action.context.store;
    let at = Moment::new(action.context.now);
    let with_limits: BTreeSet<&str> =
        stored.iter().map(String::as_str).filter(|name| name.starts_with(LIMITS)).collect();
    let mut teams = Vec::new();
    for name in stored.iter().filter(|name| team_ids::is_entry(name)) {
        let Some(team_id) = team_ids::read(action, name)? else { continue };
        if !filter.includes(&team_id) {
            continue;
        }
        // Read only if they are there: most teams have none.
        let has_limits = with_limits.contains(team_key(&team_id).as_str());
        let limits = if has_limits { read_team(store, &team_id)? } else { None };
        let gauges = limits.clone().map(|limits| team_gauges(&team_id, limits, at));
        let budgets = budgets::read(store, gauges.unwrap_or_default())?;
        // A team without a budget comes after those that have used nothing of theirs.
        let share = budgets.iter().map(BudgetUse::share).max().unwrap_or(-1);
        let budgets = budgets.iter().map(|budget| budget.state(at)).collect();
        teams.push(Ranked { team_id, limits, budgets, share });
    }
    teams.sort_by_cached_key(|team| (Reverse(team.share), team.team_id.to_lowercase()));
    Ok(teams)
}

/// Counts the keys of each team; nothing if there are too many.
fn count_keys(
    action: &Action<'_>,
    stored: &[String],
) -> Result<Option<BTreeMap<String, u64>>, Error> {
    let ids: Vec<KeyId> = stored.iter().filter_map(|name| KeyId::stored(name)).collect();
    if ids.len() > MAX_KEYS {
        return Ok(None);
    }
    let mut keys = BTreeMap::new();
    for id in ids {
        match Record::read(action.context.store, &id) {
            Ok(Some(record)) => *keys.entry(record.team_id).or_insert(0) += 1,
            // One that cannot be read is reported by the list of keys.
            Ok(None) | Err(Error::CorruptRecord(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(keys))
}

/// Reads what the teams used on the last so many days, by their hashes.
fn read_charts(
    action: &Action<'_>,
    stored: &[String],
    teams: &[Ranked],
    days: u64,
) -> Result<BTreeMap<String, Vec<DayUse>>, Error> {
    let hashes: Vec<String> = teams.iter().map(|team| team_hash(&team.team_id)).collect();
    let (from, to) = (days::day_before(action, days - 1), days::day_before(action, 0));
    let includes = |name: &UsageName| hashes.contains(&name.team);
    let wanted = Wanted { from: &from, to: &to, includes: &includes };
    let mut charts: BTreeMap<String, Vec<DayUse>> = BTreeMap::new();
    for (day, used) in days::read(action, stored, &wanted)? {
        let mut teams: BTreeMap<String, Amounts> = BTreeMap::new();
        for (name, amounts) in used {
            teams.entry(name.team).or_default().add(&amounts);
        }
        for (team, amounts) in teams {
            charts.entry(team).or_default().push(DayUse { day: date(&day), amounts });
        }
    }
    Ok(charts)
}

#[cfg(test)]
mod tests {
    use gateway::limits::counters::Counters as _;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{ADMIN, Host, body, key};

    /// Creates teams with budgets, of which shares are used.
    fn host() -> Host {
        let host = Host::default();
        for (team, amount) in [("alpha", 0), ("Beta", 100), ("gamma", 1000), ("delta", 10)] {
            host.create(&format!(r#"{{"teamId":"{team}"}}"#));
            if amount > 0 {
                let limits = json!({"limits": {"budgets": [
                    {"unit": "tokens", "amount": amount, "window": "month"},
                ]}});
                let path = format!("/tokens/teams/{team}");
                host.send("PUT", &path, ADMIN, &limits.to_string()).unwrap();
            }
        }
        for (team, used) in [("Beta", 50), ("gamma", 900), ("delta", 20)] {
            let name = format!("n:b:202601:tokens:t{}", team_hash(team));
            host.store.increment(&name, used).unwrap();
        }
        host
    }

    fn get(host: &Host, query: &str) -> Value {
        body(&host.send("GET", &format!("/tokens/teams?view=use{query}"), ADMIN, "").unwrap())
    }

    fn names(page: &Value) -> Vec<String> {
        let teams = page["data"].as_array().unwrap().iter();
        teams.map(|team| team["teamId"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn use_is_listed_with_the_fullest_budget_first() {
        let host = host();
        let page = get(&host, "");
        assert_eq!(names(&page), ["delta", "gamma", "Beta", "alpha"]);
        assert_eq!((&page["total"], &page["nextCursor"]), (&json!(4), &Value::Null));
        let expected = json!({
            "teamId": "delta", "keys": 1,
            "limits": {"budgets": [
                {"unit": "tokens", "amount": 10, "window": "month", "onExceeded": "block"},
            ]},
            "budgets": [{
                "limit": "team tokens/month", "amount": 10, "used": 20, "reached": true,
                "resetsAt": "2026-02-01T00:00:00.000Z",
            }],
        });
        assert_eq!(page["data"][0], expected);
        assert_eq!(names(&get(&host, "&prefix=BE")), ["Beta"]);
        assert_eq!(names(&get(&host, "&team=Beta")), ["Beta"]);
        assert_eq!(names(&get(&host, "&team=beta")), [""; 0]);
        let first = get(&host, "&limit=3");
        assert_eq!((names(&first).len(), &first["nextCursor"]), (3, &json!("3")));
        assert_eq!(names(&get(&host, "&limit=3&cursor=3")), ["alpha"]);
        assert_eq!(names(&get(&host, "&cursor=9")), [""; 0]);
    }

    #[test]
    fn chart_has_the_days_with_use() {
        let host = host();
        host.create(r#"{"teamId":"alpha"}"#);
        for (index, day, requests) in
            [(0, "20260101", 3), (4, "20260101", 4), (0, "20251230", 5), (0, "20251101", 6)]
        {
            let (team, lineage) = (team_hash("alpha"), key(index).id());
            let name = format!("n:u:{day}:{team}:{}:requests", lineage.as_str());
            host.store.increment(&name, requests).unwrap();
        }
        let chart = get(&host, "&prefix=alpha&days=30")["data"][0]["days"].clone();
        let days: Vec<_> = chart.as_array().unwrap().iter().collect();
        let shown = days.iter().map(|day| (day["day"].as_str().unwrap(), day["requests"].clone()));
        let expected = [("2025-12-30", json!(5)), ("2026-01-01", json!(7))];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!(get(&host, "&prefix=beta&days=1")["data"][0]["days"], json!([]));
    }

    #[test]
    fn chart_is_left_out_without_counters() {
        let host = host();
        host.store.remove_counters();
        let page = get(&host, "&days=30");
        assert!(page["data"][0].get("days").is_none() && page["data"][0]["keys"] == 1, "{page}");
    }

    #[test]
    fn invalid_parameter_is_400() {
        for query in
            ["view=all", "prefix=a", "view=use&days=0", "view=use&days=93", "view=use&cursor=x"]
        {
            let outcome = host().send("GET", &format!("/tokens/teams?{query}"), ADMIN, "");
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{query}");
        }
    }
}
