//! `cargo xtask test`, `ci`, `bench` and `soak`: checks and measurements.

use anyhow::Result;
use clap::Args;

use crate::cargo::{self, WASM, components};
use crate::{say, sdk, wording};

#[derive(Args, Default)]
pub(crate) struct TestOptions {
    /// Skip the SDK tests, which need Node.js and Python.
    #[arg(long)]
    skip_sdk: bool,
    /// Skip the tests in a browser, which need Chromium.
    #[arg(long)]
    pub(crate) skip_browser: bool,
    /// Skip the coding agents, which take 2 GB and need Python 3.11 or 3.12.
    #[arg(long)]
    pub(crate) skip_agents: bool,
}

#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Duration of each measurement, in seconds.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Number of rounds; each measures every target once.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Measure only this traffic: openai, prompt, stream, long, paced, bedrock, bedrock-stream, counting, v1, or
    /// another provider's name.
    #[arg(long)]
    only: Option<String>,
    /// Write the results to docs/benchmarks.md and its chart.
    #[arg(long, conflicts_with = "only")]
    report: bool,
}

#[derive(Args)]
pub(crate) struct SoakOptions {
    /// Duration, in minutes.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// Number of concurrent streams; a third of them are Bedrock's.
    #[arg(long, default_value_t = 200)]
    streams: usize,
    /// Interval between two lines of the report, in seconds.
    #[arg(long, default_value_t = 10)]
    every: u64,
}

/// Runs the native tests, the end-to-end tests on the wasm, and the SDK tests.
pub(crate) fn test(options: &TestOptions) -> Result<()> {
    cargo::build_components()?;
    say("Testing the workspace");
    cargo::run(["test", "--workspace"])?;
    if options.skip_sdk {
        say("Skipping the SDK tests");
        return Ok(());
    }
    sdk::test(options)
}

/// Runs every check. The CI workflow calls this and nothing else.
pub(crate) fn ci() -> Result<()> {
    say("Checking the format");
    cargo::run(["fmt", "--all", "--check"])?;
    say("Checking the wording");
    wording::check()?;
    say("Linting");
    let all = ["clippy", "--workspace", "--all-targets", "--features", "bedrock/describe"];
    cargo::run(all.into_iter().chain(["--", "-D", "warnings"]))?;
    say("Linting the parts of the embedded host that `up` builds");
    for features in ["simulator", "host,simulator"] {
        let start = ["clippy", "--package", "gateway-host", "--no-default-features"];
        cargo::run(start.into_iter().chain(["--features", features, "--", "-D", "warnings"]))?;
    }
    say("Linting the components as wasm");
    let components = components()?;
    let packages = components.iter().flat_map(|name| ["--package", name]);
    let start =
        ["clippy", "--release", "--target", WASM, "--package", "baseline", "--package", "keyed"];
    cargo::run(start.into_iter().chain(packages).chain(["--", "-D", "warnings"]))?;
    test(&TestOptions::default())?;
    say("Building the documentation");
    let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
    cargo::run_with(arguments, &[("RUSTDOCFLAGS", "-D warnings")])
}

/// Compares the gateway with the baseline component and with direct requests, in one run, so that all
/// three are measured under the same load of the machine.
pub(crate) fn bench(options: &BenchOptions) -> Result<()> {
    let mut arguments =
        vec![format!("--seconds={}", options.seconds), format!("--rounds={}", options.rounds)];
    arguments.extend(options.only.iter().map(|name| format!("--only={name}")));
    arguments.extend(options.report.then(|| "--report".to_owned()));
    run_measurement("bench", &arguments)
}

/// Sends mixed traffic for minutes.
pub(crate) fn soak(options: &SoakOptions) -> Result<()> {
    let SoakOptions { minutes, streams, every } = options;
    let arguments = [
        format!("--minutes={minutes}"),
        format!("--streams={streams}"),
        format!("--every={every}"),
    ];
    run_measurement("soak", &arguments)
}

/// Runs a program of the `e2e` package, with the optimised profile of the host: the embedded host and
/// the load generator are part of it.
fn run_measurement(program: &str, arguments: &[String]) -> Result<()> {
    cargo::build_components()?;
    say(&format!("Building the {program} (takes many minutes the first time)"));
    let run = ["run", "--quiet", "--profile", "host", "--package", "e2e", "--bin", program, "--"];
    let run = run.into_iter().chain(arguments.iter().map(String::as_str));
    // With backtraces, every error that the host returns to a guest would record one.
    cargo::run_with(run, &[("RUST_BACKTRACE", "0")])
}
