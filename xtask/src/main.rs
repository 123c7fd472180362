//! `cargo xtask`: the project's one command.

mod cargo;
mod ci;
mod process;
mod sdk;
mod setup;
mod tokens;
mod up;
mod wording;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Everything there is to do with this project.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes the wasm target present. Every other command does this first.
    Setup,
    /// Builds the components.
    Build,
    /// Builds the components and serves the app.
    Up(up::Options),
    /// Runs all tests: native, end to end on the wasm, and the real OpenAI SDKs.
    Test(ci::TestOptions),
    /// Checks all that a change must pass: format, lints, tests, documentation.
    Ci,
    /// Checks the English of comments, documents and messages.
    Wording,
    /// Creates, lists, changes and revokes the keys of a running gateway.
    Tokens(Box<tokens::Options>),
    /// Measures the gateway against a bare pass-through guest and against no gateway.
    Bench(ci::BenchOptions),
    /// Sends mixed traffic for minutes and checks every answer, times and memory.
    Soak(ci::SoakOptions),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    // These two build nothing, so they need no target.
    if !matches!(cli.command, Command::Tokens(_) | Command::Wording) {
        setup::make_target_present()?;
    }
    match cli.command {
        Command::Tokens(options) => tokens::run(&options),
        Command::Setup => Ok(()),
        Command::Build => cargo::build_components(),
        Command::Up(options) => up::up(&options),
        Command::Test(options) => ci::test(&options),
        Command::Ci => ci::ci(),
        Command::Wording => wording::check(),
        Command::Bench(options) => ci::bench(&options),
        Command::Soak(options) => ci::soak(&options),
    }
}

/// Says what is being done.
#[expect(clippy::print_stderr, reason = "progress is for whoever runs the command")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// Prints what was asked for.
#[expect(clippy::print_stdout, reason = "a command's output")]
fn print(text: &str) {
    println!("{text}");
}
