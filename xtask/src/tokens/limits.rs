//! `cargo xtask tokens limits`, `teams` and `usage`.

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{escape, pages, send};

#[derive(Args)]
pub(crate) struct Options {
    /// Id of the key.
    #[arg(required_unless_present = "team", conflicts_with = "team")]
    id: Option<String>,
    /// The team whose limits are meant, in place of those of a key.
    #[arg(long)]
    team: Option<String>,
    #[command(flatten)]
    limits: Limits,
    /// Remove all limits.
    #[arg(long)]
    clear: bool,
}

/// The limits to set. Those that are omitted are removed.
#[derive(Args)]
pub(super) struct Limits {
    /// Requests in a minute.
    #[arg(long)]
    requests_per_minute: Option<u64>,
    /// Input and output tokens in a minute.
    #[arg(long)]
    tokens_per_minute: Option<u64>,
    /// Requests in flight.
    #[arg(long)]
    parallel_requests: Option<u64>,
    /// Budget, as `50 usd/month` or `2000000 tokens/day`, with `, limit` or `, audit` if requests are not
    /// refused at its end; repeatable.
    #[arg(long = "budget", value_parser = budget)]
    budgets: Vec<Value>,
}

#[derive(Args)]
pub(crate) struct UsageOptions {
    /// Only this team.
    #[arg(long)]
    team: Option<String>,
    /// Only the key with this id, and those it was rotated from.
    #[arg(long)]
    key: Option<String>,
    /// First day, such as 2026-01-31, or first month; the first of this month if omitted.
    #[arg(long)]
    from: Option<String>,
    /// Last day, or last month; today if omitted.
    #[arg(long)]
    to: Option<String>,
    /// Add up the days of each month.
    #[arg(long)]
    monthly: bool,
}

impl Limits {
    /// Returns the limits as the API has them, if any is given.
    pub(super) fn body(&self) -> Option<Value> {
        let mut body = Map::new();
        for (name, limit) in [
            ("requestsPerMinute", self.requests_per_minute),
            ("tokensPerMinute", self.tokens_per_minute),
            ("parallelRequests", self.parallel_requests),
        ] {
            body.extend(limit.map(|limit| (name.to_owned(), json!(limit))));
        }
        if !self.budgets.is_empty() {
            body.insert("budgets".to_owned(), json!(self.budgets));
        }
        (!body.is_empty()).then(|| body.into())
    }
}

/// Parses a budget, such as `50 usd/month, limit`.
fn budget(text: &str) -> Result<Value> {
    let example = || format!("`{text}` is not like `50 usd/month` or `2000000 tokens/day, audit`");
    let (budget, on_exceeded) = text.split_once(',').unwrap_or((text, "block"));
    let (amount, rest) = budget.trim().split_once(' ').with_context(example)?;
    let (unit, window) = rest.trim().split_once('/').with_context(example)?;
    let amount = match unit {
        "usd" => json!(amount),
        "tokens" => json!(amount.replace('_', "").parse::<u64>().with_context(example)?),
        _ => bail!(example()),
    };
    let on_exceeded = on_exceeded.trim();
    Ok(json!({"unit": unit, "amount": amount, "window": window, "onExceeded": on_exceeded}))
}

/// Sets the limits that are given, or shows those that are set.
pub(super) fn set_or_show(options: &super::Options, limits: &Options) -> Result<Value> {
    let body = limits.limits.body();
    ensure!(!limits.clear || body.is_none(), "--clear removes all limits: give no others");
    if let Some(team) = &limits.team {
        let path = format!("/tokens/teams/{}", escape(team));
        return match body {
            Some(limits) => send(options, "PUT", &path, Some(json!({"limits": limits}))),
            None if limits.clear => send(options, "DELETE", &path, None),
            None => send(options, "GET", &path, None),
        };
    }
    let path = format!("/tokens/{}", limits.id.as_deref().unwrap_or_default());
    let shown = match body {
        None if !limits.clear => send(options, "GET", &path, None)?,
        body => send(options, "PATCH", &path, Some(json!({"limits": body})))?,
    };
    let part = |name: &str| shown.get(name).cloned().unwrap_or_default();
    Ok(json!({"id": part("id"), "teamId": part("teamId"), "limits": part("limits")}))
}

/// Lists all teams.
pub(super) fn teams(options: &super::Options) -> Result<Value> {
    pages(options, "/tokens/teams?limit=200")
}

/// Lists what was used, of all pages.
pub(super) fn usage(options: &super::Options, usage: &UsageOptions) -> Result<Value> {
    let UsageOptions { team, key, from, to, monthly } = usage;
    let mut path = format!("/tokens/usage?limit=500&by={}", if *monthly { "month" } else { "day" });
    for (name, value) in [("team", team), ("key", key), ("from", from), ("to", to)] {
        if let Some(value) = value {
            path = format!("{path}&{name}={}", escape(value));
        }
    }
    pages(options, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_read_as_it_is_spoken() {
        let expected = |unit, amount: Value, window, on_exceeded| json!({"unit": unit, "amount": amount, "window": window, "onExceeded": on_exceeded});
        for (text, expected) in [
            ("50 usd/month", expected("usd", json!("50"), "month", "block")),
            ("0.5 usd/day, limit", expected("usd", json!("0.5"), "day", "limit")),
            ("2_000_000 tokens/day,audit", expected("tokens", json!(2_000_000), "day", "audit")),
        ] {
            assert_eq!(budget(text).unwrap(), expected, "{text}");
        }
        for text in ["50", "50 eur/month", "usd/month", "x tokens/day", "50 usd"] {
            assert!(budget(text).is_err(), "{text}");
        }
    }
}
