//! `cargo xtask up`: serves the app. Settings that are missing are simulated, so that the first run
//! needs no account.

use std::fmt::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ::settings::Values;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Args;

use crate::cargo::{build_components, build_host, root, target_folder};
use crate::process::Running;
use crate::settings::{self, VariablesFile, is_set};
use crate::{print, say};

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
    admin_token: Option<String>,
    simulator: Option<(Running, String)>,
}

/// Builds and serves the app until Ctrl-C.
pub(crate) fn up(options: &Options) -> Result<()> {
    let given = settings::given();
    let has_ai_gateway =
        is_set(&given, "ai_gateway_url")? || is_set(&given, "ai_gateway_account_id")?;
    let use_spin = !options.embedded && has_spin()?;
    let features = features(options, use_spin, has_ai_gateway);
    say("Step 1 of 3: building the components (about a minute the first time)");
    build_components()?;
    let host = if features.is_empty() {
        None
    } else {
        say("Step 2 of 3: building what serves them (one to two minutes the first time)");
        Some(build_host(&features)?)
    };
    say("Step 3 of 3: starting (compiles the components the first time)");
    // From here on, a signal must not end this program before it has deleted the file with the variables.
    let signalled = signalled()?;
    let (given, environment) =
        AppEnvironment::make(given, host.as_deref().filter(|_| !has_ai_gateway))?;
    let variables = VariablesFile::create(&given)?;
    let (app, url) = match host.filter(|_| !use_spin) {
        Some(host) => serve_embedded(&host, options, &variables)?,
        None => (serve_with_spin(options, &variables)?, format!("http://{}", options.listen)),
    };
    // The host reads it once, before it listens.
    drop(variables);
    print(&welcome(&url, &environment)?);
    app.wait_unless(&signalled)
}

/// Returns the parts of the embedded host that are needed: each takes time to build.
fn features(options: &Options, use_spin: bool, has_ai_gateway: bool) -> Vec<&'static str> {
    let mut features = Vec::new();
    if !has_ai_gateway {
        features.push("simulator");
    }
    if !use_spin {
        features.push("host");
        features.extend(has_ai_gateway.then_some("tls"));
        features.extend(options.runtime_config_file.is_some().then_some("redis"));
    }
    features
}

/// The minimum length of an admin token, which the app enforces, too.
const MIN_ADMIN_TOKEN: usize = 32;

impl AppEnvironment {
    /// Completes the `given` settings, and starts the simulated AI Gateway of the embedded host
    /// `simulator`, if one is to be used.
    fn make(mut given: Values, simulator: Option<&Path>) -> Result<(Values, Self)> {
        let mut set = |name: &str, value: &str| given.insert(name.to_owned(), value.to_owned());
        let simulator = if let Some(host) = simulator {
            let (running, ready) = Running::host(host, &["simulate"])?;
            let url = ready.url.clone();
            ready.hide_log();
            set("ai_gateway_host", &origin(&url)?);
            set("ai_gateway_url", &url);
            set("ai_gateway_token", SIMULATED_TOKEN);
            set("azure_resource_name", "simulated-resource");
            Some((running, url))
        } else {
            None
        };
        if let (Some(url), None) = (
            settings::value(&given, "ai_gateway_url")?,
            settings::value(&given, "ai_gateway_host")?,
        ) {
            given.insert("ai_gateway_host".to_owned(), origin(&url)?);
        }
        let admin_token = match settings::value(&given, "admin_token")? {
            Some(token) if token.len() < MIN_ADMIN_TOKEN => {
                bail!("SPIN_VARIABLE_ADMIN_TOKEN must have at least {MIN_ADMIN_TOKEN} characters")
            }
            Some(_) => None,
            None => {
                let token = random_token()?;
                given.insert("admin_token".to_owned(), token.clone());
                Some(token)
            }
        };
        Ok((given, Self { admin_token, simulator }))
    }
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

/// The first version of Spin that reads variables from a file.
const MIN_SPIN: (u32, u32) = (3, 4);

/// Checks whether `spin` is installed.
///
/// # Errors
/// It is too old.
fn has_spin() -> Result<bool> {
    let Ok(output) = Command::new("spin").arg("--version").output() else { return Ok(false) };
    let Some(version) = spin_version(&String::from_utf8_lossy(&output.stdout)) else {
        return Ok(false);
    };
    let (major, minor) = MIN_SPIN;
    ensure!(
        version >= MIN_SPIN,
        "`cargo xtask up` needs Spin {major}.{minor} or later: update it, or add --embedded"
    );
    Ok(true)
}

/// Reads Spin's version. Another program of that name, a model checker, says something else.
fn spin_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("spin ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn serve_with_spin(options: &Options, variables: &VariablesFile) -> Result<Running> {
    let mut command = Command::new("spin");
    command.current_dir(root()).args(["up", "--listen", &options.listen]);
    if let Some(file) = &options.runtime_config_file {
        command.args(["--runtime-config-file", file]);
    }
    command.args(variables.arguments());
    let mut running = Running::program(&mut command)?;
    while TcpStream::connect(&options.listen).is_err() {
        ensure!(!running.has_ended()?, "spin did not start: see its output above");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(running)
}

/// Serves the app with the embedded host at `host`, which keeps the compiled components.
fn serve_embedded(
    host: &Path,
    options: &Options,
    variables: &VariablesFile,
) -> Result<(Running, String)> {
    let cache = target_folder().join("components");
    let cache = cache.to_str().context("the target folder has no name in UTF-8")?;
    let [option, variables] = variables.arguments();
    let mut arguments = vec!["up", "--listen", &options.listen, "--cache-dir", cache];
    arguments.extend([option.as_str(), &variables]);
    if let Some(file) = &options.runtime_config_file {
        arguments.extend(["--runtime-config-file", file]);
    }
    let (running, ready) = Running::host(host, &arguments)?;
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
Manage keys on the page {url}/admin, or create one here and request a chat completion:

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spin_version_is_that_of_the_framework() {
        for (text, expected) in [
            ("spin 3.6.2 (abc 2026-02-25)\n", Some((3, 6))),
            ("spin 4.1.0-pre0 (abc 2026-08-21)\n", Some((4, 1))),
            ("Spin Version 6.5.2 -- 6 December 2019\n", None),
            ("", None),
        ] {
            assert_eq!(spin_version(text), expected, "{text}");
        }
    }
}
