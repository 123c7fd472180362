//! A host for unit tests: a store in memory that can fail, a clock that stands, known randomness.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use gateway::error::Cause;
use gateway::service::{Call, Context, Service};
use gateway::{ApiKey, Error, Headers, Reply, Settings, Store};

use crate::Tokens;

/// The `Authorization` value of the test host's admin.
pub(crate) const ADMIN: &str = "Bearer admin-token!";

pub(crate) struct Host {
    pub(crate) store: Memory,
    pub(crate) limited_models: &'static str,
    settings: Settings,
    drawn: Cell<u8>,
}

#[derive(Default)]
pub(crate) struct Memory {
    values: RefCell<HashMap<String, Vec<u8>>>,
    steps_left: Cell<Option<u32>>,
}

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
        let settings = Settings::from_lines(lines.to_owned());
        Self { store: Memory::default(), limited_models: "", settings, drawn: Cell::new(0) }
    }

    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        authorization: &str,
        body: &str,
    ) -> Result<Reply, Error> {
        let credential =
            Some(("authorization", authorization)).filter(|(_, value)| !value.is_empty());
        let call = Call {
            method: method.parse().unwrap(),
            path_with_query: path.to_owned(),
            headers: credential.into_iter().collect::<Headers>(),
            body: body.into(),
        };
        let context = Context {
            store: &self.store,
            settings: &self.settings,
            variable: &|_| Ok(self.limited_models.to_owned()),
            now: UNIX_EPOCH + Duration::from_millis(1_767_225_600_007),
            random: &|| [self.drawn.replace(self.drawn.get() + 1); 32],
        };
        Tokens::answer(&call, &context)
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

    fn step(&self) -> Result<(), Error> {
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
}

/// The JSON of a reply.
pub(crate) fn json(reply: &Reply) -> serde_json::Value {
    serde_json::from_slice(&reply.body).unwrap()
}
