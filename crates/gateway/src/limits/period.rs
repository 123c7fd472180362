//! The periods of limits: minutes, days and months of UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Seconds in a day.
const DAY: u64 = 86_400;

/// A point in time, as limits need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub millis: u64,
}

/// How long a budget lasts before it starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// A day of UTC.
    Day,
    /// A calendar month of UTC.
    Month,
}

/// A date of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Moment {
    /// Returns the moment of `time`. A clock before 1970 is a broken host; its time counts as 1970.
    pub fn new(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { millis: u64::try_from(since.as_millis()).unwrap_or(u64::MAX) }
    }

    /// Returns whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.millis / 1000
    }

    /// Returns the number of the period of `seconds` that contains this moment.
    pub fn period(self, seconds: u64) -> i64 {
        i64::try_from(self.seconds() / seconds.max(1)).unwrap_or(i64::MAX)
    }

    /// Returns the name of the day, like `20260131`.
    pub fn day(self) -> String {
        let Date { year, month, day } = Date::of_day(self.seconds() / DAY);
        format!("{year:04}{month:02}{day:02}")
    }

    /// Returns the name of the window that contains this moment, like `20260131` or `202601`.
    pub fn window(self, window: Window) -> String {
        let mut name = self.day();
        if window == Window::Month {
            name.truncate(6);
        }
        name
    }

    /// Returns when the window ends that contains this moment, in seconds since 1970.
    pub fn end_of(self, window: Window) -> u64 {
        let today = self.seconds() / DAY;
        let days = match window {
            Window::Day => 1,
            Window::Month => {
                let is_same =
                    |days: &u64| Date::of_day(today + days).month == Date::of_day(today).month;
                (1..31).take_while(is_same).count() as u64 + 1
            }
        };
        (today + days) * DAY
    }
}

impl Window {
    /// Returns the window's name in texts and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl Date {
    /// Returns the date of a day, counted from 1970.
    /// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
    fn of_day(day: u64) -> Self {
        // Years start in March here, so that the day of a leap year is its last.
        let shifted = day.saturating_add(719_468);
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self { year: year + era * 400 + u64::from(month <= 2), month, day }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::time;

    fn moment(text: &str) -> Moment {
        Moment::new(time::parse(text).unwrap())
    }

    #[test]
    fn windows_begin_and_end_with_the_calendar() {
        for (at, day, day_end, month_end) in [
            ("1970-01-01T00:00:00Z", "19700101", "1970-01-02", "1970-02-01"),
            ("2026-01-31T23:59:59.999Z", "20260131", "2026-02-01", "2026-02-01"),
            ("2026-02-01T00:00:00Z", "20260201", "2026-02-02", "2026-03-01"),
            ("2028-02-28T12:00:00Z", "20280228", "2028-02-29", "2028-03-01"),
            ("2028-02-29T23:59:59Z", "20280229", "2028-03-01", "2028-03-01"),
            ("2027-02-28T23:59:59Z", "20270228", "2027-03-01", "2027-03-01"),
            ("2100-02-28T00:00:00Z", "21000228", "2100-03-01", "2100-03-01"),
            ("2026-12-31T23:59:59Z", "20261231", "2027-01-01", "2027-01-01"),
            ("2026-04-30T00:00:00Z", "20260430", "2026-05-01", "2026-05-01"),
            ("2026-12-01T00:00:00Z", "20261201", "2026-12-02", "2027-01-01"),
        ] {
            let at = moment(at);
            let end = |day: &str| moment(&format!("{day}T00:00:00Z")).seconds();
            assert_eq!(at.window(Window::Day), day);
            assert_eq!(at.window(Window::Month), day[..6]);
            assert_eq!(at.end_of(Window::Day), end(day_end), "{day}");
            assert_eq!(at.end_of(Window::Month), end(month_end), "{day}");
        }
    }

    #[test]
    fn period_changes_at_its_edge() {
        let before = moment("2026-01-31T23:59:59.999Z");
        let after = moment("2026-02-01T00:00:00.000Z");
        assert_eq!(before.period(60) + 1, after.period(60));
        assert_eq!(before.period(600) + 1, after.period(600));
        assert_eq!(after.period(60), moment("2026-02-01T00:00:59.999Z").period(60));
    }
}
