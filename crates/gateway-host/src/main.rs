//! The command `gateway-host`: serves the app without Spin, or simulates the AI Gateway behind it.

#[cfg(feature = "host")]
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
#[cfg(feature = "simulator")]
use gateway_host::simulator::{BASE_PATH, Simulator};
#[cfg(feature = "host")]
use gateway_host::{Host, Options, VariableSource};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

/// Runs the app of spin.toml without Spin, or simulates Cloudflare AI Gateway, for development and
/// tests.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Exits when standard input ends, which happens when the parent process exits.
    #[arg(long, global = true)]
    until_stdin_ends: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Serves an app on the embedded host.
    #[cfg(feature = "host")]
    Up(Up),
    /// Serves the simulated AI Gateway.
    #[cfg(feature = "simulator")]
    Simulate(Simulate),
}

#[cfg(feature = "host")]
#[derive(Args)]
struct Up {
    /// Path of the app's manifest.
    #[arg(long, default_value = "spin.toml")]
    from: PathBuf,
    /// Address to serve on; port 0 chooses a free port.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: String,
    /// Path of Spin's runtime configuration, which may configure the key-value store and the values of
    /// variables.
    #[arg(long)]
    runtime_config_file: Option<PathBuf>,
    /// Value of a variable, as `name=value`, `name=@file` with the value, or `@file.toml` with several. It
    /// takes precedence over all other values. May be repeated.
    #[arg(long, value_name = "VALUE")]
    variable: Vec<VariableSource>,
    /// Folder of the default key-value store [default: .spin next to the manifest].
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Folder for compiled components, which makes the next start fast.
    #[arg(long)]
    cache_dir: Option<PathBuf>,
}

#[cfg(feature = "simulator")]
#[derive(Args)]
struct Simulate {
    /// Address to serve on; port 0 chooses a free port.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let service = async {
        match cli.command {
            #[cfg(feature = "host")]
            Command::Up(up) => serve_app(up).await,
            #[cfg(feature = "simulator")]
            Command::Simulate(simulate) => serve_simulator(simulate).await,
        }
    };
    tokio::select! {
        outcome = service => outcome,
        () = stdin_ended(), if cli.until_stdin_ends => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Loads the app, prints its address and serves it.
#[cfg(feature = "host")]
async fn serve_app(up: Up) -> Result<()> {
    let variables: Result<Vec<_>> = up.variable.iter().map(VariableSource::read).collect();
    let options = Options {
        manifest: up.from,
        variables: variables?.into_iter().flatten().collect(),
        environment: gateway_host::environment(),
        runtime_config: up.runtime_config_file,
        state_dir: up.state_dir,
        cache: up.cache_dir,
        ..Options::default()
    };
    // The address is printed only after loading: programs that start this one wait for that line
    // and send requests immediately.
    let host = Host::load(&options).await?;
    let listener = bind(&up.listen).await?;
    print_line(&format!("Serving http://{}", listener.local_addr()?));
    host.serve(listener).await;
    Ok(())
}

/// Prints the simulator's address and serves it.
#[cfg(feature = "simulator")]
async fn serve_simulator(simulate: Simulate) -> Result<()> {
    let listener = bind(&simulate.listen).await?;
    print_line(&format!("Simulating http://{}{BASE_PATH}", listener.local_addr()?));
    Simulator::new().serve(listener).await;
    Ok(())
}

/// Listens on `address`.
async fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Waits until standard input ends, and discards what it contains.
async fn stdin_ended() {
    let mut stdin = tokio::io::stdin();
    let mut ignored = [0; 64];
    while stdin.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
}

#[expect(clippy::print_stdout, reason = "it is the output of a command")]
fn print_line(line: &str) {
    println!("{line}");
}
