//! `GET /tokens/usage`: what keys and teams have used, by day or by month.

mod csv;

use std::collections::{BTreeMap, BTreeSet};

use gateway::keys::team::team_hash;
use gateway::limits::account::{Metric, UsageName};
use gateway::limits::amount::Usd;
use gateway::limits::counters::Counters;
use gateway::limits::period::{Moment, Window};
use gateway::{Error, KeyId, Record, Response, Store};
use http::StatusCode;
use serde::Serialize;

use crate::sweep::sweep;
use crate::{Action, query, team_ids};

/// The default number of rows on a page.
const DEFAULT_LIMIT: u64 = 100;

/// The maximum number of rows on a page: each costs seven reads of the store for every day.
const MAX_LIMIT: u64 = 500;

/// What was used, as responses show it.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(into = "UsageView")]
pub(crate) struct Amounts([i64; Metric::ALL.len()]);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageView {
    requests: i64,
    input_tokens: i64,
    output_tokens: i64,
    cached_tokens: i64,
    cache_write_tokens: i64,
    reasoning_tokens: i64,
    cost_usd: String,
}

/// The use of one key, and of those it was rotated from, in one period.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    period: String,
    team_id: String,
    /// The id of the first key of the lineage.
    key: String,
    #[serde(flatten)]
    amounts: Amounts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<Row>,
    /// The sums of the rows on this page.
    totals: Amounts,
    /// After which row the next page starts; `null` on the last page.
    next_cursor: Option<String>,
}

/// Which rows are wanted.
struct Question {
    by: Window,
    from: String,
    to: String,
    team: Option<String>,
    lineage: Option<String>,
}

/// A row that is known by the names of its counters only: its place in the order, and the days of its
/// period.
type Rows = BTreeMap<String, (UsageName, BTreeSet<String>)>;

/// Returns what was used, in the order of periods, teams and keys.
pub(crate) fn usage(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("usage");
    action.require_admin()?;
    let [team, key, from, to, by, limit, cursor] = query::read_params(
        &action.request.head,
        ["team", "key", "from", "to", "by", "limit", "cursor"],
    )?;
    let limit = query::parse_limit(limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let question = Question {
        by: parse_by(by)?,
        team: team.map(|team| team_hash(&query::decode(team))),
        lineage: key.map(|key| lineage_of(action, key)).transpose()?,
        ..Question::of_dates(action, from, to)?
    };
    let stored = action.context.store.keys()?;
    sweep(action, &stored);
    let rows = question.rows(&stored);
    let after = cursor.map(query::decode).unwrap_or_default();
    let next: Vec<_> = rows.iter().filter(|(place, _)| **place > after).collect();
    let shown = next.get(..limit.min(next.len())).unwrap_or_default();
    let names = team_names(action, &stored, shown.iter().map(|(_, (name, _))| name.team.as_str()))?;
    let counters = counters(action)?;
    let mut page = Page { data: Vec::new(), totals: Amounts::default(), next_cursor: None };
    for (place, (name, days)) in shown {
        let amounts = read_all(counters, name, days.iter())?;
        page.next_cursor = Some((*place).clone());
        // Counters that have only been read.
        if amounts.0 == [0; Metric::ALL.len()] {
            continue;
        }
        page.totals.add(&amounts);
        let period = place.split(' ').next().unwrap_or_default().to_owned();
        let team_id = names.get(&name.team).unwrap_or(&name.team).clone();
        page.data.push(Row { period, team_id, key: name.lineage.clone(), amounts });
    }
    if shown.len() == next.len() {
        page.next_cursor = None;
    }
    Ok(respond(action, &page))
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

/// Reads the use of one lineage on several days.
pub(crate) fn read_all<'a>(
    counters: &dyn Counters,
    name: &UsageName,
    days: impl Iterator<Item = &'a String>,
) -> Result<Amounts, Error> {
    let mut amounts = Amounts::default();
    for day in days {
        for (sum, metric) in amounts.0.iter_mut().zip(Metric::ALL) {
            *sum = sum.saturating_add(counters.increment(&name.counter(day, metric), 0)?);
        }
    }
    Ok(amounts)
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
        Ok(Self { by: Window::Day, from, to, team: None, lineage: None })
    }

    /// Finds the rows among the names in the store.
    fn rows(&self, stored: &[String]) -> Rows {
        let mut rows = Rows::new();
        for (day, name) in stored.iter().filter_map(|name| UsageName::parse(name)) {
            let is_wanted = (self.from.as_str()..=self.to.as_str()).contains(&day)
                && self.team.as_ref().is_none_or(|team| *team == name.team)
                && self.lineage.as_ref().is_none_or(|lineage| *lineage == name.lineage);
            if is_wanted {
                let place = format!("{} {} {}", self.period(day), name.team, name.lineage);
                rows.entry(place)
                    .or_insert_with(|| (name, BTreeSet::new()))
                    .1
                    .insert(day.to_owned());
            }
        }
        rows
    }

    /// Formats the period of a day.
    fn period(&self, day: &str) -> String {
        let part = |start, end| day.get(start..end).unwrap_or_default();
        match self.by {
            Window::Day => format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8)),
            Window::Month => format!("{}-{}", part(0, 4), part(4, 6)),
        }
    }
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
fn team_names<'a>(
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

// === impl Amounts ===

impl Amounts {
    fn add(&mut self, other: &Self) {
        for (sum, amount) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(amount);
        }
    }
}

impl From<Amounts> for UsageView {
    fn from(Amounts(amounts): Amounts) -> Self {
        let [requests, input, output, cached, written, reasoning, cost] = amounts;
        Self {
            requests,
            input_tokens: input,
            output_tokens: output,
            cached_tokens: cached,
            cache_write_tokens: written,
            reasoning_tokens: reasoning,
            cost_usd: Usd(cost).to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
