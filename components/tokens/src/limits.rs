//! The limits of a key or a team, as requests and responses have them.

use gateway::Error;
use gateway::http::json::from_bytes;
use gateway::limits::amount::Usd;
use gateway::limits::rules::{Budget, Limits, OnExceeded, Unit, Window};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The largest number of a rate.
const MAX_RATE: i64 = 1_000_000_000;

/// The largest number of tokens in a budget.
const MAX_TOKENS: i64 = 1_000_000_000_000_000;

/// The maximum number of budgets.
const MAX_BUDGETS: usize = 12;

/// The limits in a request.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct LimitsForm {
    requests_per_minute: Option<i64>,
    tokens_per_minute: Option<i64>,
    parallel_requests: Option<i64>,
    budgets: Vec<BudgetForm>,
}

/// A budget in a request. Dollars are a decimal, as a string or a number.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BudgetForm {
    unit: Unit,
    amount: Box<RawValue>,
    window: Window,
    #[serde(default)]
    on_exceeded: OnExceeded,
}

/// The limits in a response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LimitsView {
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_minute: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_per_minute: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_requests: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<BudgetView>,
}

/// A budget in a response.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BudgetView {
    unit: Unit,
    amount: Amount,
    window: Window,
    on_exceeded: OnExceeded,
}

/// An amount: a number of tokens, or dollars as a decimal, which a JSON number could not hold exactly.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Amount {
    Count(i64),
    Usd(String),
}

impl Amount {
    /// Creates the amount of a `unit`; of a count without one.
    pub(crate) fn new(unit: Option<Unit>, amount: i64) -> Self {
        match unit {
            Some(Unit::Usd) => Self::Usd(Usd(amount).to_string()),
            Some(Unit::Tokens) | None => Self::Count(amount),
        }
    }
}

impl LimitsView {
    /// Creates the view of `limits`.
    pub(crate) fn new(limits: &Limits) -> Self {
        let view = |budget: &Budget| BudgetView {
            unit: budget.unit,
            amount: Amount::new(Some(budget.unit), budget.amount),
            window: budget.window,
            on_exceeded: budget.on_exceeded,
        };
        Self {
            requests_per_minute: limits.requests_per_minute,
            tokens_per_minute: limits.tokens_per_minute,
            parallel_requests: limits.parallel_requests,
            budgets: limits.budgets.iter().map(view).collect(),
        }
    }
}

/// Reads the limits in the field `limits` of a request. An object without any limit clears them.
///
/// # Errors
/// A client error that says what is wrong.
pub(crate) fn read(json: &RawValue) -> Result<Option<Limits>, Error> {
    if !json.get().starts_with('{') {
        return Err(invalid("must be an object"));
    }
    let form: LimitsForm = from_bytes(json.get().as_bytes()).map_err(|_| {
        invalid("has a field that does not exist, or a wrong value: see /tokens/openapi.json")
    })?;
    let limits = Limits {
        requests_per_minute: rate("requestsPerMinute", form.requests_per_minute)?,
        tokens_per_minute: rate("tokensPerMinute", form.tokens_per_minute)?,
        parallel_requests: rate("parallelRequests", form.parallel_requests)?,
        budgets: form.budgets.iter().map(budget).collect::<Result<_, _>>()?,
    };
    check_budgets(&limits.budgets)?;
    Ok(Some(limits).filter(|limits| !limits.is_empty()))
}

fn rate(name: &str, rate: Option<i64>) -> Result<Option<i64>, Error> {
    if rate.is_none_or(|rate| (1..=MAX_RATE).contains(&rate)) {
        return Ok(rate);
    }
    Err(invalid(&format!("has an invalid `{name}`: it must be between 1 and {MAX_RATE}")))
}

fn budget(form: &BudgetForm) -> Result<Budget, Error> {
    let text = form.amount.get();
    let amount = match form.unit {
        Unit::Tokens => text.parse().ok().filter(|tokens| *tokens <= MAX_TOKENS),
        Unit::Usd => Usd::parse(text.trim_matches('"')).map(|usd| usd.0),
    };
    let amount = amount.filter(|amount| *amount > 0).ok_or_else(|| {
        invalid("has a budget with an invalid `amount`: it must be a whole number of tokens, or dollars like \"12.50\"")
    })?;
    Ok(Budget { unit: form.unit, amount, window: form.window, on_exceeded: form.on_exceeded })
}

fn check_budgets(budgets: &[Budget]) -> Result<(), Error> {
    if budgets.len() > MAX_BUDGETS {
        return Err(invalid(&format!("must have at most {MAX_BUDGETS} budgets")));
    }
    let is_same = |one: &Budget, two: &Budget| {
        (one.unit, one.window, one.on_exceeded) == (two.unit, two.window, two.on_exceeded)
    };
    let mut rest = budgets;
    while let Some((first, others)) = rest.split_first() {
        if others.iter().any(|other| is_same(first, other)) {
            return Err(invalid("has two budgets with the same `unit`, `window` and `onExceeded`"));
        }
        rest = others;
    }
    Ok(())
}

fn invalid(rule: &str) -> Error {
    Error::invalid_param("limits", format!("`limits` {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(json: &str) -> Result<Option<Limits>, Error> {
        read(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn read_and_view_are_inverse() {
        for json in [
            r#"{"requestsPerMinute":60,"tokensPerMinute":100000,"parallelRequests":8}"#,
            r#"{"budgets":[{"unit":"usd","amount":"50","window":"month","onExceeded":"limit"},{"unit":"tokens","amount":2000000,"window":"day","onExceeded":"block"}]}"#,
            r#"{"budgets":[{"unit":"usd","amount":"0.5","window":"month","onExceeded":"audit"},{"unit":"usd","amount":"1","window":"month","onExceeded":"block"}]}"#,
        ] {
            let limits = read_text(json).unwrap().unwrap();
            assert_eq!(serde_json::to_string(&LimitsView::new(&limits)).unwrap(), json);
            let stored = serde_json::to_vec(&limits).unwrap();
            assert_eq!(serde_json::from_slice::<Limits>(&stored).unwrap(), limits);
        }
        assert_eq!(read_text("{}").unwrap(), None);
        let number = r#"{"budgets":[{"unit":"usd","amount":12.5,"window":"day"}]}"#;
        assert_eq!(read_text(number).unwrap().unwrap().budgets[0].amount, 12_500_000_000);
    }

    #[test]
    fn read_of_invalid_limits_is_400() {
        let budget = |fields: &str| format!(r#"{{"budgets":[{fields}]}}"#);
        let day = r#"{"unit":"tokens","amount":1,"window":"day"}"#;
        for json in [
            "[]".to_owned(),
            "7".to_owned(),
            r#"{"requestsPerMinute":0}"#.to_owned(),
            r#"{"requestsPerMinute":-1}"#.to_owned(),
            r#"{"requestsPerMinute":1.5}"#.to_owned(),
            r#"{"tokensPerMinute":1000000001}"#.to_owned(),
            r#"{"requestPerMinute":1}"#.to_owned(),
            budget(r#"{"unit":"eur","amount":1,"window":"day"}"#),
            budget(r#"{"unit":"usd","amount":"1","window":"week"}"#),
            budget(r#"{"unit":"usd","amount":"-1","window":"day"}"#),
            budget(r#"{"unit":"usd","amount":"0","window":"day"}"#),
            budget(r#"{"unit":"tokens","amount":1.5,"window":"day"}"#),
            budget(r#"{"unit":"tokens","amount":"5","window":"day"}"#),
            budget(r#"{"unit":"usd","amount":"1","window":"day","onExceeded":"ignore"}"#),
            budget(r#"{"unit":"usd","amount":"1"}"#),
            budget(&format!("{day},{day}")),
        ] {
            let outcome = read_text(&json);
            assert!(matches!(outcome, Err(Error::InvalidBody { .. })), "{json}: {outcome:?}");
        }
    }
}
