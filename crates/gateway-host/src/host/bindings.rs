//! Bindings of Spin's interfaces, generated from `wit/`.
#![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "gateway",
    with: {
        "fermyon:spin/key-value.store": crate::store::OpenStore,
        "wasi:keyvalue/store.bucket": crate::store::OpenStore,
        "wasi:keyvalue/atomics.cas": crate::counters::Cas,
    },
    imports: { default: async | trappable },
});
