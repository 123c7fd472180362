//! Cloudflare AI Gateway's side of the contract: where it is, what it is sent about a request, and
//! the errors it makes itself.

pub mod cache_key;
pub mod error;
pub mod metadata;
pub(crate) mod options;
pub mod settings;
