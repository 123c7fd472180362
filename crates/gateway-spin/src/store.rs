//! Spin's key-value store. Only the label `default` exists on every platform.

use std::cell::OnceCell;
use std::mem::ManuallyDrop;

use gateway::error::Cause;
use gateway::limits::counters::Counters;
use gateway::{Error, Store};
use spin_sdk::key_value;

use crate::counters::SpinCounters;
use crate::host::kept;

/// The `default` store, opened at its first use and kept for the rest of the request.
#[derive(Default)]
pub(crate) struct SpinStore(OnceCell<ManuallyDrop<key_value::Store>>);

impl SpinStore {
    fn open(&self) -> Result<&key_value::Store, Error> {
        if let Some(store) = self.0.get() {
            return Ok(store);
        }
        let store = key_value::Store::open_default().map_err(unavailable)?;
        Ok(self.0.get_or_init(|| kept(store)))
    }
}

impl Store for SpinStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.open()?.get(key).map_err(unavailable)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.open()?.set(key, value).map_err(unavailable)
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.open()?.delete(key).map_err(unavailable)
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        self.open()?.get_keys().map_err(unavailable)
    }
}

/// The `default` store, with counters where they exist.
#[derive(Default)]
pub(crate) struct CountingStore {
    store: SpinStore,
    counters: SpinCounters,
}

impl Store for CountingStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.store.get(key)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.store.set(key, value)
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.store.delete(key)
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        self.store.keys()
    }

    fn counters(&self) -> Option<&dyn Counters> {
        SpinCounters::EXIST.then_some(&self.counters)
    }
}

/// Converts a store failure. It says nothing about the client's key, so it must not become a 401.
fn unavailable(error: key_value::Error) -> Error {
    let cause = match error {
        key_value::Error::StoreTableFull => "too many stores are open".to_owned(),
        key_value::Error::NoSuchStore => "there is no store `default`".to_owned(),
        key_value::Error::AccessDenied => {
            "spin.toml does not grant this component the store".to_owned()
        }
        key_value::Error::Other(text) => text,
    };
    Error::StoreUnavailable(Cause(cause))
}
