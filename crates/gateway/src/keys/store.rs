//! The key-value store, reduced to what the rules need.

use crate::Error;
use crate::limits::counters::Counters;

/// The one store all components share. Every failure is [`Error::StoreUnavailable`].
pub trait Store {
    /// Returns the value of `key`, if there is one.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;
    /// Sets `key` to `value`.
    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error>;
    /// Removes `key`, if it is there.
    fn delete(&self, key: &str) -> Result<(), Error>;
    /// Lists all keys, in any order. Only key management calls it, never a provider's request.
    fn keys(&self) -> Result<Vec<String>, Error>;
    /// Returns the store's atomic counters, or nothing where the platform has none. A counter must never
    /// be [`set`](Self::set).
    fn counters(&self) -> Option<&dyn Counters> {
        None
    }
}

#[cfg(test)]
pub(crate) use memory::Memory;

#[cfg(test)]
mod memory {
    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;

    use super::{Error, Store};
    use crate::error::Cause;

    /// A store for unit tests that can be made to fail.
    #[derive(Debug, Default)]
    pub(crate) struct Memory {
        values: RefCell<HashMap<String, Vec<u8>>>,
        is_failing: Cell<bool>,
    }

    impl Memory {
        pub(crate) fn fail(&self) {
            self.is_failing.set(true);
        }

        fn check(&self) -> Result<(), Error> {
            if self.is_failing.get() {
                return Err(Error::StoreUnavailable(Cause("set to fail".to_owned())));
            }
            Ok(())
        }
    }

    impl Store for Memory {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            self.check()?;
            Ok(self.values.borrow().get(key).cloned())
        }

        fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.check()?;
            self.values.borrow_mut().insert(key.to_owned(), value.to_vec());
            Ok(())
        }

        fn delete(&self, key: &str) -> Result<(), Error> {
            self.check()?;
            self.values.borrow_mut().remove(key);
            Ok(())
        }

        fn keys(&self) -> Result<Vec<String>, Error> {
            self.check()?;
            Ok(self.values.borrow().keys().cloned().collect())
        }
    }
}
