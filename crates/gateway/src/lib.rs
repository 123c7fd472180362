//! The gateway's rules, as pure functions: what a key is, which headers pass, where a request goes,
//! what an error says.
//!
//! Nothing here does I/O, reads a clock or draws random bytes; those come in as arguments, so every
//! rule has a native unit test. `gateway-spin` is the one crate that connects the rules to a host.
//!
//! A request meets the modules in this order: [`key`] → [`team`] (with [`scope`]) → [`body`] (with
//! [`multipart`]) → [`policy`] → [`provider`] → [`outbound`] (with [`url`], [`headers`], [`metadata`], [`cache`]) →
//! [`cloudflare`] and [`rename`] on the way back, and [`error`], [`dialect`] and [`log`] whatever
//! happens.

pub mod body;
pub mod cache;
pub mod cloudflare;
pub mod dialect;
pub mod error;
#[cfg(test)]
mod fuzz;
pub mod headers;
pub mod json;
pub mod key;
pub mod listing;
pub mod log;
pub mod metadata;
pub mod multipart;
pub mod outbound;
pub mod policy;
pub mod provider;
pub mod record;
pub mod rename;
pub mod reply;
pub mod scope;
mod search;
pub mod service;
pub mod settings;
pub mod store;
pub mod team;
pub mod time;
pub mod translator;
pub mod url;

pub use dialect::Dialect;
pub use error::Error;
pub use headers::Headers;
pub use key::{ApiKey, KeyId};
pub use outbound::Outbound;
pub use policy::LimitedModels;
pub use provider::{Provider, Request, Upstream};
pub use record::Record;
pub use reply::Reply;
pub use scope::Scope;
pub use service::Service;
pub use settings::Settings;
pub use store::Store;
pub use team::Team;
pub use translator::Translator;
