//! The gateway on Spin: the one crate that calls a host.
//!
//! A component is one type, exported once:
//!
//! ```text
//! type Component = gateway_spin::Forward<OpenAi>;
//! gateway_spin::export!(Component);
//! ```
//!
//! Entry, bodies and streams go through WASI's own bindings, because spin-sdk's wrappers have no
//! timeouts and end a broken stream as if it were whole; store and variables through spin-sdk.
//! Everything blocks: a host runs one instance per request, so there is nothing else to do.

mod access;
mod answer;
mod forward;
mod host;
mod inbound;
mod relay;
mod send;
mod sink;
mod store;
mod translate;

pub use answer::Answer;
pub use forward::Forward;
pub use translate::Translate;
#[doc(hidden)]
pub use wasi;

/// Makes a type the component's handler of HTTP requests.
#[macro_export]
macro_rules! export {
    ($component:ident) => {
        $crate::wasi::http::proxy::export!($component with_types_in $crate::wasi);
    };
}
