//! The state of one instance of a component, which serves one request and is then dropped.

use std::sync::Arc;

use wasmtime::ResourceLimiter;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::host::bindings::fermyon::spin::{key_value, variables};
use crate::host::engine::Component;
use crate::host::outbound::Hooks;
use crate::host::store::{Backend, OpenStore};

/// An instance, and the imports it calls.
pub(crate) struct Instance {
    component: Arc<Component>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    table: ResourceTable,
}

/// Declares to the linker that Spin's interfaces work on the whole instance.
pub(crate) struct SpinInterfaces;

impl HasData for SpinInterfaces {
    type Data<'a> = &'a mut Instance;
}

impl Instance {
    /// Creates the state of a new instance of `component`.
    pub(crate) fn new(component: Arc<Component>) -> Self {
        Self {
            wasi: component.wasi(),
            http: WasiHttpCtx::new(),
            hooks: component.hooks(),
            table: ResourceTable::new(),
            component,
        }
    }
}

// === stores ===

impl Instance {
    /// Opens the store `label`, if the manifest grants it. Opening is the only way to a store.
    pub(crate) fn open_store(&self, label: &str) -> Option<OpenStore> {
        let is_granted = self.component.stores.contains(label);
        is_granted.then(|| OpenStore(self.component.store().clone()))
    }

    /// Gives the guest a handle for `opened`.
    pub(crate) fn push_store(
        &mut self,
        opened: OpenStore,
    ) -> wasmtime::Result<Resource<OpenStore>> {
        Ok(self.table.push(opened)?)
    }

    /// Returns the store behind a handle.
    pub(crate) fn opened(&self, handle: &Resource<OpenStore>) -> wasmtime::Result<&Backend> {
        Ok(&self.table.get(handle)?.0)
    }

    /// Takes a handle back.
    pub(crate) fn drop_store(&mut self, handle: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl WasiView for Instance {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Instance {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Records how much memory the instance takes, and limits nothing.
impl ResourceLimiter for Instance {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.component.note_memory(desired);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        _desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

// === impl variables ===

impl variables::Host for &mut Instance {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        Ok(self.component.variable(&name).ok_or(variables::Error::Undefined(name)))
    }
}

// === impl key-value ===

type StoreResult<T> = wasmtime::Result<Result<T, key_value::Error>>;

/// Converts a store error into a value for the guest, which can handle a value but not a trap.
fn to_guest<T>(outcome: anyhow::Result<T>) -> Result<T, key_value::Error> {
    outcome.map_err(|error| key_value::Error::Other(format!("{error:#}")))
}

impl key_value::Host for &mut Instance {}

impl key_value::HostStore for &mut Instance {
    async fn open(&mut self, label: String) -> StoreResult<Resource<OpenStore>> {
        match self.open_store(&label) {
            Some(opened) => Ok(Ok(self.push_store(opened)?)),
            None => Ok(Err(key_value::Error::AccessDenied)),
        }
    }

    async fn get(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> StoreResult<Option<Vec<u8>>> {
        Ok(to_guest(self.opened(&store)?.get(&key).await))
    }

    async fn set(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> StoreResult<()> {
        Ok(to_guest(self.opened(&store)?.set(&key, &value).await))
    }

    async fn delete(&mut self, store: Resource<OpenStore>, key: String) -> StoreResult<()> {
        Ok(to_guest(self.opened(&store)?.delete(&key).await))
    }

    async fn exists(&mut self, store: Resource<OpenStore>, key: String) -> StoreResult<bool> {
        Ok(to_guest(self.opened(&store)?.get(&key).await.map(|value| value.is_some())))
    }

    async fn get_keys(&mut self, store: Resource<OpenStore>) -> StoreResult<Vec<String>> {
        Ok(to_guest(self.opened(&store)?.keys().await))
    }

    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.drop_store(store)
    }
}
