//! `cargo xtask setup`: installs what a fresh machine lacks.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cargo::{WASM, root};
use crate::say;

/// Adds the wasm target to the project's toolchain if it is missing.
///
/// The check reads a folder instead of asking rustup: every command runs it, so it must be instant.
///
/// # Errors
/// Rust is missing, or rustup failed; the message says what to do.
pub(crate) fn make_target_present() -> Result<()> {
    let rustc = Command::new("rustc")
        .current_dir(root())
        .args(["--print", "sysroot"])
        .output()
        .context("cannot run rustc: install Rust with rustup, https://rustup.rs")?;
    let sysroot = String::from_utf8_lossy(&rustc.stdout).trim().to_owned();
    if Path::new(&sysroot).join("lib/rustlib").join(WASM).join("lib").is_dir() {
        return Ok(());
    }
    say(&format!("Adding the Rust target {WASM}"));
    let added = Command::new("rustup").current_dir(root()).args(["target", "add", WASM]).status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    bail!(
        "the Rust target {WASM} is missing and could not be added: run `rustup target add {WASM}` \
         in the project's folder, so that it is added to the toolchain of rust-toolchain.toml"
    )
}
