//! The app under test: its addresses, its store and its log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use gateway_host::simulator::{BASE_PATH, Simulator, TOKEN, bedrock};
use gateway_host::{Clock, Compiler, Host, Options, environment_name};
use serde_json::{Value, json};
use settings::Variables;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::{Client, Response, build_guests, root};

/// The admin token of an app under test.
pub const ADMIN_TOKEN: &str = "admin-token-of-the-tests-0123456789";

/// The models of limited teams, on several lines as an operator might write them.
const LIMITED_MODELS: &str = r#"{
    "openai/gpt-4o": "gpt-4o-mini",
    "google/*": "gemini-2.5-flash-lite",
    "workers-ai/*": "@cf/meta/llama-3.2-1b-instruct",
    "bedrock/*": "nova-micro",
    "*": "small"
}"#;

/// Model aliases of the operator, one of them for an ARN that does not name its model.
const BEDROCK_MODEL_ALIASES: &str = r#"{
    "claude": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "team-claude": {
        "model": "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
        "base": "anthropic.claude-sonnet-4-5-20250929-v1:0"
    }
}"#;

/// A running app with its own store, log and simulated AI Gateway.
#[expect(missing_debug_implementations, reason = "a host has no state to print")]
pub struct App {
    /// Where the app listens.
    pub address: SocketAddr,
    /// Where the simulated AI Gateway listens.
    pub upstream: SocketAddr,
    /// The simulated AI Gateway, which records what it receives.
    pub simulator: Simulator,
    host: Host,
    folder: TempDir,
}

/// The settings in which an app under test differs from the default one.
#[derive(Clone, Debug, Default)]
pub struct Config {
    settings: BTreeMap<String, String>,
    manifest: Option<PathBuf>,
    store: Option<PathBuf>,
    clock: Option<Clock>,
    is_from_environment: bool,
}

impl Config {
    /// Stores keys as the `runtime-config.toml` at `path` configures.
    #[must_use]
    pub fn store(self, path: &Path) -> Self {
        Self { store: Some(path.to_owned()), ..self }
    }

    /// Gives the components this clock.
    #[must_use]
    pub fn clock(self, clock: &Clock) -> Self {
        Self { clock: Some(clock.clone()), ..self }
    }

    /// Sets a setting of the app.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Gives the app its variables as environment variables, and not as those of a file.
    #[must_use]
    pub fn variables_from_environment(self) -> Self {
        Self { is_from_environment: true, ..self }
    }

    /// Sends requests to another upstream than the simulated AI Gateway.
    #[must_use]
    pub fn upstream(self, upstream: SocketAddr) -> Self {
        let origin = format!("http://{upstream}");
        let url = format!("{origin}/v1/account/gateway");
        self.with("ai_gateway_host", &origin).with("ai_gateway_url", &url)
    }

    /// Serves another manifest than `spin.toml`.
    #[must_use]
    pub fn manifest(self, path: &str) -> Self {
        Self { manifest: Some(root().join(path)), ..self }
    }
}

impl App {
    /// Returns the app that most tests of the process share.
    ///
    /// # Panics
    /// The app does not start.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<App> = OnceCell::const_new();
        #[expect(clippy::expect_used, reason = "no test can run without the app")]
        SHARED.get_or_init(|| async { Self::start(Config::default()).await.expect("an app") }).await
    }

    /// Starts an app with its own store, log and simulated AI Gateway.
    ///
    /// # Errors
    /// The components cannot be built, or the host rejects the configuration.
    pub async fn start(config: Config) -> Result<Self> {
        build_guests()?;
        let folder = tempfile::tempdir()?;
        let simulator = Simulator::new();
        let upstream = TcpListener::bind("127.0.0.1:0").await?;
        let upstream_address = upstream.local_addr()?;
        tokio::spawn(simulator.clone().serve(upstream));

        let mut settings = settings(upstream_address);
        settings.extend(config.settings);
        let manifest = config.manifest.unwrap_or_else(|| root().join("spin.toml"));
        let variables = Variables::of_manifest(&std::fs::read_to_string(&manifest)?)?;
        let variables = variables.make(&settings);
        let (variables, environment) = if config.is_from_environment {
            let env = |(name, value): (String, String)| (environment_name(&name), value);
            (BTreeMap::new(), variables.into_iter().map(env).collect())
        } else {
            (variables, BTreeMap::new())
        };
        let options = Options {
            variables,
            environment,
            manifest,
            state_dir: Some(folder.path().to_owned()),
            runtime_config: config.store,
            log_file: Some(folder.path().join("log")),
            compiler: Some(compiler()?),
            clock: config.clock,
            ..Options::default()
        };
        let host = Host::load(&options).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(host.clone().serve(listener));
        Ok(Self { address, upstream: upstream_address, simulator, host, folder })
    }

    /// Returns a client of the app.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Creates a key for `team` and returns the app's record of it.
    ///
    /// # Errors
    /// The status is not 201.
    pub async fn create(&self, team: &str) -> Result<Value> {
        self.create_with(&json!({"teamId": team, "name": team})).await
    }

    /// Creates a key from the fields in `body` and returns the app's record of it.
    ///
    /// # Errors
    /// The status is not 201.
    pub async fn create_with(&self, body: &Value) -> Result<Value> {
        let request =
            Client::post("/tokens", body).header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        let response = self.client().send(request).await?;
        anyhow::ensure!(response.status == 201, "no key: {response:?}");
        Ok(serde_json::from_slice(&response.body)?)
    }

    /// Sends a request with the admin token.
    ///
    /// # Errors
    /// There is no response.
    pub async fn admin(&self, method: &str, target: &str, body: &str) -> Result<Response> {
        let request = Client::request(method, target)
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
            .body(body.to_owned());
        self.client().send(request).await
    }

    /// Creates a key for `team` with `limits` and returns the key and its id.
    ///
    /// # Errors
    /// The status is not 201.
    pub async fn limited_key(&self, team: &str, limits: Value) -> Result<(String, String)> {
        let created = self.create_with(&json!({"teamId": team, "limits": limits})).await?;
        let text = |name: &str| {
            let field = created.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
            field.with_context(|| format!("{name} is not a string"))
        };
        Ok((text("apiKey")?, text("id")?))
    }

    /// Creates a key for `team` and returns the key alone.
    ///
    /// # Errors
    /// The status is not 201.
    pub async fn key(&self, team: &str) -> Result<String> {
        let created = self.create(team).await?;
        let key = created.get("apiKey").and_then(Value::as_str);
        Ok(key.context("apiKey is not a string")?.to_owned())
    }

    /// Creates a key for `team` that may call any operation, and returns the key alone.
    ///
    /// # Errors
    /// The status is not 201.
    pub async fn account_key(&self, team: &str) -> Result<String> {
        let created = self.create_with(&json!({"teamId": team, "account": true})).await?;
        let key = created.get("apiKey").and_then(Value::as_str);
        Ok(key.context("apiKey is not a string")?.to_owned())
    }

    /// Returns the number of operations that the components have made on the key-value store.
    pub fn store_operations(&self) -> u64 {
        self.host.store_operations()
    }

    /// Returns the number of calls that the components have made to the host.
    pub fn host_calls(&self) -> u64 {
        self.host.host_calls()
    }

    /// Returns the largest linear memory in bytes that an instance has had since the last call.
    pub fn take_peak_memory(&self) -> usize {
        self.host.take_peak_memory()
    }

    /// Returns the path of the key-value store's file.
    pub fn store_file(&self) -> PathBuf {
        self.folder.path().join("sqlite_key_value.db")
    }

    /// Returns what the components have logged so far.
    pub fn log(&self) -> String {
        read(&self.folder.path().join("log"))
    }
}

/// Returns the compiler that all apps of the process share, so that each component is compiled once.
fn compiler() -> Result<Compiler> {
    static COMPILER: OnceLock<Result<Compiler, String>> = OnceLock::new();
    let made = COMPILER.get_or_init(|| Compiler::new(None).map_err(|error| format!("{error:#}")));
    made.clone().map_err(anyhow::Error::msg)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn settings(upstream: SocketAddr) -> BTreeMap<String, String> {
    [
        ("ai_gateway_host", format!("http://{upstream}")),
        ("ai_gateway_url", format!("http://{upstream}{BASE_PATH}")),
        ("ai_gateway_token", TOKEN.to_owned()),
        ("admin_token", ADMIN_TOKEN.to_owned()),
        ("azure_resource_name", "simulated-resource".to_owned()),
        ("aws_access_key_id", bedrock::ACCESS_KEY_ID.to_owned()),
        ("aws_secret_access_key", bedrock::SECRET_ACCESS_KEY.to_owned()),
        ("aws_session_token", bedrock::SESSION_TOKEN.to_owned()),
        ("bedrock_model_aliases", BEDROCK_MODEL_ALIASES.to_owned()),
        ("limited_models", LIMITED_MODELS.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
