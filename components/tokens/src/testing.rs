//! A host for unit tests: an in-memory store that can fail, a fixed clock and known random bytes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::error::Cause;
use gateway::limits::counters::Counters;
use gateway::log::Entry;
use gateway::service::{Context, ReadBody, Service};
use gateway::{ApiKey, Error, Head, Headers, Request, Response, Settings, Store};

use crate::Tokens;

/// The `Authorization` value of the test host's admin.
pub(crate) const ADMIN: &str = "Bearer 0123456789abcdef0123456789abcdef";

/// When the test host's clock starts.
pub(crate) const NOW: &str = "2026-01-01T00:00:00.007Z";

pub(crate) struct Host {
    pub(crate) store: Rc<Memory>,
    pub(crate) limited_models: &'static str,
    settings: Settings,
    /// How often random bytes were drawn, which is also their value.
    draws: Cell<u8>,
    /// Seconds since [`NOW`].
    elapsed: Cell<u64>,
    pub(crate) entry: RefCell<Entry>,
}

#[derive(Default)]
pub(crate) struct Memory {
    values: RefCell<HashMap<String, Vec<u8>>>,
    lacks_counters: Cell<bool>,
    is_full: Cell<bool>,
    steps_left: Cell<Option<u32>>,
    interruption: RefCell<Option<(u32, Interruption)>>,
}

/// What another request does to the store in the middle of this one.
type Interruption = Box<dyn Fn(&Memory)>;

impl Default for Host {
    fn default() -> Self {
        Self::with_settings(
            "ai_gateway_host=https://h\nai_gateway_account_id=a\nai_gateway_id=g\n\
             ai_gateway_token=t\nadmin_token=0123456789abcdef0123456789abcdef\n",
        )
    }
}

/// Returns the key that a host creates as its `index`th.
pub(crate) fn key(index: u8) -> ApiKey {
    ApiKey::from_random([index; 32])
}

impl Host {
    /// Creates a host with the settings in `lines` and an empty store.
    pub(crate) fn with_settings(lines: &str) -> Self {
        Self {
            store: Rc::default(),
            limited_models: "",
            settings: Settings::from_lines(lines.to_owned()),
            draws: Cell::new(0),
            elapsed: Cell::new(0),
            entry: RefCell::default(),
        }
    }

    /// Creates a host that stores [`key`] number 0, of a limited team.
    pub(crate) fn with_a_key() -> Self {
        let host = Self::default();
        host.create(r#"{"teamId":"blue","name":"Blue","limited":true}"#);
        host
    }

    /// Creates a second host with the same store, which draws other random bytes.
    pub(crate) fn sibling(&self) -> Self {
        let other = Self::default();
        other.draws.set(100);
        Self { store: self.store.clone(), ..other }
    }

    /// Creates another key from the JSON `fields` and returns the response's body.
    pub(crate) fn create(&self, fields: &str) -> serde_json::Value {
        body(&self.send("POST", "/tokens", ADMIN, fields).unwrap())
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, seconds: u64) {
        self.elapsed.set(self.elapsed.get() + seconds);
    }

    fn variable(&self, name: &str) -> Result<String, Error> {
        match name {
            "prices" => Ok(r#"{"openai/*":{"input":"1"},"openai/gpt-*":{"input":"1"}}"#.to_owned()),
            "model_aliases" => Ok(r#"{"fast":"openai/gpt-4o"}"#.to_owned()),
            "limited_models" => Ok(self.limited_models.to_owned()),
            "bedrock_model_aliases" => Ok(r#"{"mine":"us.amazon.nova-pro-v1:0"}"#.to_owned()),
            _ => Err(Error::Configuration(format!("{name} is not declared"))),
        }
    }

    /// Returns the clock's time, RFC 3339.
    pub(crate) fn now(&self) -> String {
        gateway::keys::time::rfc3339(self.clock())
    }

    fn clock(&self) -> SystemTime {
        UNIX_EPOCH
            + Duration::from_millis(1_767_225_600_007)
            + Duration::from_secs(self.elapsed.get())
    }

    /// Sends a request, with an `Authorization` header unless that is empty.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        authorization: &str,
        body: &str,
    ) -> Result<Response, Error> {
        let credential = [("authorization", authorization)];
        let headers = if authorization.is_empty() { &[][..] } else { &credential };
        self.send_with(method, path, headers, body)
    }

    /// Sends a request with these `headers`.
    pub(crate) fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Response, Error> {
        let head = Head {
            method: method.parse().unwrap(),
            path_with_query: path.to_owned(),
            headers: headers.iter().copied().collect::<Headers>(),
        };
        let body: ReadBody<'_> = &|| Ok(body.into());
        let request = Request { head, body };
        let context = Context {
            store: &*self.store,
            settings: &self.settings,
            model_setting: &|name| self.variable(name),
            now: self.clock(),
            random: &|| [self.draws.replace(self.draws.get().wrapping_add(1)); 32],
        };
        let mut entry = Entry::default();
        let outcome = Tokens::respond(&request, &context, &mut entry);
        self.entry.replace(entry);
        outcome
    }
}

impl Memory {
    /// Fails all operations after the next `steps`.
    pub(crate) fn fail_after(&self, steps: u32) {
        self.steps_left.set(Some(steps));
    }

    /// Takes away atomic counters, which some platforms do not have.
    pub(crate) fn remove_counters(&self) {
        self.lacks_counters.set(true);
    }

    /// Rejects every write from now on, except deletions.
    pub(crate) fn fill(&self) {
        self.is_full.set(true);
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        self.values.borrow().len()
    }

    /// Ends the failure.
    pub(crate) fn recover(&self) {
        self.steps_left.set(None);
    }

    /// Runs `interruption` once, before the operation that follows the next `steps`.
    pub(crate) fn interrupt_after(&self, steps: u32, interruption: impl Fn(&Memory) + 'static) {
        self.interruption.replace(Some((steps, Box::new(interruption))));
    }

    fn step(&self) -> Result<(), Error> {
        let due = self.interruption.take().and_then(|(steps, what)| {
            let Some(left) = steps.checked_sub(1) else { return Some(what) };
            self.interruption.replace(Some((left, what)));
            None
        });
        if let Some(interrupt) = due {
            interrupt(self);
        }
        match self.steps_left.get() {
            Some(0) => Err(Error::StoreUnavailable(Cause("made to fail".to_owned()))),
            left => {
                self.steps_left.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }
}

impl Store for Memory {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.step()?;
        Ok(self.values.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.step()?;
        if self.is_full.get() {
            return Err(Error::StoreUnavailable(Cause("full".to_owned())));
        }
        self.values.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.step()?;
        self.values.borrow_mut().remove(key);
        Ok(())
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        self.step()?;
        Ok(self.values.borrow().keys().cloned().collect())
    }

    fn counters(&self) -> Option<&dyn Counters> {
        if self.lacks_counters.get() { None } else { Some(self) }
    }
}

impl Counters for Memory {
    fn increment(&self, name: &str, delta: i64) -> Result<i64, Error> {
        self.step()?;
        let mut values = self.values.borrow_mut();
        let counter = values.entry(name.to_owned()).or_insert_with(|| vec![0; 8]);
        let count = i64::from_le_bytes(counter.as_slice().try_into().unwrap()) + delta;
        *counter = count.to_le_bytes().to_vec();
        Ok(count)
    }
}

/// Parses the JSON body of a response.
pub(crate) fn body(response: &Response) -> serde_json::Value {
    serde_json::from_slice(&response.body).unwrap()
}
