//! What the end-to-end tests and the bench share: the app on the embedded host, the simulated AI
//! Gateway behind it, and a client that sees every byte.

mod app;
pub mod client;
mod guests;
pub mod memory;
pub mod upstream;

pub use app::{ADMIN_TOKEN, App, Config};
pub use client::{Answer, Client, Connection};
pub use guests::build_guests;

use std::path::PathBuf;
use std::sync::OnceLock;

use tokio::runtime::Runtime;

/// The project's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs `test` on the runtime that all tests share.
///
/// # Panics
/// The machine gives no runtime.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "no test can run without a runtime")]
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime")).block_on(test)
}
