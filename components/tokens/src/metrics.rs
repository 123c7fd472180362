//! `GET /metrics`: what teams have used, for Prometheus.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gateway::limits::account::{Account, Metric, read_team, team_gauges};
use gateway::limits::amount::Usd;
use gateway::limits::gauge::{Gauge, Kind};
use gateway::limits::period::Moment;
use gateway::{Error, KeyId, Record, Response};
use http::StatusCode;

use crate::sweep::sweep;
use crate::usage::amounts::Amounts;
use crate::usage::days::{self, Wanted};
use crate::usage::{counters, team_names};
use crate::{Action, budgets, query, team_ids};

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The kinds of tokens, as the label `kind` names them.
const KINDS: [(Metric, &str); 5] = [
    (Metric::Input, "input"),
    (Metric::Output, "output"),
    (Metric::Cached, "cached"),
    (Metric::CacheWrite, "cache_write"),
    (Metric::Reasoning, "reasoning"),
];

/// Returns the metrics of all teams.
pub(crate) fn metrics(action: &mut Action<'_>) -> Result<Response, Error> {
    action.entry.action = Some("metrics");
    action.require_metrics_reader()?;
    let [] = query::read_params(&action.request.head, [])?;
    counters(action)?;
    let stored = action.context.store.keys()?;
    sweep(action, &stored);
    let teams = read_teams(action, &stored)?;
    let mut text = String::new();
    write_use(&mut text, &teams);
    write_budgets(&mut text, action, &stored)?;
    Ok(Response::new(StatusCode::OK, text.into_bytes(), MEDIA_TYPE))
}

/// Reads what all teams have used, by their ids.
fn read_teams(action: &Action<'_>, stored: &[String]) -> Result<BTreeMap<String, Amounts>, Error> {
    let mut used = days::read_total(action, stored)?;
    let all = Wanted { from: "0", to: "9", includes: &|_| true };
    for (name, amounts) in days::read(action, stored, &all)?.into_values().flatten() {
        used.entry(name).or_default().add(&amounts);
    }
    let names = team_names(action, stored, used.keys().map(|name| name.team.as_str()))?;
    let mut teams: BTreeMap<String, Amounts> = BTreeMap::new();
    for (name, amounts) in used {
        let team_id = names.get(&name.team).cloned().unwrap_or(name.team);
        teams.entry(team_id).or_default().add(&amounts);
    }
    Ok(teams)
}

fn write_use(text: &mut String, teams: &BTreeMap<String, Amounts>) {
    head(text, "gateway_requests_total", "counter", "Requests of a team that were counted.");
    for (team, amounts) in teams {
        let requests = amounts.get(Metric::Requests);
        line(text, "gateway_requests_total", &[("team", team)], &requests.to_string());
    }
    let help = "Tokens of a team; cached, cache_write and reasoning are parts of input and output.";
    head(text, "gateway_tokens_total", "counter", help);
    for (team, amounts) in teams {
        for (metric, kind) in KINDS {
            let labels = [("team", team.as_str()), ("kind", kind)];
            line(text, "gateway_tokens_total", &labels, &amounts.get(metric).to_string());
        }
    }
    head(text, "gateway_cost_usd_total", "counter", "What requests of a team cost, in USD.");
    for (team, amounts) in teams {
        let cost = Usd(amounts.get(Metric::Cost)).to_string();
        line(text, "gateway_cost_usd_total", &[("team", team)], &cost);
    }
}

/// Writes the budgets of teams and of keys.
fn write_budgets(text: &mut String, action: &Action<'_>, stored: &[String]) -> Result<(), Error> {
    let store = action.context.store;
    let at = Moment::new(action.context.now);
    let help = "The share of a budget that is used; `key` is empty for that of a whole team.";
    head(text, "gateway_budget_used_ratio", "gauge", help);
    for name in stored.iter().filter(|name| team_ids::is_entry(name)) {
        let Some(team_id) = team_ids::read(action, name)? else { continue };
        if let Some(limits) = read_team(store, &team_id)? {
            write_budgets_of(text, action, [&team_id, ""], team_gauges(&team_id, limits, at))?;
        }
    }
    for id in stored.iter().filter_map(|name| KeyId::stored(name)) {
        let record = match Record::read(store, &id) {
            // One that is replaced has the same budgets as its successor.
            Ok(Some(record)) if record.replaced_by.is_none() => record,
            // One that cannot be read is reported by the list of keys.
            Ok(_) | Err(Error::CorruptRecord(_)) => continue,
            Err(error) => return Err(error),
        };
        // Without those of the team, which are above.
        let gauges = Account::new(&record.team(), None).gauges(at);
        write_budgets_of(text, action, [&record.team_id, record.id()], gauges)?;
    }
    Ok(())
}

/// Writes the budgets among the limits of a team, or of one of its keys.
fn write_budgets_of(
    text: &mut String,
    action: &Action<'_>,
    [team, key]: [&str; 2],
    gauges: Vec<Gauge>,
) -> Result<(), Error> {
    for budget_use in budgets::read(action.context.store, gauges)? {
        let Kind::Budget(budget, _) = &budget_use.gauge.kind else { continue };
        let labels = [
            ("team", team),
            ("key", key),
            ("unit", budget.unit.as_str()),
            ("window", budget.window.as_str()),
            ("on_exceeded", budget.on_exceeded.as_str()),
        ];
        let share = budget_use.share();
        let ratio = format!("{}.{:04}", share / 10_000, share % 10_000);
        line(text, "gateway_budget_used_ratio", &labels, &ratio);
    }
    Ok(())
}

/// Writes what a metric is.
fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a string cannot fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

/// Writes one sample.
fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: &str) {
    let labels = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    let labels = labels.collect::<Vec<_>>().join(",");
    let _ = writeln!(text, "{name}{{{labels}}} {value}");
}

/// Escapes the value of a label.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use gateway::Store as _;
    use gateway::keys::team::team_hash;
    use gateway::limits::counters::Counters as _;

    use super::*;
    use crate::testing::{ADMIN, Host, key};

    fn count(host: &Host, index: u8, team: &str, day: &str, amount: i64) {
        let (team, lineage) = (team_hash(team), key(index).id());
        for metric in ["requests", "input", "cost"] {
            let name = format!("n:u:{day}:{team}:{}:{metric}", lineage.as_str());
            host.store.increment(&name, amount).unwrap();
        }
    }

    fn text(host: &Host) -> String {
        let response = host.send("GET", "/metrics", ADMIN, "").unwrap();
        assert_eq!(response.headers.get_str("content-type"), Some(MEDIA_TYPE));
        String::from_utf8(response.body).unwrap()
    }

    /// Returns the number of requests of the team `blue`.
    fn requests(host: &Host) -> i64 {
        let text = text(host);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("gateway_requests_total{team=\"blue\"} "));
        line.map_or(0, |number| number.parse().unwrap())
    }

    #[test]
    fn metrics_have_the_use_and_the_budgets_of_teams() {
        let host = Host::default();
        host.create(
            r#"{"teamId":"a \"b\\","limits":{"budgets":[{"unit":"usd","amount":"2","window":"day"}]}}"#,
        );
        count(&host, 0, "a \"b\\", "20260101", 3);
        let name = format!("n:b:20260101:usd:k{}", key(0).id().as_str());
        host.store.increment(&name, 500_000_000).unwrap();
        let text = text(&host);
        for expected in [
            "# TYPE gateway_requests_total counter\ngateway_requests_total{team=\"a \\\"b\\\\\"} 3\n",
            "gateway_tokens_total{team=\"a \\\"b\\\\\",kind=\"input\"} 3\n",
            "gateway_cost_usd_total{team=\"a \\\"b\\\\\"} 0.000000003\n",
            &format!(
                "gateway_budget_used_ratio{{team=\"a \\\"b\\\\\",key=\"{}\",unit=\"usd\",window=\"day\",on_exceeded=\"block\"}} 0.2500\n",
                key(0).id().as_str()
            ),
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn counters_never_fall() {
        let host = Host::default();
        host.create(r#"{"teamId":"blue"}"#);
        let hour = 60 * 60;
        let mut total = 0;
        // Every 20 hours for three years: days end, are summed up, and are folded into the total.
        for step in 0..1300 {
            host.advance(20 * hour);
            let day = host.now()[..10].replace('-', "");
            count(&host, 0, "blue", &day, 2);
            total += 2;
            if step % 3 == 0 {
                assert_eq!(requests(&host), total, "{day}");
            }
        }
        let names = host.store.keys().unwrap();
        let of = |prefix: &str| names.iter().filter(|name| name.starts_with(prefix)).count();
        assert!(of("used:") < 410 && of("n:u:") < 20, "{} {}", of("used:"), of("n:u:"));
    }

    #[test]
    fn two_reports_at_once_lose_no_day() {
        let hour = 60 * 60;
        for step in 0..12 {
            let host = Host::default();
            host.create(r#"{"teamId":"blue"}"#);
            count(&host, 0, "blue", "20260101", 5);
            host.advance(48 * hour);
            assert_eq!(requests(&host), 5);
            // Now one report adds the entry of that day to the total while another one does.
            host.advance(24 * 410 * hour);
            let other = host.sibling();
            other.advance(24 * 412 * hour);
            host.store.interrupt_after(step, move |_| {
                let _ = other.send("GET", "/metrics", ADMIN, "");
            });
            let outcome = host.send("GET", "/metrics", ADMIN, "");
            assert!(matches!(outcome, Ok(_) | Err(Error::StoreUnavailable(_))), "{step}");
            assert_eq!(requests(&host), 5, "{step}");
        }
    }

    #[test]
    fn metrics_need_a_token() {
        let token = "fedcba9876543210fedcba9876543210";
        let admin = "admin_token=0123456789abcdef0123456789abcdef\n";
        for (lines, given, expected) in [
            (format!("{admin}metrics_token={token}\n"), token, 200),
            (format!("{admin}metrics_token={token}\n"), "0123456789abcdef0123456789abcdef", 200),
            (format!("{admin}metrics_token={token}\n"), "", 401),
            (format!("{admin}metrics_token=short\n"), "short", 401),
            (format!("metrics_token={token}\n"), token, 200),
            (String::new(), "", 503),
        ] {
            let host = Host::with_settings(&lines);
            let outcome = host.send("GET", "/metrics", &format!("Bearer {given}"), "");
            let status =
                outcome.map_or_else(|error| error.shape().status, |response| response.status);
            assert_eq!(status, expected, "{lines} {given}");
            // It is for nothing else.
            let list = host.send("GET", "/tokens", &format!("Bearer {token}"), "");
            assert!(list.is_err());
        }
    }
}
