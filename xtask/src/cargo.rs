//! Runs cargo with the project's choices.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::say;

/// The target of all components.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// The package and the program of the embedded host.
const HOST: &str = "gateway-host";

/// Returns the project's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Returns the names of the components: each folder in `components` is a package of that name.
pub(crate) fn components() -> Result<Vec<String>> {
    let folder = root().join("components");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).context("cannot read the folder components")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Builds all components, showing cargo's own progress.
pub(crate) fn build_components() -> Result<()> {
    say("Building the components");
    let components = components()?;
    let packages = components.iter().flat_map(|name| ["--package", name]);
    run(["build", "--release", "--target", WASM].into_iter().chain(packages))
}

/// Builds the embedded host with all that tests need, and returns its path.
pub(crate) fn build_test_host() -> Result<PathBuf> {
    say("Building the embedded host for tests (takes some minutes the first time)");
    run(["build", "--workspace", "--bin", HOST])?;
    Ok(host_in("debug"))
}

/// Builds the embedded host, or parts of it, with no more than `features`, and returns its path.
pub(crate) fn build_host(features: &[&str]) -> Result<PathBuf> {
    let features = features.join(",");
    let start = ["build", "--profile", "up", "--package", HOST, "--no-default-features"];
    run(start.into_iter().chain(["--features", &features]))?;
    Ok(host_in("up"))
}

/// Returns the path of the embedded host of a profile.
fn host_in(profile: &str) -> PathBuf {
    target_folder().join(profile).join(format!("{HOST}{}", std::env::consts::EXE_SUFFIX))
}

/// Runs `cargo ARGUMENTS` in the project's folder.
///
/// # Errors
/// Cargo failed; its own output says why.
pub(crate) fn run<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<()> {
    run_with(arguments, &[])
}

/// Runs `cargo ARGUMENTS` with additional environment variables.
pub(crate) fn run_with<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
    environment: &[(&str, &str)],
) -> Result<()> {
    let arguments: Vec<&str> = arguments.into_iter().collect();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(&arguments).envs(environment.iter().copied());
    // Cargo sets these for xtask, and an inner cargo would inherit them. Build scripts that watch them
    // (ring's) would then run again on every call, and rebuild everything that depends on them.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}

/// Prints what the gateway knows about the models `ids`.
pub(crate) fn describe_models(ids: &[String]) -> Result<()> {
    let start = ["run", "--quiet", "--package=bedrock", "--bin=model"];
    let options = ["--features", "bedrock/describe", "--"];
    run(start.into_iter().chain(options).chain(ids.iter().map(String::as_str)))
}

/// Returns cargo's target folder, which may be set from outside.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
