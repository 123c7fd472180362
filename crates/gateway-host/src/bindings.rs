//! Bindings of Spin's interfaces, generated from `wit/`.
#![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "gateway",
    with: { "fermyon:spin/key-value.store": crate::store::OpenStore },
    imports: { default: async | trappable },
});
