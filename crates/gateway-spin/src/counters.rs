//! Atomic counters of the key-value store.
//!
//! Spin 3.0 and later have them; Fermyon Cloud and Akamai Functions do not load a component that
//! imports them. A build without the feature `atomics` leaves the import out.

#[cfg(feature = "atomics")]
use std::cell::OnceCell;
#[cfg(feature = "atomics")]
use std::mem::ManuallyDrop;

use gateway::Error;
#[cfg(feature = "atomics")]
use gateway::error::Cause;
use gateway::limits::counters::Counters;

#[cfg(feature = "atomics")]
use self::bindings::wasi::keyvalue::{atomics, store};
#[cfg(feature = "atomics")]
use crate::host::kept;

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

/// The counters of the `default` store, which is opened at their first use and kept for the rest of the
/// request.
#[derive(Default)]
pub(crate) struct SpinCounters {
    #[cfg(feature = "atomics")]
    bucket: OnceCell<ManuallyDrop<store::Bucket>>,
}

impl SpinCounters {
    /// Whether this build has counters.
    pub(crate) const EXIST: bool = cfg!(feature = "atomics");

    #[cfg(feature = "atomics")]
    fn open(&self) -> Result<&store::Bucket, Error> {
        if let Some(bucket) = self.bucket.get() {
            return Ok(bucket);
        }
        let bucket = store::open("default").map_err(unavailable)?;
        Ok(self.bucket.get_or_init(|| kept(bucket)))
    }
}

impl Counters for SpinCounters {
    #[cfg(feature = "atomics")]
    fn increment(&self, name: &str, delta: i64) -> Result<i64, Error> {
        atomics::increment(self.open()?, name, delta).map_err(unavailable)
    }

    #[cfg(not(feature = "atomics"))]
    fn increment(&self, _name: &str, _delta: i64) -> Result<i64, Error> {
        Err(missing())
    }
}

/// Returns the error for a request that has to be counted by a build without counters.
pub(crate) fn missing() -> Error {
    let why = "this key has limits, which a build without the feature `atomics` cannot enforce";
    Error::Configuration(why.to_owned())
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
