//! `cargo xtask up`: serves the app. Settings that are missing are simulated, so that the first run
//! needs no account.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Args;

use crate::cargo::{build_components, root};
use crate::process::Running;
use crate::{print, say};

const PREFIX: &str = "SPIN_VARIABLE_";

/// The token that the simulated AI Gateway accepts.
const SIMULATED_TOKEN: &str = "simulated-gateway-token";

#[derive(Args)]
pub(crate) struct Options {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: String,
    /// Use the embedded host even if `spin` is installed.
    #[arg(long)]
    embedded: bool,
    /// Runtime configuration file, for example for another key-value store.
    #[arg(long)]
    runtime_config_file: Option<String>,
}

/// The app's environment: what xtask adds to the settings that are given.
struct AppEnvironment {
    variables: Vec<(String, String)>,
    admin_token: Option<String>,
    simulator: Option<(Running, String)>,
}

/// Builds and serves the app until Ctrl-C.
pub(crate) fn up(options: &Options) -> Result<()> {
    build_components()?;
    let use_spin = !options.embedded && has_spin();
    let environment = AppEnvironment::make()?;
    let (app, url) = if use_spin {
        say("Serving with Spin");
        (serve_with_spin(options, &environment)?, format!("http://{}", options.listen))
    } else {
        say("Serving with the embedded host");
        serve_embedded(options, &environment)?
    };
    print(&welcome(&url, &environment)?);
    let signalled = signalled()?;
    app.wait_unless(&signalled)
}

/// The minimum length of an admin token, which the app enforces, too.
const MIN_ADMIN_TOKEN: usize = 32;

impl AppEnvironment {
    /// Reads the settings and starts a simulated AI Gateway if none is configured.
    fn make() -> Result<Self> {
        let given = given_settings();
        let is_given = |name: &str| given.get(name).is_some_and(|value| !value.is_empty());
        let mut variables = Vec::new();
        let mut set = |name: &str, value: &str| {
            variables.push((format!("{PREFIX}{name}"), value.to_owned()));
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
        if let Some(token) = given.get("ADMIN_TOKEN").filter(|token| !token.is_empty())
            && token.len() < MIN_ADMIN_TOKEN
        {
            bail!("SPIN_VARIABLE_ADMIN_TOKEN must have at least {MIN_ADMIN_TOKEN} characters");
        }
        let admin_token = (!is_given("ADMIN_TOKEN")).then(random_token).transpose()?;
        if let Some(token) = &admin_token {
            set("ADMIN_TOKEN", token);
        }
        Ok(Self { variables, admin_token, simulator })
    }
}

/// Reads the settings in `.env` and in the environment, which takes precedence.
fn given_settings() -> BTreeMap<String, String> {
    let file = dotenvy::from_path_iter(root().join(".env"));
    let from_file = file.into_iter().flatten().flatten();
    from_file
        .chain(std::env::vars())
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
        .collect()
}

/// Returns the scheme and authority of a URL.
pub(crate) fn origin(url: &str) -> Result<String> {
    let uri: http::Uri = url.parse().with_context(|| format!("not a URL: {url}"))?;
    let authority = uri.authority().with_context(|| format!("no host in {url}"))?;
    Ok(format!("{}://{authority}", uri.scheme_str().unwrap_or("https")))
}

/// Generates the admin token of this run.
fn random_token() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        anyhow!("cannot generate an admin token, set SPIN_VARIABLE_ADMIN_TOKEN: {error}")
    })?;
    Ok(hex::encode(bytes))
}

fn has_spin() -> bool {
    Command::new("spin").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn serve_with_spin(options: &Options, environment: &AppEnvironment) -> Result<Running> {
    let mut command = Command::new("spin");
    command.current_dir(root()).args(["up", "--listen", &options.listen]);
    if let Some(file) = &options.runtime_config_file {
        command.args(["--runtime-config-file", file]);
    }
    command.envs(environment.variables.iter().map(|(name, value)| (name, value)));
    let mut running = Running::program(&mut command)?;
    while TcpStream::connect(&options.listen).is_err() {
        ensure!(!running.has_ended()?, "spin did not start: see its output above");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(running)
}

fn serve_embedded(options: &Options, environment: &AppEnvironment) -> Result<(Running, String)> {
    let mut arguments = vec!["up", "--listen", &options.listen];
    if let Some(file) = &options.runtime_config_file {
        arguments.extend(["--runtime-config-file", file]);
    }
    let (running, ready) = Running::host(&arguments, &environment.variables)?;
    let url = ready.url.clone();
    ready.show_log();
    Ok((running, url))
}

/// Returns the banner: the routes, what is simulated, and two commands to paste.
fn welcome(url: &str, environment: &AppEnvironment) -> Result<String> {
    // Writing to a string cannot fail.
    let mut text = format!("\nServing {url}\n");
    for route in routes(&root().join("spin.toml"))? {
        let _ = writeln!(text, "  {url}{route}");
    }
    if let Some((_, simulated)) = &environment.simulator {
        let _ = write!(
            text,
            "\nNo AI Gateway is configured: every response is SIMULATED, by\n  {simulated}\n\
             Copy .env.example to .env and fill it in to use a real one.\n"
        );
    }
    let admin = match &environment.admin_token {
        Some(token) => {
            let _ = writeln!(text, "\nAdmin token for this run: {token}");
            token.as_str()
        }
        None => "$SPIN_VARIABLE_ADMIN_TOKEN",
    };
    let _ = write!(
        text,
        r#"
Create a team key, then request a chat completion:

  KEY=$(curl -s {url}/tokens -H "authorization: Bearer {admin}" \
    -d '{{"teamId": "blue", "name": "Blue team"}}' | sed 's/.*"apiKey":"\([^"]*\)".*/\1/')

  curl {url}/openai/chat/completions -H "authorization: Bearer $KEY" \
    -H 'content-type: application/json' \
    -d '{{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hello!"}}]}}'

Press Ctrl-C to stop.
"#
    );
    Ok(text)
}

/// Returns the routes of the manifest, as written there.
fn routes(manifest: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(manifest).context("cannot read spin.toml")?;
    let values = text.lines().filter_map(|line| line.strip_prefix("route = "));
    Ok(values.map(|value| value.trim_matches('"').to_owned()).collect())
}

/// Returns a flag that Ctrl-C or a termination signal sets, so that the caller can stop its programs.
fn signalled() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    ctrlc::set_handler(move || raised.store(true, Ordering::Relaxed))?;
    Ok(flag)
}
