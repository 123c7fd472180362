//! The limits of a key or a team, as they are stored.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::http::json::Members;
pub use crate::limits::period::Window;

/// What a key or a team may use. What is absent is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Requests in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<i64>,
    /// Tokens in a minute, input and output together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<i64>,
    /// Requests in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_requests: Option<i64>,
    /// Budgets for a day or a month.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
}

/// An amount that may be used in a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// What is counted.
    pub unit: Unit,
    /// Tokens, or nano-dollars.
    pub amount: i64,
    /// How long it lasts.
    pub window: Window,
    /// What happens when it is used up.
    #[serde(skip_serializing_if = "OnExceeded::is_block")]
    pub on_exceeded: OnExceeded,
}

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Tokens, input and output together.
    Tokens,
    /// US dollars, by the operator's prices.
    Usd,
}

/// What happens to the requests after a budget is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnExceeded {
    /// They are refused.
    #[default]
    Block,
    /// They are served by the models of limited teams.
    Limit,
    /// They are served and noted in the log.
    Audit,
}

// Read by hand, because a derived reader would be one of the largest parts of a component.
impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Self::parse(json.get()).ok_or_else(|| D::Error::custom("invalid limits"))
    }
}

impl Limits {
    /// Parses stored limits. What a newer gateway may have added is not ignored, because it could allow too
    /// much.
    fn parse(json: &str) -> Option<Self> {
        let mut limits = Self::default();
        for (name, value) in &serde_json::from_str::<Members<'_>>(json).ok()?.0 {
            let number = || value.get().parse().ok();
            match &**name {
                "requestsPerMinute" => limits.requests_per_minute = Some(number()?),
                "tokensPerMinute" => limits.tokens_per_minute = Some(number()?),
                "parallelRequests" => limits.parallel_requests = Some(number()?),
                "budgets" => {
                    let budgets: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
                    limits.budgets = budgets
                        .iter()
                        .map(|budget| Budget::parse(budget.get()))
                        .collect::<Option<_>>()?;
                }
                _ => return None,
            }
        }
        Some(limits)
    }

    /// Checks whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks whether a request may be refused or changed for its tokens or its price.
    pub fn enforces_use(&self) -> bool {
        self.tokens_per_minute.is_some()
            || self.budgets.iter().any(|budget| budget.on_exceeded != OnExceeded::Audit)
    }

    /// Checks whether a budget may lead to the models of limited teams.
    pub fn may_limit(&self) -> bool {
        self.budgets.iter().any(|budget| budget.on_exceeded == OnExceeded::Limit)
    }
}

impl Budget {
    fn parse(json: &str) -> Option<Self> {
        let members: Members<'_> = serde_json::from_str(json).ok()?;
        let word = |name: &str| members.get(name).map(|value| value.get().trim_matches('"'));
        let unit = |name| [Unit::Tokens, Unit::Usd].into_iter().find(|unit| unit.as_str() == name);
        let window =
            |name| [Window::Day, Window::Month].into_iter().find(|window| window.as_str() == name);
        let modes = [OnExceeded::Block, OnExceeded::Limit, OnExceeded::Audit];
        let mode = |name| modes.into_iter().find(|mode| mode.as_str() == name);
        Some(Self {
            unit: unit(word("unit")?)?,
            amount: word("amount")?.parse().ok()?,
            window: window(word("window")?)?,
            on_exceeded: word("onExceeded").map_or(Some(OnExceeded::Block), mode)?,
        })
    }
}

impl Unit {
    /// Returns the unit's name in texts and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Usd => "usd",
        }
    }
}

impl OnExceeded {
    /// Checks whether it is the default.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_block(&self) -> bool {
        *self == Self::Block
    }

    /// Returns its name in texts and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Limit => "limit",
            Self::Audit => "audit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_limits_are_read_as_they_were_written() {
        let budget = |unit, window, on_exceeded| Budget { unit, amount: 7, window, on_exceeded };
        let limits = Limits {
            requests_per_minute: Some(1),
            tokens_per_minute: Some(2),
            parallel_requests: Some(3),
            budgets: vec![
                budget(Unit::Tokens, Window::Day, OnExceeded::Block),
                budget(Unit::Usd, Window::Month, OnExceeded::Limit),
                budget(Unit::Usd, Window::Day, OnExceeded::Audit),
            ],
        };
        for limits in [limits, Limits::default()] {
            let stored = serde_json::to_string(&limits).unwrap();
            assert_eq!(serde_json::from_str::<Limits>(&stored).unwrap(), limits, "{stored}");
        }
        for json in
            [r#"{"new":1}"#, r#"{"budgets":[{"unit":"eur"}]}"#, r#"{"requestsPerMinute":"1"}"#, "7"]
        {
            assert!(serde_json::from_str::<Limits>(json).is_err(), "{json}");
        }
    }
}
