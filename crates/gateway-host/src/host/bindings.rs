//! Bindings of Spin's interfaces, generated from `wit/`.
#![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "gateway",
    with: {
        "fermyon:spin/key-value.store": crate::host::store::OpenStore,
        "wasi:keyvalue/store.bucket": crate::host::store::OpenStore,
        "wasi:keyvalue/atomics.cas": crate::host::counters::Cas,
    },
    imports: { default: async | trappable },
});
