//! The gateway on Spin: the one crate that calls a host.
//!
//! A component is one type, exported once. This is a whole provider component:
//!
//! ```
//! use gateway::{Error, Provider, RequestParts, Settings, Upstream};
//!
//! struct Example;
//!
//! impl Provider for Example {
//!     const SLUG: &'static str = "example";
//!
//!     fn upstream(request: &RequestParts<'_>, _: &Settings) -> Result<Upstream, Error> {
//!         Ok(Upstream::at(request.target.below("/example")))
//!     }
//! }
//!
//! type Component = gateway_spin::ProviderComponent<Example>;
//! # #[cfg(target_family = "wasm")]
//! gateway_spin::export!(Component);
//! # fn main() {}
//! ```
//!
//! `serve.rs` is the path of every request. What differs between the kinds of component is in
//! `provider.rs`, `translator.rs`, `router.rs`, `service.rs` and `page.rs`.
//!
//! Entry, bodies and streams use WASI's own bindings, because spin-sdk's wrappers have no timeouts
//! and end a truncated stream as if it were complete; store and variables use spin-sdk. Everything
//! blocks: a host runs one instance per request, so there is nothing else to do.

mod auth;
mod body;
mod counters;
mod host;
mod meter;
mod page;
mod provider;
mod recount;
mod request;
mod response;
mod router;
mod serve;
mod service;
mod store;
mod translator;
mod upstream;

pub use page::{PageComponent, Pages};
pub use provider::ProviderComponent;
pub use router::{RouterComponent, Routes};
pub use service::ServiceComponent;
pub use translator::TranslatorComponent;
#[doc(hidden)]
pub use wasi;

/// Exports a type as the component's handler of HTTP requests.
#[macro_export]
macro_rules! export {
    ($component:ident) => {
        $crate::wasi::http::proxy::export!($component with_types_in $crate::wasi);
    };
}
