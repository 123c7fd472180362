//! The key-value store with atomic counters, for components that need them.
//!
//! Spin 3.0 and later have them; Fermyon Cloud and Akamai Functions do not load a component that
//! imports them. A build without the feature `atomics` leaves the import out.

#[cfg(feature = "atomics")]
use gateway::error::Cause;
use gateway::{Error, Store};

#[cfg(feature = "atomics")]
use self::bindings::wasi::keyvalue::{atomics, store};
use crate::store::SpinStore;

#[cfg(feature = "atomics")]
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated code"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "counters",
        generate_all,
    });
}

/// The `default` store, with counters.
#[derive(Default)]
pub(crate) struct CountingStore(SpinStore);

impl Store for CountingStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key)
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.0.set(key, value)
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key)
    }

    fn keys(&self) -> Result<Vec<String>, Error> {
        self.0.keys()
    }

    #[cfg(feature = "atomics")]
    fn increment(&self, name: &str) -> Result<Option<u64>, Error> {
        let opened = store::open("default").map_err(unavailable)?;
        let count = atomics::increment(&opened, name, 1).map_err(unavailable)?;
        Ok(u64::try_from(count).ok())
    }
}

#[cfg(feature = "atomics")]
fn unavailable(error: store::Error) -> Error {
    let cause = match error {
        store::Error::NoSuchStore => "there is no store `default`".to_owned(),
        store::Error::AccessDenied => {
            "spin.toml does not grant this component the store".to_owned()
        }
        store::Error::Other(text) => text,
    };
    Error::StoreUnavailable(Cause(cause))
}
