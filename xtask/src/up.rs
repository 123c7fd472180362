//! `cargo xtask up`: the app, served, with what a first run lacks put beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Args;

use crate::cargo::{build_components, root};
use crate::process::Running;
use crate::{print, say};

const PREFIX: &str = "SPIN_VARIABLE_";

/// The token the simulated AI Gateway takes.
const SIMULATED_TOKEN: &str = "simulated-gateway-token";

#[derive(Args)]
pub(crate) struct Options {
    /// Address to serve on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: String,
    /// Serve on the embedded host even where `spin` is installed.
    #[arg(long)]
    embedded: bool,
    /// Spin's runtime configuration, for another key-value store.
    #[arg(long)]
    runtime_config_file: Option<String>,
}

/// What the app's settings are, and what is put beside it for lack of them.
struct Surroundings {
    environment: Vec<(String, String)>,
    admin_token: Option<String>,
    simulator: Option<(Running, String)>,
}

/// Builds and serves the app until Ctrl-C.
pub(crate) fn up(options: &Options) -> Result<()> {
    build_components()?;
    let use_spin = !options.embedded && has_spin();
    let surroundings = Surroundings::make()?;
    let (app, url) = if use_spin {
        say("Serving with spin");
        (serve_with_spin(options, &surroundings)?, format!("http://{}", options.listen))
    } else {
        say("Serving with the embedded host");
        serve_embedded(options, &surroundings)?
    };
    print(&welcome(&url, &surroundings)?);
    let signalled = signalled()?;
    app.wait_unless(&signalled)
}

impl Surroundings {
    /// Looks at environment and `.env`; simulates what they do not name.
    fn make() -> Result<Self> {
        let given = given_settings();
        let is_given = |name: &str| given.get(name).is_some_and(|value| !value.is_empty());
        let mut environment = Vec::new();
        let mut set = |name: &str, value: &str| {
            environment.push((format!("{PREFIX}{name}"), value.to_owned()));
        };
        let simulator = if is_given("AI_GATEWAY_URL") || is_given("AI_GATEWAY_ACCOUNT_ID") {
            if let (Some(url), false) = (given.get("AI_GATEWAY_URL"), is_given("AI_GATEWAY_HOST")) {
                set("AI_GATEWAY_HOST", &origin(url)?);
            }
            None
        } else {
            let (running, ready) = Running::host(&["simulate"], &[])?;
            let url = ready.url.clone();
            ready.hide_log();
            set("AI_GATEWAY_HOST", &origin(&url)?);
            set("AI_GATEWAY_URL", &url);
            set("AI_GATEWAY_TOKEN", SIMULATED_TOKEN);
            set("AZURE_RESOURCE_NAME", "simulated-resource");
            Some((running, url))
        };
        let admin_token = (!is_given("ADMIN_TOKEN")).then(random_token).transpose()?;
        if let Some(token) = &admin_token {
            set("ADMIN_TOKEN", token);
        }
        Ok(Self { environment, admin_token, simulator })
    }
}

/// The settings in the environment and, behind them, in `.env`.
fn given_settings() -> BTreeMap<String, String> {
    let file = dotenvy::from_path_iter(root().join(".env"));
    let from_file = file.into_iter().flatten().flatten();
    from_file
        .chain(std::env::vars())
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
        .collect()
}

/// Scheme and authority of a URL.
pub(crate) fn origin(url: &str) -> Result<String> {
    let uri: http::Uri = url.parse().with_context(|| format!("not a URL: {url}"))?;
    let authority = uri.authority().with_context(|| format!("no host in {url}"))?;
    Ok(format!("{}://{authority}", uri.scheme_str().unwrap_or("https")))
}

fn random_token() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("no random bytes, set SPIN_VARIABLE_ADMIN_TOKEN: {error}"))?;
    Ok(hex::encode(bytes))
}

fn has_spin() -> bool {
    Command::new("spin").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn serve_with_spin(options: &Options, surroundings: &Surroundings) -> Result<Running> {
    let mut command = Command::new("spin");
    command.current_dir(root()).args(["up", "--listen", &options.listen]);
    if let Some(file) = &options.runtime_config_file {
        command.args(["--runtime-config-file", file]);
    }
    command.envs(surroundings.environment.iter().map(|(name, value)| (name, value)));
    let mut running = Running::program(&mut command)?;
    while TcpStream::connect(&options.listen).is_err() {
        ensure!(!running.has_ended()?, "spin did not start");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(running)
}

fn serve_embedded(options: &Options, surroundings: &Surroundings) -> Result<(Running, String)> {
    let mut arguments = vec!["up", "--listen", &options.listen];
    if let Some(file) = &options.runtime_config_file {
        arguments.extend(["--runtime-config-file", file]);
    }
    let (running, ready) = Running::host(&arguments, &surroundings.environment)?;
    let url = ready.url.clone();
    ready.show_log();
    Ok((running, url))
}

/// What a newcomer needs to go on: where things are, and two commands to paste.
fn welcome(url: &str, surroundings: &Surroundings) -> Result<String> {
    // Writing to a string cannot fail.
    let mut text = format!("\nServing {url}\n");
    for route in routes(&root().join("spin.toml"))? {
        let _ = writeln!(text, "  {url}{route}");
    }
    if let Some((_, simulated)) = &surroundings.simulator {
        let _ = write!(
            text,
            "\nNo AI Gateway is configured: every answer is SIMULATED, by\n  {simulated}\n\
             Copy .env.example to .env and fill it in to reach a real one.\n"
        );
    }
    let admin = match &surroundings.admin_token {
        Some(token) => {
            let _ = writeln!(text, "\nAdmin token of this run: {token}");
            token.as_str()
        }
        None => "$SPIN_VARIABLE_ADMIN_TOKEN",
    };
    let _ = write!(
        text,
        r#"
Create a team key, then ask for a chat completion:

  KEY=$(curl -s {url}/tokens -H "authorization: Bearer {admin}" \
    -d '{{"teamId": "blue", "name": "Blue team"}}' | sed 's/.*"apiKey":"\([^"]*\)".*/\1/')

  curl {url}/openai/chat/completions -H "authorization: Bearer $KEY" \
    -H 'content-type: application/json' \
    -d '{{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hello!"}}]}}'

Ctrl-C ends it.
"#
    );
    Ok(text)
}

/// The routes of the manifest, as it gives them.
fn routes(manifest: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(manifest).context("cannot read spin.toml")?;
    let values = text.lines().filter_map(|line| line.strip_prefix("route = "));
    Ok(values.map(|value| value.trim_matches('"').to_owned()).collect())
}

/// Becomes true on Ctrl-C or termination; whoever waits for it then ends what it started.
fn signalled() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    ctrlc::set_handler(move || raised.store(true, Ordering::Relaxed))?;
    Ok(flag)
}
