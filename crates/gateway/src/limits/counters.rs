//! Atomic counters, and rings of them for periods that pass quickly.

use crate::Error;

/// The prefix of all counters of limits and usage. Whatever has it is changed by increments alone: a value
/// of another kind under such a name would break the store of some hosts.
pub const PREFIX: &str = "n:";

/// Atomic counters in the store that all components share.
pub trait Counters {
    /// Adds `delta` to the counter `name`, which starts at 0, and returns its new value.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    fn increment(&self, name: &str, delta: i64) -> Result<i64, Error>;
}

/// Returns the number in the `value` of a counter, as the store keeps it: SQLite 8 bytes, the lowest first,
/// and Redis decimal digits. Reports read counters this way, because an increment by nothing would write.
///
/// Eight digits would be a count of more than 3 * 10^18 as bytes, which none reaches.
/// <https://github.com/spinframework/spin/tree/main/crates/key-value-spin/src>,
/// <https://github.com/spinframework/spin/tree/main/crates/key-value-redis/src>
pub fn stored_count(value: &[u8]) -> i64 {
    let decimal = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    let bytes = || value.try_into().map(i64::from_le_bytes).ok();
    decimal.or_else(bytes).unwrap_or(0)
}

/// Counters of the latest periods, such as minutes. They are reused: the store has no expiry, and counters
/// with a name for each minute would fill it.
///
/// A counter's high half is the number of its period, the low half the count in it. The first request of a
/// period adds the difference to the period before, minus the old count.
#[derive(Clone, Debug)]
pub struct Ring(String);

/// Periods in a ring: the current one, the one before, and two so that clocks may differ.
const SLOTS: i64 = 4;

/// Reads before the step of another request is taken for one that was never completed.
const PATIENCE: u32 = 64;

/// A count and its period, as a counter holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed {
    period: i64,
    count: i64,
}

impl Packed {
    fn of(value: i64) -> Self {
        // A count may be below zero for a moment, so the nearest period is meant.
        let period = (value + (1 << 31)) >> 32;
        Self { period, count: value - (period << 32) }
    }
}

impl Ring {
    /// Creates the ring of counters whose names start with `name`.
    pub fn new(name: String) -> Self {
        Self(name)
    }

    fn slot(&self, period: i64) -> String {
        format!("{}:{}", self.0, period.rem_euclid(SLOTS))
    }

    /// Adds `delta` to the count of `period` and returns the new count.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    pub fn add(&self, counters: &dyn Counters, period: i64, delta: i64) -> Result<i64, Error> {
        let slot = self.slot(period);
        let mut found = Packed::of(counters.increment(&slot, delta)?);
        let mut reads = 0;
        while found.period != period {
            // A later period is one that two requests have stepped to. One of them steps back.
            if found.period > period && reads < PATIENCE {
                reads += 1;
                found = Packed::of(counters.increment(&slot, 0)?);
                continue;
            }
            let step = ((period - found.period) << 32) - (found.count - delta);
            found = Packed::of(counters.increment(&slot, step)?);
            if found.period > period {
                found = Packed::of(counters.increment(&slot, -step)?);
            }
        }
        Ok(found.count)
    }

    /// Reads the count of `period`.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    pub fn read(&self, counters: &dyn Counters, period: i64) -> Result<i64, Error> {
        let found = Packed::of(counters.increment(&self.slot(period), 0)?);
        Ok(if found.period == period { found.count } else { 0 })
    }

    /// Adds `delta` to the count of a `period` that may have passed; then nothing changes.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] if the store fails.
    pub fn correct(&self, counters: &dyn Counters, period: i64, delta: i64) -> Result<(), Error> {
        let slot = self.slot(period);
        if Packed::of(counters.increment(&slot, delta)?).period != period {
            counters.increment(&slot, -delta)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::error::Cause;

    /// Counters in memory, which many threads may use, and which may fail.
    #[derive(Debug, Default)]
    pub(crate) struct Memory {
        values: Mutex<HashMap<String, i64>>,
        /// The number of increments until all fail; never if it is 0.
        pub(crate) fails_after: AtomicU32,
        pub(crate) increments: AtomicU32,
    }

    impl Memory {
        /// Returns the value of every counter that is not 0.
        pub(crate) fn values(&self) -> Vec<(String, i64)> {
            let values = self.values.lock().unwrap();
            let mut values: Vec<_> = values
                .iter()
                .filter(|(_, value)| **value != 0)
                .map(|(name, value)| (name.clone(), *value))
                .collect();
            values.sort();
            values
        }
    }

    impl Counters for Memory {
        fn increment(&self, name: &str, delta: i64) -> Result<i64, Error> {
            let count = self.increments.fetch_add(1, Ordering::SeqCst) + 1;
            let limit = self.fails_after.load(Ordering::SeqCst);
            if limit != 0 && count > limit {
                return Err(Error::StoreUnavailable(Cause("set to fail".to_owned())));
            }
            let mut values = self.values.lock().unwrap();
            let value = values.entry(name.to_owned()).or_default();
            *value += delta;
            Ok(*value)
        }
    }

    #[test]
    fn stored_count_reads_both_forms() {
        for count in [0, 1, 12_345_678, -1_234_567, 99_999_999, i64::from(u32::MAX), 1 << 61, -1] {
            assert_eq!(stored_count(&count.to_le_bytes()), count);
            assert_eq!(stored_count(count.to_string().as_bytes()), count);
        }
        assert_eq!((stored_count(b""), stored_count(b"x")), (0, 0));
    }

    #[test]
    fn add_counts_each_period_from_zero() {
        let (counters, ring) = (Memory::default(), Ring::new("n:x".to_owned()));
        for (period, delta, expected) in [
            (100, 1, 1),
            (100, 5, 6),
            (101, 2, 2),
            (100, -6, 0),
            (100, -1, -1),
            (104, 3, 3),
            (104, 3, 6),
            (29_000_000, 7, 7),
        ] {
            assert_eq!(ring.add(&counters, period, delta).unwrap(), expected, "{period} {delta}");
            assert_eq!(ring.read(&counters, period).unwrap(), expected);
        }
        assert_eq!(ring.read(&counters, 100).unwrap(), 0, "its slot has been reused");
        assert!(counters.values().len() <= 4);
    }

    #[test]
    fn correct_leaves_a_later_period_alone() {
        let (counters, ring) = (Memory::default(), Ring::new("n:x".to_owned()));
        ring.add(&counters, 100, 9).unwrap();
        ring.correct(&counters, 100, -4).unwrap();
        assert_eq!(ring.read(&counters, 100).unwrap(), 5);
        ring.add(&counters, 104, 3).unwrap();
        ring.correct(&counters, 100, -5).unwrap();
        assert_eq!(ring.read(&counters, 104).unwrap(), 3);
    }

    #[test]
    fn add_repairs_a_step_that_was_not_taken_back() {
        let (counters, ring) = (Memory::default(), Ring::new("n:x".to_owned()));
        ring.add(&counters, 100, 9).unwrap();
        counters.increment("n:x:0", 8 << 32).unwrap();
        assert_eq!(ring.add(&counters, 104, 2).unwrap(), 2);
    }

    #[test]
    fn add_at_once_from_many_threads_counts_all() {
        let ring = Ring::new("n:x".to_owned());
        for round in 0..50_i64 {
            let counters = Memory::default();
            ring.add(&counters, 100, 1000 + round).unwrap();
            let seen = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        let count = ring.add(&counters, 104, 1).unwrap();
                        seen.lock().unwrap().push(count);
                    });
                }
            });
            assert_eq!(ring.read(&counters, 104).unwrap(), 8, "{seen:?}");
            // No one saw fewer than itself, and the last to count saw all.
            assert!(seen.lock().unwrap().iter().all(|count| (1..=8).contains(count)), "{seen:?}");
            assert!(seen.lock().unwrap().contains(&8), "{seen:?}");
        }
    }

    proptest! {
        #[test]
        fn a_packed_value_is_read_as_it_was_written(period in 0..40_000_000_i64, count in -1_000_000..2_000_000_000_i64) {
            prop_assert_eq!(Packed::of((period << 32) + count), Packed { period, count });
        }
    }
}
