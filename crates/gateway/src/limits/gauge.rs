//! One limit and what is used of it.

use crate::Error;
use crate::limits::counters::{Counters, Ring};
use crate::limits::period::Moment;
use crate::limits::refusal::{amount, time};
use crate::limits::rules::Budget;

/// Seconds of a rate's period.
const MINUTE: u64 = 60;

/// Seconds after which a request in flight is counted in another period. Two periods are read, so a host
/// that died holds its places for ten to twenty minutes.
const FLIGHT: u64 = 600;

/// One limit of a key or a team.
#[derive(Clone, Debug)]
pub struct Gauge {
    /// Who has the limit, in texts for the client: `key` or `team`.
    pub word: &'static str,
    /// What may be used.
    pub limit: i64,
    /// What is limited, and its counter.
    pub kind: Kind,
}

/// What is limited.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Requests in a minute.
    Requests(Ring),
    /// Requests in flight.
    InFlight(Ring),
    /// Tokens in a minute.
    Tokens(Ring),
    /// Tokens or dollars in a window.
    Budget(Budget, String),
}

/// What is used of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// What is compared with the limit.
    pub used: i64,
    /// What was counted in the current period.
    pub current: i64,
    /// What was counted in the period before.
    pub previous: i64,
}

impl Gauge {
    /// Adds `delta` at the moment `at` and returns what was used without it.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    pub fn add(&self, counters: &dyn Counters, at: Moment, delta: i64) -> Result<Level, Error> {
        let (ring, seconds) = match &self.kind {
            Kind::Budget(_, name) => {
                let current = counters.increment(name, delta)? - delta;
                return Ok(Level { used: current, current, previous: 0 });
            }
            Kind::Requests(ring) | Kind::Tokens(ring) => (ring, MINUTE),
            Kind::InFlight(ring) => (ring, FLIGHT),
        };
        let period = at.period(seconds);
        let current = ring.add(counters, period, delta)? - delta;
        let previous = ring.read(counters, period - 1)?;
        let share = match self.kind {
            Kind::InFlight(_) => previous,
            _ => weighted(previous, at),
        };
        Ok(Level { used: current.saturating_add(share), current, previous })
    }

    /// Adds `delta` to what was counted at the moment `at`, where that still matters.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    pub fn correct(&self, counters: &dyn Counters, at: Moment, delta: i64) -> Result<(), Error> {
        match &self.kind {
            _ if delta == 0 => Ok(()),
            Kind::Budget(_, name) => counters.increment(name, delta).map(drop),
            Kind::Requests(ring) | Kind::Tokens(ring) => {
                ring.correct(counters, at.period(MINUTE), delta)
            }
            Kind::InFlight(ring) => ring.correct(counters, at.period(FLIGHT), delta),
        }
    }

    /// Settles the difference `delta` between what was reserved at the moment `at` and what was used by now.
    /// Tokens beyond the reservation of an earlier minute were used in this one.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    pub fn settle(
        &self,
        counters: &dyn Counters,
        at: Moment,
        now: Moment,
        delta: i64,
    ) -> Result<(), Error> {
        match &self.kind {
            Kind::Tokens(ring) if delta > 0 && now.period(MINUTE) > at.period(MINUTE) => {
                ring.add(counters, now.period(MINUTE), delta).map(drop)
            }
            _ => self.correct(counters, at, delta),
        }
    }

    /// Checks whether this limit and `other` are budgets with the same counter.
    pub(crate) fn has_counter_of(&self, other: &Self) -> bool {
        matches!((&self.kind, &other.kind), (Kind::Budget(_, one), Kind::Budget(_, two)) if one == two)
    }

    /// Returns when all of the limit can be used again, in seconds since 1970; nothing for requests in
    /// flight.
    pub fn resets_at(&self, at: Moment) -> Option<u64> {
        match &self.kind {
            Kind::InFlight(_) => None,
            Kind::Budget(budget, _) => Some(at.end_of(budget.window)),
            Kind::Requests(_) | Kind::Tokens(_) => Some((at.seconds() / MINUTE + 2) * MINUTE),
        }
    }

    /// Returns a short name for the log and for explanations, such as `key requests/minute`.
    pub fn label(&self) -> String {
        let word = self.word;
        match &self.kind {
            Kind::Requests(_) => format!("{word} requests/minute"),
            Kind::Tokens(_) => format!("{word} tokens/minute"),
            Kind::InFlight(_) => format!("{word} requests in flight"),
            Kind::Budget(budget, _) => {
                format!("{word} {}/{}", budget.unit.as_str(), budget.window.as_str())
            }
        }
    }

    /// Formats what a budget was, how much of it is used, and when it starts again.
    pub(crate) fn used_up(&self, budget: &Budget, level: Level, at: Moment) -> String {
        let (word, window) = (self.word, budget.window.as_str());
        let (limit, used) = (amount(budget.unit, self.limit), amount(budget.unit, level.used));
        let reset = time(at.end_of(budget.window));
        format!(
            "budget used up: this {word} may use {limit} per {window} and has used {used}; \
             it starts again at {reset}"
        )
    }
}

/// Returns the share of the previous minute that still counts: it shrinks from all to nothing, so that the
/// edge of a minute lets no double rate through.
fn weighted(previous: i64, at: Moment) -> i64 {
    const MINUTE_MS: i64 = 60_000;
    let left = MINUTE_MS - i64::try_from(at.millis % 60_000).unwrap_or(0);
    previous.max(0).saturating_mul(left) / MINUTE_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::counters::tests::Memory;

    fn at(seconds: u64) -> Moment {
        Moment { millis: 600_000 + seconds * 1000 }
    }

    fn gauge(kind: Kind) -> Gauge {
        Gauge { word: "key", limit: 10, kind }
    }

    #[test]
    fn rate_counts_a_share_of_the_minute_before() {
        let (counters, rate) =
            (Memory::default(), gauge(Kind::Requests(Ring::new("n:r".to_owned()))));
        for (seconds, delta, expected) in
            [(0, 8, 0), (59, 2, 8), (60, 1, 10), (90, 1, 6), (119, 1, 2), (120, 1, 3), (300, 1, 0)]
        {
            let level = rate.add(&counters, at(seconds), delta).unwrap();
            assert_eq!(level.used, expected, "at {seconds}");
        }
    }

    #[test]
    fn requests_in_flight_count_for_two_periods() {
        let (counters, flight) =
            (Memory::default(), gauge(Kind::InFlight(Ring::new("n:p".to_owned()))));
        for (seconds, expected) in [(599, 0), (600, 1), (1199, 2), (1200, 2), (1800, 1), (3600, 0)]
        {
            let level = flight.add(&counters, at(seconds), 1).unwrap();
            assert_eq!(level.used, expected, "at {seconds}");
        }
        let tokens = gauge(Kind::Tokens(Ring::new("n:t".to_owned())));
        tokens.add(&counters, at(0), 5).unwrap();
        tokens.settle(&counters, at(0), at(180), 7).unwrap();
        tokens.settle(&counters, at(0), at(180), -2).unwrap();
        assert_eq!(tokens.add(&counters, at(181), 0).unwrap().used, 7, "what is beyond the hold");
        flight.correct(&counters, at(599), -1).unwrap();
        assert_eq!(flight.add(&counters, at(3601), 0).unwrap().used, 1, "the old one is gone");
    }
}
