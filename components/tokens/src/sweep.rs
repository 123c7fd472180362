//! What has ended and would otherwise stay in the store for good, which has no expiry of its own.

use std::time::{Duration, UNIX_EPOCH};

use gateway::Store;
use gateway::keys::time;
use gateway::limits::account::{LAST_USED, UsageName, window_of};
use gateway::limits::period::Moment;

use crate::Action;
use crate::claim::Claim;
use crate::idempotency::IdempotencyKey;
use crate::usage::days;

/// How many entries one request looks at, so that it stays quick.
const MAX_ENTRIES: usize = 100;

/// How many counters one request deletes: each key has several for every day.
const MAX_COUNTERS: usize = 1000;

/// How long the note on a revoked key is needed: longer than any request that read the record before.
const REVOKED: Duration = Duration::from_hours(1);

/// The prefix of notes on revoked keys, whose values are the times of the revocations.
const REVOKED_PREFIX: &str = "revoked:";

/// How many days the use of keys is kept in counters, and when a key was last used.
const USAGE_DAYS: u64 = 400;

/// How many days the use of a budget is kept: longer than its window lasts.
const BUDGET_DAYS: u64 = 40;

/// Deletes ended claims, notes, idempotency keys and counters among the store keys `stored`.
///
/// It runs when the admin lists keys or usage, the requests that read the names of all. Failures are
/// ignored: the next list tries again.
pub(crate) fn sweep(action: &Action<'_>, stored: &[String]) {
    let store = action.context.store;
    // Names show which claims have ended. The others are read, from another place each time, so that
    // entries that have not ended do not keep the rest from being seen.
    let (claims, others): (Vec<&String>, Vec<&String>) =
        stored.iter().filter(|key| is_kind(key)).partition(|key| Claim::has_ended(key, action));
    let (used, others): (Vec<&String>, Vec<&String>) =
        others.into_iter().partition(|key| key.starts_with(LAST_USED));
    let others = sample(&others, action).chain(sample(&used, action));
    let ended = others.filter(|key| has_ended(action, store, key));
    let summed_up = days::summed_up(action, stored);
    let is_summed_up =
        |name: &str| UsageName::parse(name).is_some_and(|(day, _, _)| summed_up.contains(day));
    let counters = stored.iter().filter(|name| is_old_counter(name, action) || is_summed_up(name));
    for key in claims.into_iter().take(MAX_ENTRIES).chain(ended).chain(counters.take(MAX_COUNTERS))
    {
        let _ = store.delete(key);
    }
}

/// Returns some of `keys`, from another place each time.
fn sample<'a>(keys: &[&'a String], action: &Action<'_>) -> impl Iterator<Item = &'a String> {
    let seconds = action.context.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let start = usize::try_from(seconds).unwrap_or(0) % keys.len().max(1);
    let count = keys.len().min(MAX_ENTRIES);
    keys.iter().copied().cycle().skip(start).take(count).collect::<Vec<_>>().into_iter()
}

/// Checks whether an entry may end by itself.
fn is_kind(key: &str) -> bool {
    key.starts_with(REVOKED_PREFIX)
        || key.starts_with(LAST_USED)
        || IdempotencyKey::is_entry(key)
        || Claim::is_entry(key)
}

/// Checks whether `name` is of a counter whose window has long ended. No request counts there any more.
fn is_old_counter(name: &str, action: &Action<'_>) -> bool {
    let Some((window, is_usage)) = window_of(name) else { return false };
    let days = if is_usage { USAGE_DAYS } else { BUDGET_DAYS };
    let oldest = action.context.now - Duration::from_hours(24 * days);
    let oldest = Moment::new(oldest).day();
    // A month is named by six digits, which are compared with those of a day.
    oldest.get(..window.len()).is_some_and(|oldest| window < oldest)
}

fn has_ended(action: &Action<'_>, store: &dyn Store, key: &str) -> bool {
    let Ok(Some(value)) = store.get(key) else { return false };
    if key.starts_with(REVOKED_PREFIX) {
        let revoked = std::str::from_utf8(&value).ok().and_then(time::parse);
        return revoked.is_some_and(|revoked| revoked + REVOKED < action.context.now);
    }
    if key.starts_with(LAST_USED) {
        return *value < *days::day_before(action, USAGE_DAYS).as_bytes();
    }
    IdempotencyKey::is_entry(key) && IdempotencyKey::has_ended(&value, &action.now())
}

#[cfg(test)]
mod tests {
    use gateway::Store as _;

    use crate::testing::{ADMIN, Host, key};

    #[test]
    fn sweep_deletes_what_has_ended() {
        let host = Host::default();
        let headers = [("authorization", ADMIN), ("idempotency-key", "a")];
        host.send_with("POST", "/tokens", &headers, r#"{"teamId":"blue"}"#).unwrap();
        host.create(r#"{"teamId":"blue"}"#);
        host.send("DELETE", &format!("/tokens/{}", key(1).id().as_str()), ADMIN, "").unwrap();
        host.store.set("claim:1:abandoned", b"x").unwrap();
        host.store.set("n:claim:1:abandoned", b"x").unwrap();
        let count = |prefix: &str| {
            let keys = host.store.keys().unwrap();
            keys.iter().filter(|key| key.starts_with(prefix)).count()
        };
        let counts = || ["done:", "revoked:", "claim:", "n:claim:1:", "key:", "team:"].map(count);
        assert_eq!(counts(), [1, 1, 1, 1, 1, 1]);
        for (hours, expected) in
            [(0, [1, 1, 0, 0, 1, 1]), (2, [1, 0, 0, 0, 1, 1]), (22, [0, 0, 0, 0, 1, 1])]
        {
            host.advance(hours * 60 * 60);
            host.send("GET", "/tokens", ADMIN, "").unwrap();
            assert_eq!(counts(), expected, "{hours} hours later");
        }
    }
}
