//! The use of all keys, day by day.
//!
//! A request is counted in counters of its day. When a day has ended, a report that needs it sums them up in
//! one entry, and later the counters are deleted ([`summed_up`]). The store then has few names, and a
//! report of a month is a read per day.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use gateway::error::Cause;
use gateway::limits::account::UsageName;
use gateway::limits::counters::stored_count;
use gateway::limits::period::Moment;
use gateway::{Error, Store};

use super::amounts::Amounts;
use crate::Action;

/// What each lineage of keys used on a day.
pub(crate) type Use = BTreeMap<UsageName, Amounts>;

/// The prefix of the entries of days. The name ends with the day and the time of writing.
const PREFIX: &str = "used:";

/// The entry of the days that are so long ago that their own are deleted. Its first line is the last of them.
const TOTAL: &str = "used:total";

/// How long a day is open after its end, for requests that end late.
const OPEN: Duration = Duration::from_hours(6);

/// How long the counters of a day outlive its entry. A report that began to read them before must not read
/// half of them.
const KEPT: Duration = Duration::from_hours(1);

/// How many days the entries of days are kept.
const ENTRY_DAYS: u64 = 400;

/// The days of a report, and the keys that it is about.
pub(crate) struct Wanted<'a> {
    /// The first day, like `20260131`.
    pub(crate) from: &'a str,
    /// The last day.
    pub(crate) to: &'a str,
    /// Checks whether a key is in the report.
    pub(crate) includes: &'a dyn Fn(&UsageName) -> bool,
}

/// Reads the use of the `wanted` days, of which `stored` are the names in the store.
///
/// # Errors
/// [`Error::StoreUnavailable`].
pub(crate) fn read(
    action: &Action<'_>,
    stored: &[String],
    wanted: &Wanted<'_>,
) -> Result<BTreeMap<String, Use>, Error> {
    let is_in_range = |day: &str| (wanted.from..=wanted.to).contains(&day);
    let entries = entries(stored);
    let mut counters: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in stored {
        if let Some((day, _, _)) = UsageName::parse(name)
            && !entries.contains_key(day)
        {
            counters.entry(day).or_default().push(name);
        }
    }
    let mut days = BTreeMap::new();
    for day in entries.keys().chain(counters.keys()).filter(|day| is_in_range(day)) {
        let mut used = match (entries.get(day), counters.get(day)) {
            (Some((_, entry)), _) => read_entry(action.context.store, entry)?,
            (None, Some(names)) if is_over(action, day) => sum_up(action, day, names)?,
            (None, names) => {
                read_counters(action.context.store, names.into_iter().flatten(), wanted)?
            }
        };
        used.retain(|name, amounts| (wanted.includes)(name) && !amounts.is_zero());
        days.insert((*day).to_owned(), used);
    }
    Ok(days)
}

/// Returns the use of all days before those that [`read`] still has, by team: counters for monitoring must not
/// fall when old entries are deleted. Moves entries that are too old into the total.
///
/// # Errors
/// [`Error::StoreUnavailable`].
pub(crate) fn read_total(action: &Action<'_>, stored: &[String]) -> Result<Use, Error> {
    let store = action.context.store;
    let oldest = day_before(action, ENTRY_DAYS);
    let expired = entries(stored).into_iter().filter(|(day, _)| **day < *oldest);
    // Read before the total: another report deletes an entry after it has written the total with it.
    let expired = expired.map(|(day, (_, entry))| Ok((day, store.get(entry)?)));
    let expired: Vec<_> = expired.collect::<Result<_, Error>>()?;
    let value = store.get(TOTAL)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&value);
    let (through, lines) = text.split_once('\n').unwrap_or_default();
    let mut total = parse(lines);
    for (_, entry) in expired.iter().filter(|(day, _)| *day > through) {
        let gone = || Error::StoreUnavailable(Cause("an entry of a day is gone".to_owned()));
        let entry = entry.as_ref().ok_or_else(gone)?;
        for (name, amounts) in parse(&String::from_utf8_lossy(entry)) {
            let team = UsageName { team: name.team, lineage: "-".to_owned() };
            total.entry(team).or_default().add(&amounts);
        }
    }
    if let Some((newest, _)) = expired.last() {
        let newest = newest.max(&through);
        store.set(TOTAL, format!("{newest}\n{}", format(&total)).as_bytes())?;
        for name in stored.iter().filter(|name| day_of(name).is_some_and(|(day, _)| day < &*oldest))
        {
            store.delete(name)?;
        }
    }
    Ok(total)
}

/// Returns which days have an entry that is old enough for the counters of the day to be deleted.
pub(crate) fn summed_up<'a>(action: &Action<'_>, stored: &'a [String]) -> BTreeSet<&'a str> {
    let seconds = seconds(action).saturating_sub(KEPT.as_secs());
    let entries = entries(stored).into_iter();
    entries.filter(|(_, (written, _))| *written < seconds).map(|(day, _)| day).collect()
}

/// Finds the entries of days by their names: of each day the one that was written first, because counters may
/// have been deleted when another one was written.
fn entries(stored: &[String]) -> BTreeMap<&str, (u64, &str)> {
    let mut entries: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for name in stored {
        if let Some((day, written)) = day_of(name) {
            let entry = entries.entry(day).or_insert((written, name));
            *entry = (*entry).min((written, name));
        }
    }
    entries
}

/// Returns the day of the entry `name`, and when it was written.
fn day_of(name: &str) -> Option<(&str, u64)> {
    let (day, written) = name.strip_prefix(PREFIX)?.split_once(':')?;
    Some((day, written.parse().ok()?))
}

/// Writes the sums of the counters of a day that has ended into an entry of its own.
fn sum_up(action: &Action<'_>, day: &str, names: &[&str]) -> Result<Use, Error> {
    let store = action.context.store;
    let all = Wanted { from: day, to: day, includes: &|_| true };
    let used = read_counters(store, names.iter(), &all)?;
    store.set(&format!("{PREFIX}{day}:{}", seconds(action)), format(&used).as_bytes())?;
    Ok(used)
}

/// Reads the counters `names` of one day.
fn read_counters<'a>(
    store: &dyn Store,
    names: impl Iterator<Item = &'a &'a str>,
    wanted: &Wanted<'_>,
) -> Result<Use, Error> {
    let mut used = Use::new();
    for counter in names {
        if let Some((_, name, metric)) = UsageName::parse(counter)
            && (wanted.includes)(&name)
        {
            let count = store.get(counter)?.map_or(0, |value| stored_count(&value));
            used.entry(name).or_default().add_metric(metric, count);
        }
    }
    Ok(used)
}

fn read_entry(store: &dyn Store, entry: &str) -> Result<Use, Error> {
    let value = store.get(entry)?.unwrap_or_default();
    Ok(parse(&String::from_utf8_lossy(&value)))
}

fn format(used: &Use) -> String {
    let line = |(name, amounts): (&UsageName, &Amounts)| {
        format!("{} {} {}\n", name.team, name.lineage, amounts.to_text())
    };
    used.iter().map(line).collect()
}

fn parse(lines: &str) -> Use {
    let line = |line: &str| {
        let mut parts = line.split(' ');
        let (team, lineage) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some((UsageName { team, lineage }, Amounts::parse(parts)?))
    };
    lines.lines().filter_map(line).collect()
}

/// Checks whether no request is counted on `day` any more.
fn is_over(action: &Action<'_>, day: &str) -> bool {
    let then = action.context.now.checked_sub(OPEN).unwrap_or(UNIX_EPOCH);
    day < Moment::new(then).day().as_str()
}

/// Returns the name of the day so many days ago.
pub(crate) fn day_before(action: &Action<'_>, days: u64) -> String {
    let then = action.context.now.checked_sub(Duration::from_hours(24 * days));
    Moment::new(then.unwrap_or(UNIX_EPOCH)).day()
}

fn seconds(action: &Action<'_>) -> u64 {
    action.context.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
