//! The gateway's rules, as pure functions: what a key is, which headers pass, where a request goes,
//! what an error looks like.
//!
//! Nothing here does I/O, reads a clock or draws random bytes. Those are passed in, so every rule
//! has a native unit test. `gateway-spin` is the one crate that connects the rules to a host.
//!
//! A request meets the modules in this order:
//!
//! 1. [`keys`]: the client's key and the team it belongs to, with the key's scope
//! 2. [`http::body`]: how much of the body has to be read
//! 3. [`route`]: the target, the model ([`models::limited`]) and the [`provider`]'s upstream
//! 4. [`outbound`]: the headers ([`http::headers`]) and what the AI Gateway is sent ([`ai_gateway`])
//! 5. [`limits`]: what the key and its team may use, and what they have used ([`usage`])
//! 6. [`edit`]: what is done with the response ([`models::echo`], [`models::list`])
//! 7. [`error`] and [`log`], whatever happens
//!
//! A component implements [`Provider`], [`Translator`] or [`Service`]; each of these has an example.

pub mod ai_gateway;
pub mod edit;
pub mod error;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod keys;
pub mod limits;
pub mod log;
pub mod models;
pub mod operation;
pub mod operator;
pub mod outbound;
pub mod page;
pub mod provider;
pub mod route;
pub mod router;
pub mod service;
pub mod translator;
pub mod usage;

pub use ::http::Method;

pub use self::ai_gateway::settings::{AiGateway, Settings};
pub use self::error::Error;
pub use self::error::dialect::Dialect;
pub use self::http::headers::Headers;
pub use self::http::request::{Head, Request};
pub use self::http::response::Response;
pub use self::keys::api_key::{ApiKey, KeyId};
pub use self::keys::record::Record;
pub use self::keys::scope::Scope;
pub use self::keys::store::Store;
pub use self::keys::team::Team;
pub use self::models::limited::LimitedModels;
pub use self::operator::Operator;
pub use self::outbound::Outbound;
pub use self::provider::{Provider, RequestParts, Upstream};
pub use self::route::Route;
pub use self::service::Service;
pub use self::translator::Translator;
