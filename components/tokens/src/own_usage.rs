//! `GET /tokens/self/usage`: what a key has used and may use, for its holder.

use gateway::keys::time::rfc3339;
use gateway::limits::account::{Account, read_team};
use gateway::limits::counters::Counters;
use gateway::limits::gauge::{Gauge, Kind};
use gateway::limits::period::Moment;
use gateway::{ApiKey, Error, Response, Team};
use http::StatusCode;
use serde::Serialize;

use crate::Action;
use crate::auth::KeyRef;
use crate::limits::Amount;
use crate::query;
use crate::usage::amounts::Amounts;
use crate::usage::read_day;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnUsage<'a> {
    id: &'a str,
    team_id: &'a str,
    /// What was used today, in UTC, by this key and those it was rotated from; none where nothing can be
    /// counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    today: Option<Amounts>,
    limits: Vec<LimitState>,
}

/// One limit and what is used of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LimitState {
    /// Whose limit, and what is limited, such as `key usd/month`.
    pub(crate) limit: String,
    amount: Amount,
    used: Amount,
    /// When all of it can be used again.
    #[serde(skip_serializing_if = "Option::is_none")]
    resets_at: Option<String>,
    /// Whether nothing is left.
    pub(crate) reached: bool,
}

/// Returns the use and the limits of the key in the request's headers. Nothing of another key.
pub(crate) fn own_usage(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("own_usage");
    let key = ApiKey::from_headers(&action.request.head.headers)?;
    let [] = query::read_params(&action.request.head, [])?;
    let record = action.find_record(&KeyRef::Key(key))?;
    let team = record.team();
    let account = account(action, &team)?;
    let at = Moment::new(action.context.now);
    let (today, limits) = match action.context.store.counters() {
        Some(counters) => {
            let today = read_day(action.context.store, account.usage(), &at.day())?;
            (Some(today), states(&account, counters, at)?)
        }
        None => (None, Vec::new()),
    };
    let usage = OwnUsage { id: record.id(), team_id: &record.team_id, today, limits };
    Ok(Response::json(StatusCode::OK, &usage))
}

/// Returns the account of a key.
pub(crate) fn account(action: &Action<'_>, team: &Team) -> Result<Account, Error> {
    let of_team =
        if team.has_team_limits { read_team(action.context.store, &team.team_id)? } else { None };
    Ok(Account::new(team, of_team))
}

/// Reads what is used of every limit.
pub(crate) fn states(
    account: &Account,
    counters: &dyn Counters,
    at: Moment,
) -> Result<Vec<LimitState>, Error> {
    account.gauges(at).iter().map(|gauge| state(gauge, counters, at)).collect()
}

/// Reads what is used of one limit.
pub(crate) fn state(
    gauge: &Gauge,
    counters: &dyn Counters,
    at: Moment,
) -> Result<LimitState, Error> {
    let level = gauge.add(counters, at, 0)?;
    Ok(LimitState::new(gauge, level.used, at))
}

impl LimitState {
    /// Creates the state of a limit of which `used` is used at the moment `at`.
    pub(crate) fn new(gauge: &Gauge, used: i64, at: Moment) -> Self {
        let unit = match &gauge.kind {
            Kind::Budget(budget, _) => Some(budget.unit),
            _ => None,
        };
        let time =
            |seconds| rfc3339(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
        Self {
            limit: gauge.label(),
            amount: Amount::new(unit, gauge.limit),
            used: Amount::new(unit, used),
            resets_at: gauge.resets_at(at).map(time),
            reached: used >= gauge.limit,
        }
    }
}
