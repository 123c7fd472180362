//! `cargo xtask`: the project's only command. CI runs it, too.

mod cargo;
mod ci;
mod manifest;
mod prices;
mod process;
mod sdk;
mod settings;
mod setup;
mod tokens;
mod up;
mod wording;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds, runs, tests and measures ai-gateway.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Installs the wasm target if it is missing; other commands do this first.
    Setup,
    /// Builds the components as wasm.
    Build,
    /// Builds the components and serves the app, with a simulated AI Gateway if none is configured.
    Up(up::Options),
    /// Runs all tests: native, end-to-end on the wasm, and with the providers' real SDKs.
    Test(ci::TestOptions),
    /// Runs every check a change must pass: format, lints, tests and documentation.
    Ci,
    /// Checks the wording of comments, documents and messages.
    Wording,
    /// Manages the team keys of a running gateway.
    Tokens(Box<tokens::Options>),
    /// Prints the setting `prices`, from a file of models.dev.
    Prices(prices::Options),
    /// Writes deploy/fermyon-cloud/spin.toml from spin.toml.
    Manifest,
    /// Prints the settings of .env and the environment as a file for `spin up --variable @FILE.toml`.
    Variables(settings::Options),
    /// Prints what the gateway knows about models of Bedrock.
    Model {
        /// Ids, inference profiles or ARNs.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Compares the gateway with a bare pass-through component and with no gateway.
    Bench(ci::BenchOptions),
    /// Sends mixed traffic for minutes and checks every response, latencies and memory.
    Soak(ci::SoakOptions),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    // These build no component, so they do not need the target.
    let needs_no_target = matches!(
        cli.command,
        Command::Tokens(_)
            | Command::Wording
            | Command::Model { .. }
            | Command::Prices(_)
            | Command::Manifest
            | Command::Variables(_)
    );
    if !needs_no_target {
        setup::make_target_present()?;
    }
    match cli.command {
        Command::Tokens(options) => tokens::run(&options),
        Command::Prices(options) => prices::run(&options),
        Command::Manifest => manifest::run(),
        Command::Variables(options) => settings::print(&options),
        Command::Setup => Ok(()),
        Command::Build => cargo::build_components(),
        Command::Up(options) => up::up(&options),
        Command::Test(options) => ci::test(&options),
        Command::Ci => ci::ci(),
        Command::Wording => wording::check(),
        Command::Model { ids } => cargo::describe_models(&ids),
        Command::Bench(options) => ci::bench(&options),
        Command::Soak(options) => ci::soak(&options),
    }
}

/// Reports progress on standard error, which leaves standard output to a command's result.
#[expect(clippy::print_stderr, reason = "progress is for the person who runs the command")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// Prints a command's result.
#[expect(clippy::print_stdout, reason = "a command's output")]
fn print(text: &str) {
    println!("{text}");
}
