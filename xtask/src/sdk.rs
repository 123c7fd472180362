//! Tests the app with the providers' real SDKs, installed from lock files into folders of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::cargo::{build_components, build_test_host, root};
use crate::ci::TestOptions;
use crate::process::Running;
use crate::say;
use crate::settings::VariablesFile;
use crate::up::origin;

const ADMIN_TOKEN: &str = "admin-token-of-the-sdk-tests-0123456789";

/// Starts the app with the simulated AI Gateway as its upstream, and runs all suites.
pub(crate) fn test(options: &TestOptions) -> Result<()> {
    require("node", "Node.js 20 or later")?;
    require("npm", "npm, which comes with Node.js")?;
    require("python3", "Python 3.11 or later")?;
    build_components()?;
    let state = tempfile::tempdir()?;
    let host = build_test_host()?;
    let (_simulator, simulated) = Running::host(&host, &["simulate"])?;
    let upstream = simulated.url.clone();
    simulated.hide_log();
    let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let given = [
        setting("ai_gateway_host", &origin(&upstream)?),
        setting("ai_gateway_url", &upstream),
        setting("ai_gateway_token", "simulated-gateway-token"),
        setting("admin_token", ADMIN_TOKEN),
        setting("azure_resource_name", "simulated-resource"),
        setting("cors_origins", "*"),
        setting("aws_access_key_id", "AKIASIMULATED0000000"),
        setting("aws_secret_access_key", "provider-key-bedrock-secret"),
        setting("aws_session_token", "simulated-session-token"),
        setting(
            "model_aliases",
            r#"{"fast": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"]}"#,
        ),
        setting(
            "bedrock_model_aliases",
            r#"{"claude": "anthropic.claude-sonnet-4-5-20250929-v1:0"}"#,
        ),
    ];
    let file = VariablesFile::create(&given.into_iter().collect())?;
    let [option, variables] = file.arguments();
    let folder = state.path().display().to_string();
    let arguments = ["up", "--listen", "127.0.0.1:0", "--state-dir", &folder, &option, &variables];
    let (_app, app) = Running::host(&host, &arguments)?;
    let variables = [
        ("GATEWAY_URL", app.url.clone()),
        ("SIMULATOR_URL", origin(&upstream)?),
        ("ADMIN_TOKEN", ADMIN_TOKEN.to_owned()),
        ("SKIP_BROWSER", u8::from(options.skip_browser).to_string()),
    ];
    app.hide_log();

    test_node(&variables)?;
    test_monitoring(&variables)?;
    test_python(&variables)?;
    if options.skip_agents {
        say("Skipping the coding agents");
        return Ok(());
    }
    test_agents(&variables)
}

fn test_node(variables: &[(&str, String)]) -> Result<()> {
    let folder = root().join("tests/sdk/node");
    install_node(&folder)?;
    say("Testing with the SDKs for Node.js");
    run(Command::new("node").arg("--test").current_dir(&folder).envs(variables.iter().cloned()))
}

fn test_monitoring(variables: &[(&str, String)]) -> Result<()> {
    let folder = root().join("tests/sdk/otel");
    install_node(&folder)?;
    say("Testing deploy/otel and /metrics");
    run(Command::new("node").arg("--test").current_dir(&folder).envs(variables.iter().cloned()))
}

fn test_python(variables: &[(&str, String)]) -> Result<()> {
    let folder = root().join("tests/sdk/python");
    let python = install_python(&folder)?;
    say("Testing with the SDKs for Python");
    let pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"];
    run(Command::new(python).args(pytest).current_dir(&folder).envs(variables.iter().cloned()))
}

fn test_agents(variables: &[(&str, String)]) -> Result<()> {
    let folder = root().join("tests/sdk/agents");
    install_node(&folder)?;
    install_python(&folder)?;
    say("Testing with coding agents");
    run(Command::new("node").arg("--test").current_dir(&folder).envs(variables.iter().cloned()))
}

fn install_node(folder: &Path) -> Result<()> {
    install(&folder.join("package-lock.json"), &folder.join("node_modules"), || {
        run(Command::new("npm").arg("ci").args(["--no-audit", "--no-fund"]).current_dir(folder))
    })
}

/// Installs the packages of `folder` and returns the Python that has them.
fn install_python(folder: &Path) -> Result<PathBuf> {
    let environment = folder.join(".venv");
    let python = environment.join("bin/python");
    install(&folder.join("requirements.txt"), &environment, || {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let pip = ["-m", "pip", "install", "--quiet"];
        // The lock file lists every package with its hash, so pip must not resolve any itself.
        let locked = ["--no-deps", "--require-hashes", "-r", "requirements.txt"];
        run(Command::new(&python).args(pip).args(locked).current_dir(folder))
    })?;
    Ok(python)
}

/// Installs the packages in the `lock` file into `folder`, unless they were installed from the same
/// lock file before.
fn install(lock: &Path, folder: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join(".installed-lock");
    let wanted = std::fs::read(lock).with_context(|| format!("cannot read {}", lock.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say(&format!("Installing {}", lock.display()));
    install()?;
    // Written last: an installation that was interrupted is repeated.
    std::fs::write(stamp, wanted)?;
    Ok(())
}

/// Checks that `program` is installed.
fn require(program: &str, what: &str) -> Result<()> {
    let found = Command::new(program).arg("--version").output();
    ensure!(
        found.is_ok_and(|output| output.status.success()),
        "the SDK tests need `{program}` ({what}): install it, or pass --skip-sdk"
    );
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {name}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
