//! What a change must pass, and how fast the result is.

use anyhow::Result;
use clap::Args;

use crate::cargo::{self, WASM, components};
use crate::{say, sdk};

#[derive(Args)]
pub(crate) struct TestOptions {
    /// Leave out the suites that need Node.js and Python.
    #[arg(long)]
    skip_sdk: bool,
}

#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Rounds; each measures every target once, in turn.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Only this traffic: openai, stream, or another provider's name.
    #[arg(long)]
    only: Option<String>,
}

/// Native tests, end-to-end tests on the wasm, and the SDKs.
pub(crate) fn test(options: &TestOptions) -> Result<()> {
    cargo::build_components()?;
    say("Testing the workspace");
    cargo::run(["test", "--workspace"])?;
    if options.skip_sdk {
        say("The SDK tests were left out");
        return Ok(());
    }
    sdk::test()
}

/// The whole of it; a workflow calls this and nothing else.
pub(crate) fn ci() -> Result<()> {
    say("Checking the format");
    cargo::run(["fmt", "--all", "--check"])?;
    say("Linting");
    cargo::run(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    say("Linting the components as wasm");
    let components = components()?;
    let packages = components.iter().flat_map(|name| ["--package", name]);
    let start = ["clippy", "--release", "--target", WASM, "--package", "floor"];
    cargo::run(start.into_iter().chain(packages).chain(["--", "-D", "warnings"]))?;
    test(&TestOptions { skip_sdk: false })?;
    say("Building the documentation");
    let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
    cargo::run_with(arguments, &[("RUSTDOCFLAGS", "-D warnings")])
}

/// The gateway against a bare guest and against no gateway, in one run.
pub(crate) fn bench(options: &BenchOptions) -> Result<()> {
    cargo::build_components()?;
    say("Building the bench (the first time takes many minutes)");
    let seconds = options.seconds.to_string();
    let rounds = options.rounds.to_string();
    let run = ["run", "--quiet", "--profile", "host", "--package", "e2e", "--bin", "bench", "--"];
    let only = options.only.iter().flat_map(|name| ["--only", name]);
    cargo::run(run.into_iter().chain(["--seconds", &seconds, "--rounds", &rounds]).chain(only))
}
