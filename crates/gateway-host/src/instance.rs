//! The state of one instance of a component, which serves one request and is then dropped.

use std::sync::Arc;

use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::fermyon::spin::{key_value, variables};
use crate::engine::Component;
use crate::outbound::Hooks;
use crate::store::OpenStore;

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

// === impl variables ===

impl variables::Host for &mut Instance {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        let value = self.component.variables.get(&name).cloned();
        Ok(value.ok_or(variables::Error::Undefined(name)))
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
        // The manifest grants access store by store, and opening is the only way to one.
        if !self.component.stores.contains(&label) {
            return Ok(Err(key_value::Error::AccessDenied));
        }
        let opened = OpenStore(self.component.store().clone());
        Ok(Ok(self.table.push(opened)?))
    }

    async fn get(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> StoreResult<Option<Vec<u8>>> {
        let OpenStore(backend) = self.table.get(&store)?;
        Ok(to_guest(backend.get(&key).await))
    }

    async fn set(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> StoreResult<()> {
        let OpenStore(backend) = self.table.get(&store)?;
        Ok(to_guest(backend.set(&key, &value).await))
    }

    async fn delete(&mut self, store: Resource<OpenStore>, key: String) -> StoreResult<()> {
        let OpenStore(backend) = self.table.get(&store)?;
        Ok(to_guest(backend.delete(&key).await))
    }

    async fn exists(&mut self, store: Resource<OpenStore>, key: String) -> StoreResult<bool> {
        let OpenStore(backend) = self.table.get(&store)?;
        Ok(to_guest(backend.get(&key).await.map(|value| value.is_some())))
    }

    async fn get_keys(&mut self, store: Resource<OpenStore>) -> StoreResult<Vec<String>> {
        let OpenStore(backend) = self.table.get(&store)?;
        Ok(to_guest(backend.keys().await))
    }

    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}
