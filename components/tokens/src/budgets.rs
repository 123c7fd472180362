//! What is used of budgets, for reports: read without changing the counters.

use gateway::limits::counters::stored_count;
use gateway::limits::gauge::{Gauge, Kind};
use gateway::limits::period::Moment;
use gateway::{Error, Store};

use crate::own_usage::LimitState;

/// The divisor of shares.
const WHOLE: i128 = 10_000;

/// A budget, and what is used of it.
pub(crate) struct BudgetUse {
    pub(crate) gauge: Gauge,
    used: i64,
}

/// Reads what is used of the budgets among `gauges`, and leaves out other limits.
///
/// # Errors
/// [`Error::StoreUnavailable`].
pub(crate) fn read(store: &dyn Store, gauges: Vec<Gauge>) -> Result<Vec<BudgetUse>, Error> {
    let mut budgets = Vec::new();
    for gauge in gauges {
        if let Kind::Budget(_, counter) = &gauge.kind {
            let used = store.get(counter)?.map_or(0, |value| stored_count(&value));
            budgets.push(BudgetUse { gauge, used });
        }
    }
    Ok(budgets)
}

impl BudgetUse {
    /// Returns the share that is used, in ten-thousandths.
    pub(crate) fn share(&self) -> i128 {
        i128::from(self.used.max(0)) * WHOLE / i128::from(self.gauge.limit.max(1))
    }

    /// Returns the form that responses have, at the moment `at`.
    pub(crate) fn state(&self, at: Moment) -> LimitState {
        LimitState::new(&self.gauge, self.used, at)
    }
}
