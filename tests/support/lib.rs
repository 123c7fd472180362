//! Support for the end-to-end tests, the bench and the soak test: the app on the embedded host, the
//! simulated AI Gateway behind it, and a client that sees every byte.

mod app;
pub mod client;
mod guests;
pub mod memory;
mod providers;
pub mod redis;
pub mod upstream;

pub use app::{ADMIN_TOKEN, App, Config};
pub use client::{Client, Connection, Response};
pub use guests::build_guests;
pub use providers::{chat_model, providers};

use std::path::PathBuf;
use std::sync::OnceLock;

use tokio::runtime::Runtime;

/// Returns the project's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs `test` on the runtime that all tests of the process share.
///
/// # Panics
/// The runtime cannot be created.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "no test can run without a runtime")]
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime")).block_on(test)
}
