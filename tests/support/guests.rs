//! The wasm under test, built on first use.

use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail, ensure};

use crate::root;

/// Builds the components of `spin.toml` and the baseline guests, once per process.
///
/// # Errors
/// The build failed; the error has cargo's output.
pub fn build_guests() -> Result<()> {
    static OUTCOME: OnceLock<Result<(), String>> = OnceLock::new();
    match OUTCOME.get_or_init(|| build().map_err(|error| format!("{error:#}"))) {
        Ok(()) => Ok(()),
        Err(error) => bail!("{error}"),
    }
}

fn build() -> Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(["build", "--release", "--target", "wasm32-wasip2"]);
    for name in std::fs::read_dir(root().join("components"))? {
        command.arg("--package").arg(name?.file_name());
    }
    let output = command
        .args(["--package", "baseline", "--package", "keyed"])
        .output()
        .context("cannot run cargo")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "the components do not build: try `cargo xtask setup`\n{errors}"
    );
    Ok(())
}
