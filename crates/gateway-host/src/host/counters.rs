//! The interfaces `wasi:keyvalue/store` and `atomics`: the same store, with atomic counters.

use wasmtime::component::Resource;

use crate::host::bindings::wasi::keyvalue::{atomics, store};
use crate::host::instance::Instance;
use crate::host::store::OpenStore;

/// A compare-and-swap operation, which this host does not have.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Cas;

type StoreResult<T> = wasmtime::Result<Result<T, store::Error>>;

/// Converts a store error into a value for the guest, which can handle a value but not a trap.
fn to_guest<T>(outcome: anyhow::Result<T>) -> Result<T, store::Error> {
    outcome.map_err(|error| store::Error::Other(format!("{error:#}")))
}

/// Returns the error of an operation that this host does not have.
fn unsupported() -> store::Error {
    store::Error::Other("the embedded host has no compare-and-swap".to_owned())
}

impl store::Host for &mut Instance {
    async fn open(&mut self, identifier: String) -> StoreResult<Resource<OpenStore>> {
        match self.open_store(&identifier) {
            Some(opened) => Ok(Ok(self.push_store(opened)?)),
            None => Ok(Err(store::Error::AccessDenied)),
        }
    }
}

impl store::HostBucket for &mut Instance {
    async fn get(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
    ) -> StoreResult<Option<Vec<u8>>> {
        Ok(to_guest(self.opened(&bucket)?.get(&key).await))
    }

    async fn set(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> StoreResult<()> {
        Ok(to_guest(self.opened(&bucket)?.set(&key, &value).await))
    }

    async fn delete(&mut self, bucket: Resource<OpenStore>, key: String) -> StoreResult<()> {
        Ok(to_guest(self.opened(&bucket)?.delete(&key).await))
    }

    async fn exists(&mut self, bucket: Resource<OpenStore>, key: String) -> StoreResult<bool> {
        Ok(to_guest(self.opened(&bucket)?.get(&key).await.map(|value| value.is_some())))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<OpenStore>,
        _cursor: Option<String>,
    ) -> StoreResult<store::KeyResponse> {
        let keys = self.opened(&bucket)?.keys().await;
        Ok(to_guest(keys.map(|keys| store::KeyResponse { keys, cursor: None })))
    }

    async fn drop(&mut self, bucket: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.drop_store(bucket)
    }
}

impl atomics::Host for &mut Instance {
    async fn increment(
        &mut self,
        bucket: Resource<OpenStore>,
        key: String,
        delta: i64,
    ) -> StoreResult<i64> {
        Ok(to_guest(self.opened(&bucket)?.increment(&key, delta).await))
    }

    async fn swap(
        &mut self,
        _cas: Resource<Cas>,
        _value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), atomics::CasError>> {
        Ok(Err(atomics::CasError::StoreError(unsupported())))
    }
}

impl atomics::HostCas for &mut Instance {
    async fn new(
        &mut self,
        _bucket: Resource<OpenStore>,
        _key: String,
    ) -> StoreResult<Resource<Cas>> {
        Ok(Err(unsupported()))
    }

    async fn current(&mut self, _cas: Resource<Cas>) -> StoreResult<Option<Vec<u8>>> {
        Ok(Err(unsupported()))
    }

    async fn drop(&mut self, _cas: Resource<Cas>) -> wasmtime::Result<()> {
        Ok(())
    }
}
