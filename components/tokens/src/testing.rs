//! A host for unit tests: a store in memory that can fail, a clock that stands, known randomness.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::error::Cause;
use gateway::log::Entry;
use gateway::service::{Call, Context, Service};
use gateway::{ApiKey, Error, Headers, Reply, Settings, Store};

use crate::Tokens;

/// The `Authorization` value of the test host's admin.
pub(crate) const ADMIN: &str = "Bearer admin-token!";

/// When the test host's clock starts.
pub(crate) const NOW: &str = "2026-01-01T00:00:00.007Z";

pub(crate) struct Host {
    pub(crate) store: Memory,
    pub(crate) limited_models: &'static str,
    settings: Settings,
    drawn: Cell<u8>,
    /// Seconds since the start.
    passed: Cell<u64>,
    pub(crate) entry: RefCell<Entry>,
}

#[derive(Default)]
pub(crate) struct Memory {
    values: RefCell<HashMap<String, Vec<u8>>>,
    steps_left: Cell<Option<u32>>,
    interruption: RefCell<Option<(u32, Interruption)>>,
}

/// What somebody else does to the store amid a call.
type Interruption = Box<dyn Fn(&Memory)>;

impl Default for Host {
    fn default() -> Self {
        Self::with_settings(
            "ai_gateway_host=https://h\nai_gateway_account_id=a\nai_gateway_id=g\n\
             ai_gateway_token=t\nadmin_token=admin-token!\n",
        )
    }
}

/// The `index`th key a host makes.
pub(crate) fn key(index: u8) -> ApiKey {
    ApiKey::from_random([index; 32])
}

impl Host {
    pub(crate) fn with_settings(lines: &str) -> Self {
        Self {
            store: Memory::default(),
            limited_models: "",
            settings: Settings::from_lines(lines.to_owned()),
            drawn: Cell::new(0),
            passed: Cell::new(0),
            entry: RefCell::default(),
        }
    }

    /// A host that has made [`key`] number 0, for a limited team.
    pub(crate) fn with_a_key() -> Self {
        let host = Self::default();
        host.create(r#"{"teamId":"blue","name":"Blue","limited":true}"#);
        host
    }

    /// Makes one more key and tells what is answered.
    pub(crate) fn create(&self, wish: &str) -> serde_json::Value {
        body(&self.call("POST", "/tokens", ADMIN, wish).unwrap())
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, seconds: u64) {
        self.passed.set(self.passed.get() + seconds);
    }

    /// The time it is.
    pub(crate) fn now(&self) -> String {
        gateway::time::rfc3339(self.clock())
    }

    fn clock(&self) -> SystemTime {
        UNIX_EPOCH
            + Duration::from_millis(1_767_225_600_007)
            + Duration::from_secs(self.passed.get())
    }

    /// Makes a call with an `Authorization` header, unless that is empty.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        authorization: &str,
        body: &str,
    ) -> Result<Reply, Error> {
        let credential = [("authorization", authorization)];
        let headers = if authorization.is_empty() { &[][..] } else { &credential };
        self.call_with(method, path, headers, body)
    }

    pub(crate) fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Reply, Error> {
        let call = Call {
            method: method.parse().unwrap(),
            path_with_query: path.to_owned(),
            headers: headers.iter().copied().collect::<Headers>(),
            body: body.into(),
        };
        let context = Context {
            store: &self.store,
            settings: &self.settings,
            variable: &|_| Ok(self.limited_models.to_owned()),
            now: self.clock(),
            random: &|| [self.drawn.replace(self.drawn.get() + 1); 32],
        };
        let mut entry = Entry::default();
        let outcome = Tokens::answer(&call, &context, &mut entry);
        self.entry.replace(entry);
        outcome
    }
}

impl Memory {
    /// Lets `steps` more operations pass and fails all that follow.
    pub(crate) fn fail_after(&self, steps: u32) {
        self.steps_left.set(Some(steps));
    }

    pub(crate) fn recover(&self) {
        self.steps_left.set(None);
    }

    /// Does something else before the operation that follows `steps` others.
    pub(crate) fn interrupt_after(&self, steps: u32, what: impl Fn(&Memory) + 'static) {
        self.interruption.replace(Some((steps, Box::new(what))));
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
            Some(0) => Err(Error::StoreUnavailable(Cause("told to fail".to_owned()))),
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
}

/// The JSON of a reply.
pub(crate) fn body(reply: &Reply) -> serde_json::Value {
    serde_json::from_slice(&reply.body).unwrap()
}
