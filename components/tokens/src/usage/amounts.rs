//! What was used, of every metric.

use gateway::limits::account::Metric;
use gateway::limits::amount::Usd;
use serde::Serialize;

/// What was used, as responses show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "UsageView")]
pub(crate) struct Amounts([i64; Metric::ALL.len()]);

/// The JSON form of what was used.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageView {
    pub(crate) requests: i64,
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) cached_tokens: i64,
    pub(crate) cache_write_tokens: i64,
    pub(crate) reasoning_tokens: i64,
    pub(crate) cost_usd: String,
}

impl Amounts {
    /// Adds `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, amount) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(amount);
        }
    }

    /// Adds `amount` of one metric.
    pub(crate) fn add_metric(&mut self, metric: Metric, amount: i64) {
        for (sum, known) in self.0.iter_mut().zip(Metric::ALL) {
            if known == metric {
                *sum = sum.saturating_add(amount);
            }
        }
    }

    /// Returns the amount of one metric.
    pub(crate) fn get(&self, metric: Metric) -> i64 {
        self.0.iter().zip(Metric::ALL).find(|(_, known)| *known == metric).map_or(0, |(it, _)| *it)
    }

    /// Checks whether nothing was used.
    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Formats the amounts for the store.
    pub(crate) fn to_text(self) -> String {
        self.0.map(|amount| amount.to_string()).join(" ")
    }

    /// Reads amounts that [`to_text`](Self::to_text) has formatted.
    pub(crate) fn parse<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let amounts: Option<Vec<i64>> = parts.map(|part| part.parse().ok()).collect();
        amounts?.try_into().ok().map(Self)
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
