//! Runs the app of `spin.toml` without Spin, and simulates Cloudflare AI Gateway, for development
//! and tests. Production runs on Spin.

#[cfg(feature = "host")]
mod host;
#[cfg(feature = "simulator")]
pub mod simulator;

#[cfg(feature = "host")]
pub use crate::host::{
    Clock, Compiler, Host, Options, VariableSource, environment, environment_name,
};
