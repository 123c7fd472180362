//! Claims: of several requests for the same operation, exactly one carries it out.
//!
//! The store has no transactions. An atomic counter decides which request is the first. A platform
//! without atomic counters gets the next best: a request writes its mark and reads it back.

use std::time::{Duration, UNIX_EPOCH};

use gateway::Error;
use gateway::keys::api_key::digest;

use crate::Action;

/// How long a claim is valid, if it is not released because the host died. Names of claims contain
/// the window they were made in, so that an abandoned one blocks for one to two windows.
const WINDOW: Duration = Duration::from_secs(15);

/// The longest time for which a claim is valid: to the end of the window after its own.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

/// The prefixes of claims: counters, and marks on platforms without counters. Nothing else may have
/// a counter's name, because only counters may be incremented.
const COUNTER: &str = "n:claim:";
const MARK: &str = "claim:";

/// The right to carry out an operation, until it is released.
#[must_use = "a claim blocks others until it is released"]
pub(crate) struct Claim(String);

impl Claim {
    /// Takes the claim of `operation`.
    ///
    /// # Errors
    /// [`Error::InProgress`] if another request has claimed it.
    pub(crate) fn take(action: &Action<'_>, operation: &str) -> Result<Self, Error> {
        let store = action.context.store;
        let window = window(action);
        // Hashed, so that a name has a fixed length whatever the client sends.
        let operation = digest(operation);
        let name = |prefix, window: u64| format!("{prefix}{window}:{operation}");
        let counter = name(COUNTER, window);
        let count = store.counters().map(|counters| counters.increment(&counter, 1)).transpose()?;
        let (prefix, claim) = match count {
            Some(1) => (COUNTER, Self(counter)),
            Some(_) => return Err(Error::InProgress),
            None => (MARK, Self::mark(action, name(MARK, window))?),
        };
        // A request whose clock is just before or behind the window's edge counts elsewhere.
        for neighbour in [window.saturating_sub(1), window + 1] {
            let outcome = match store.get(&name(prefix, neighbour)) {
                Ok(None) => continue,
                Ok(Some(_)) => Error::InProgress,
                Err(error) => error,
            };
            claim.release(action);
            return Err(outcome);
        }
        Ok(claim)
    }

    /// Writes a mark and reads it back: of two requests that write it, the later one's mark remains.
    fn mark(action: &Action<'_>, name: String) -> Result<Self, Error> {
        let store = action.context.store;
        let mark = (action.context.random)();
        if store.get(&name)?.is_some() {
            return Err(Error::InProgress);
        }
        store.set(&name, &mark)?;
        if store.get(&name)?.as_deref() == Some(&mark) {
            Ok(Self(name))
        } else {
            Err(Error::InProgress)
        }
    }

    /// Ends the claim, so that others can take it. They have to look first whether it was carried out.
    pub(crate) fn release(self, action: &Action<'_>) {
        // A claim that cannot be deleted ends with its window.
        let _ = action.context.store.delete(&self.0);
    }

    /// Checks whether `key` is the store key of a claim.
    pub(crate) fn is_entry(key: &str) -> bool {
        key.starts_with(COUNTER) || key.starts_with(MARK)
    }

    /// Checks whether `key` is the store key of a claim that has ended.
    pub(crate) fn has_ended(key: &str, action: &Action<'_>) -> bool {
        let claim = key.strip_prefix(COUNTER).or_else(|| key.strip_prefix(MARK));
        let made = claim.and_then(|claim| claim.split(':').next()?.parse::<u64>().ok());
        made.is_some_and(|made| made + 1 < window(action))
    }
}

/// Returns the number of the current window.
fn window(action: &Action<'_>) -> u64 {
    let since = action.context.now.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() / WINDOW.as_secs()
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use gateway::{ApiKey, Error, Store as _, Team};

    use crate::testing::{ADMIN, Host, body, key};

    const BODY: &str = r#"{"teamId":"blue"}"#;
    const HEADERS: [(&str, &str); 2] = [("authorization", ADMIN), ("idempotency-key", "a")];

    /// Runs another request with the same idempotency key before the store's step `step`, and
    /// returns how many keys the two have created.
    fn race(has_counters: bool, step: u32, advance: u64) -> usize {
        let host = Host::default();
        if !has_counters {
            host.store.remove_counters();
        }
        let other = host.sibling();
        other.advance(advance);
        let second = Rc::new(Cell::new(false));
        let done = second.clone();
        host.store.interrupt_after(step, move |_| {
            done.set(other.send_with("POST", "/tokens", &HEADERS, BODY).is_ok());
        });
        let first = host.send_with("POST", "/tokens", &HEADERS, BODY).is_ok();
        usize::from(first) + usize::from(second.get())
    }

    #[test]
    fn take_admits_one_of_two_requests_at_any_step() {
        for advance in [0, 15] {
            for step in 0..12 {
                assert_eq!(race(true, step, advance), 1, "step {step}, {advance} s apart");
            }
        }
    }

    #[test]
    fn take_without_counters_gives_way_to_a_later_mark() {
        let mut given_way = 0;
        for step in 0..12 {
            let host = Host::default();
            host.store.remove_counters();
            // Another request has seen no mark either, and writes its own.
            host.store.interrupt_after(step, |store| {
                let keys = store.keys().unwrap();
                for mark in keys.iter().filter(|key| key.starts_with("claim:")) {
                    store.set(mark, b"another").unwrap();
                }
            });
            let outcome = host.send_with("POST", "/tokens", &HEADERS, BODY);
            given_way += usize::from(matches!(outcome, Err(Error::InProgress)));
        }
        assert_eq!(given_way, 1, "the mark is read back once");
    }

    #[test]
    fn abandoned_claim_ends_with_its_window() {
        for (seconds, expected) in [(0, false), (29, false), (30, true)] {
            let host = Host::default();
            // The host dies after the claim: everything that follows fails.
            host.store.fail_after(3);
            host.send_with("POST", "/tokens", &HEADERS, BODY).unwrap_err();
            host.store.recover();
            host.advance(seconds);
            let outcome = host.send_with("POST", "/tokens", &HEADERS, BODY);
            assert_eq!(outcome.is_ok(), expected, "{seconds}: {outcome:?}");
            assert!(expected || matches!(outcome, Err(Error::InProgress)), "{seconds}");
        }
    }

    #[test]
    fn rotation_meanwhile_has_one_successor_that_is_valid() {
        for (query, has_retry) in
            [("?graceSeconds=60", false), ("?graceSeconds=60", true), ("", true)]
        {
            for step in 0..18 {
                let host = Host::with_a_key();
                let other = host.sibling();
                let path = format!("/tokens/{}/refresh{query}", key(0).reveal());
                let headers = [("idempotency-key", "a")];
                let headers = if has_retry { &headers[..] } else { &[] };
                let headers: Vec<(&'static str, &'static str)> = headers.to_vec();
                let (again, sent) = (path.clone(), headers.clone());
                let made = Rc::new(RefCell::new(None));
                let result = made.clone();
                host.store.interrupt_after(step, move |_| {
                    result.replace(other.send_with("POST", &again, &sent, "").ok());
                });
                let first = host.send_with("POST", &path, &headers, "").ok();
                let responses: Vec<_> = first.into_iter().chain(made.take()).collect();
                assert_eq!(responses.len(), 1, "{query} {has_retry} {step}");
                let new = ApiKey::parse(body(&responses[0])["apiKey"].as_str().unwrap()).unwrap();
                let found = Team::find(&*host.store, &new, &host.now());
                assert!(found.is_ok(), "{query} {has_retry} {step}");
            }
        }
    }
}
