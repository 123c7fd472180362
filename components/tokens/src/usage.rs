//! `GET /tokens/usage`: what keys and teams have used, by day or by month.

pub(crate) mod amounts;
mod csv;
pub(crate) mod days;

use std::collections::{BTreeMap, BTreeSet};

use gateway::keys::team::team_hash;
use gateway::limits::account::{Metric, UsageName};
use gateway::limits::counters::{Counters, stored_count};
use gateway::limits::period::{Moment, Window};
use gateway::{Error, KeyId, Record, Response, Store};
use http::StatusCode;
use serde::Serialize;

use self::amounts::Amounts;
use self::days::Wanted;
use crate::sweep::sweep;
use crate::{Action, query, team_ids};

/// The default number of rows on a page.
const DEFAULT_LIMIT: u64 = 100;

/// The maximum number of rows on a page.
const MAX_LIMIT: u64 = 5000;

/// The use of one key, and of those it was rotated from, in one period; or that of a whole team.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    period: String,
    team_id: String,
    /// The id of the first key of the lineage.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(flatten)]
    amounts: Amounts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<Row>,
    /// The sums of all rows, those of other pages among them.
    totals: Amounts,
    /// After which row the next page starts; `null` on the last page.
    next_cursor: Option<String>,
}

/// Which rows are wanted.
struct Question {
    by: Window,
    /// Whether the keys of a team are one row.
    per_team: bool,
    from: String,
    to: String,
    team: Option<String>,
    lineage: Option<String>,
}

/// Rows by their place in the order: the period, the hash of the team, and the lineage if each has a row.
type Rows = BTreeMap<String, Amounts>;

/// Returns what was used, in the order of periods, teams and keys.
pub(crate) fn usage(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("usage");
    action.require_admin()?;
    let [team, key, from, to, by, per, limit, cursor] = query::read_params(
        &action.request.head,
        ["team", "key", "from", "to", "by", "per", "limit", "cursor"],
    )?;
    let limit = query::parse_limit(limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let question = Question {
        by: parse_by(by)?,
        per_team: parse_per(per)?,
        team: team.map(|team| team_hash(&query::decode(team))),
        lineage: key.map(|key| lineage_of(action, key)).transpose()?,
        ..Question::of_dates(action, from, to)?
    };
    counters(action)?;
    let stored = action.context.store.keys()?;
    sweep(action, &stored);
    let rows = question.rows(action, &stored)?;
    let after = cursor.map(query::decode).unwrap_or_default();
    let next: Vec<_> = rows.iter().filter(|(place, _)| **place > after).collect();
    let shown = next.get(..limit.min(next.len())).unwrap_or_default();
    let teams = shown.iter().filter_map(|(place, _)| place.split(' ').nth(1));
    let names = team_names(action, &stored, teams)?;
    let mut totals = Amounts::default();
    for amounts in rows.values() {
        totals.add(amounts);
    }
    let data = shown.iter().map(|(place, amounts)| Row::new(place, **amounts, &names)).collect();
    let is_more = shown.len() < next.len();
    let last = shown.last().filter(|_| is_more);
    let next_cursor = last.map(|(place, _)| (*place).clone());
    Ok(respond(action, &Page { data, totals, next_cursor }))
}

/// Responds with JSON, or with CSV to a client that accepts it.
fn respond(action: &Action<'_>, page: &Page) -> Response {
    let accepts = action.request.head.headers.get_str("accept").unwrap_or_default();
    if accepts.contains("text/csv") {
        return csv::respond(page);
    }
    Response::json(StatusCode::OK, page)
}

/// Returns the store's counters.
///
/// # Errors
/// [`Error::Configuration`] on a platform without them.
pub(crate) fn counters<'a>(action: &Action<'a>) -> Result<&'a dyn Counters, Error> {
    let store: &'a dyn Store = action.context.store;
    store.counters().ok_or_else(|| {
        Error::Configuration("this build has no atomic counters, so nothing is counted".to_owned())
    })
}

/// Reads the use of one lineage on one day that has not ended.
pub(crate) fn read_day(store: &dyn Store, name: &UsageName, day: &str) -> Result<Amounts, Error> {
    let mut amounts = Amounts::default();
    for metric in Metric::ALL {
        let value = store.get(&name.counter(day, metric))?;
        amounts.add_metric(metric, value.map_or(0, |value| stored_count(&value)));
    }
    Ok(amounts)
}

impl Row {
    /// Creates the row at `place`, with the ids of the teams whose hashes `names` has.
    fn new(place: &str, amounts: Amounts, names: &BTreeMap<String, String>) -> Self {
        let mut parts = place.split(' ').map(ToOwned::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        let (period, team) = (next(), next());
        let team_id = names.get(&team).cloned().unwrap_or(team);
        Self { period, team_id, key: parts.next(), amounts }
    }
}

impl Question {
    /// Reads the first and the last day, which are those of the current month if none are given. The rest of
    /// the question is empty.
    fn of_dates(action: &Action<'_>, from: Option<&str>, to: Option<&str>) -> Result<Self, Error> {
        let now = Moment::new(action.context.now);
        let first = format!("{}01", now.window(Window::Month));
        let from = from.map_or(Ok(first), |from| parse_date("from", from, "01"))?;
        let to = to.map_or(Ok(now.day()), |to| parse_date("to", to, "31"))?;
        if from > to {
            return Err(Error::invalid_param("from", "`from` must not be after `to`"));
        }
        Ok(Self { by: Window::Day, per_team: false, from, to, team: None, lineage: None })
    }

    /// Reads the rows, of which `stored` are the names in the store.
    fn rows(&self, action: &Action<'_>, stored: &[String]) -> Result<Rows, Error> {
        let includes = |name: &UsageName| {
            self.team.as_ref().is_none_or(|team| *team == name.team)
                && self.lineage.as_ref().is_none_or(|lineage| *lineage == name.lineage)
        };
        let wanted = Wanted { from: &self.from, to: &self.to, includes: &includes };
        let mut rows = Rows::new();
        for (day, used) in days::read(action, stored, &wanted)? {
            let period = self.period(&day);
            for (UsageName { team, lineage }, amounts) in used {
                let place = if self.per_team {
                    format!("{period} {team}")
                } else {
                    format!("{period} {team} {lineage}")
                };
                rows.entry(place).or_default().add(&amounts);
            }
        }
        Ok(rows)
    }

    /// Formats the period of a day.
    fn period(&self, day: &str) -> String {
        let date = date(day);
        match self.by {
            Window::Day => date,
            Window::Month => date.get(..7).unwrap_or_default().to_owned(),
        }
    }
}

/// Formats the name of a day, like `20260131`, as `2026-01-31`.
pub(crate) fn date(day: &str) -> String {
    let part = |start, end| day.get(start..end).unwrap_or_default();
    format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8))
}

/// Parses a date like `2026-01-31`, or a month like `2026-01` that stands for its day `day`, into the name of
/// a day.
pub(crate) fn parse_date(name: &'static str, text: &str, day: &str) -> Result<String, Error> {
    let text = if text.len() == 7 { format!("{text}-{day}") } else { text.to_owned() };
    let is_separator = |place: usize| matches!(place, 4 | 7);
    let is_date = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| {
            if is_separator(place) { byte == b'-' } else { byte.is_ascii_digit() }
        });
    if is_date {
        return Ok(text.replace('-', ""));
    }
    let rule = format!("`{name}` must be a day like 2026-01-31, or a month like 2026-01");
    Err(Error::invalid_param(name, rule))
}

fn parse_by(by: Option<&str>) -> Result<Window, Error> {
    match by {
        None | Some("day") => Ok(Window::Day),
        Some("month") => Ok(Window::Month),
        Some(_) => Err(Error::invalid_param("by", "`by` must be day or month")),
    }
}

/// Parses whose rows are wanted; returns whether those of teams are.
fn parse_per(per: Option<&str>) -> Result<bool, Error> {
    match per {
        None | Some("key") => Ok(false),
        Some("team") => Ok(true),
        Some(_) => Err(Error::invalid_param("per", "`per` must be key or team")),
    }
}

/// Returns the lineage of the key with the id `key`; that of a revoked key is only known by its first id.
fn lineage_of(action: &Action<'_>, key: &str) -> Result<String, Error> {
    let id = KeyId::parse(key)
        .ok_or_else(|| Error::invalid_param("key", "`key` must be the id of a key"))?;
    match Record::read(action.context.store, &id) {
        Ok(Some(record)) => Ok(record.lineage().to_owned()),
        Ok(None) | Err(Error::CorruptRecord(_)) => Ok(id.as_str().to_owned()),
        Err(error) => Err(error),
    }
}

/// Returns the ids of the teams with these hashes.
pub(crate) fn team_names<'a>(
    action: &Action<'_>,
    stored: &[String],
    hashes: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, String>, Error> {
    let mut wanted: BTreeSet<&str> = hashes.collect();
    let mut names = BTreeMap::new();
    for entry in stored.iter().filter(|name| team_ids::is_entry(name)) {
        if wanted.is_empty() {
            break;
        }
        if let Some(team_id) = team_ids::read(action, entry)? {
            let hash = team_hash(&team_id);
            if wanted.remove(hash.as_str()) {
                names.insert(hash, team_id);
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
