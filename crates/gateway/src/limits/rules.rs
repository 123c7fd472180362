//! The limits of a key or a team, as they are stored.

use serde::{Deserialize, Serialize};

pub use crate::limits::period::Window;

/// What a key or a team may use. What is absent is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Requests in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<i64>,
    /// Tokens in a minute, input and output together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<i64>,
    /// Requests in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_requests: Option<i64>,
    /// Budgets for a day or a month.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
}

/// An amount that may be used in a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// What is counted.
    pub unit: Unit,
    /// Tokens, or nano-dollars.
    pub amount: i64,
    /// How long it lasts.
    pub window: Window,
    /// What happens when it is used up.
    #[serde(default, skip_serializing_if = "OnExceeded::is_block")]
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

impl Limits {
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
