//! Runs the app of `spin.toml` without Spin.
//!
//! The host reads the same manifest and runs the same wasm, one instance per request. Like Spin, it
//! rejects an undeclared host, store or variable, and headers that a guest may not set.

mod allowed_hosts;
mod bindings;
mod chaining;
mod clock;
mod counters;
mod engine;
mod instance;
mod manifest;
mod outbound;
mod routes;
mod runtime_config;
mod server;
mod store;
mod variable_source;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use wasmtime_wasi::cli::OutputFile;

pub use crate::host::clock::Clock;
pub use crate::host::engine::Compiler;
pub use crate::host::variable_source::VariableSource;
pub use crate::host::variables::{environment, environment_name};

use crate::host::engine::Component;
use crate::host::routes::Routes;
use crate::host::runtime_config::RuntimeConfig;

/// Where to find the app, and the environment to run it in.
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "compiled components have nothing to show")]
pub struct Options {
    /// The path of the manifest. The wasm paths in it are relative to its folder.
    pub manifest: PathBuf,
    /// Values of application variables, which take precedence over all others.
    pub variables: BTreeMap<String, String>,
    /// Environment variables that set application variables ([`environment`]). Tests give none, so that
    /// the developer's own settings cannot change their outcome.
    pub environment: BTreeMap<String, String>,
    /// The path of Spin's runtime configuration, which may configure the key-value store and values of
    /// application variables.
    pub runtime_config: Option<PathBuf>,
    /// The folder of the default store. Without one it is `.spin` next to the manifest, as in Spin.
    pub state_dir: Option<PathBuf>,
    /// A folder for compiled components, so that a later start need not compile them again.
    pub cache: Option<PathBuf>,
    /// A file to append the components' output to, instead of standard output.
    pub log_file: Option<PathBuf>,
    /// The clock of the components, instead of the system's.
    pub clock: Option<Clock>,
    /// A compiler shared with other apps, so that each file is compiled only once.
    pub compiler: Option<Compiler>,
}

/// A compiled app that is ready to serve requests.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "compiled components have nothing to show")]
pub struct Host {
    routes: Arc<Routes<Arc<Component>>>,
    /// Kept, because a component without a route can still be called by another one.
    _components: Vec<Arc<Component>>,
    store: store::Backend,
    peak_memory: Arc<AtomicUsize>,
    calls: Arc<AtomicU64>,
}

impl Host {
    /// Reads the manifest, resolves its variables and compiles its components.
    ///
    /// # Errors
    /// The manifest, a variable, the store or a component is invalid. Spin would not start the app
    /// either.
    pub async fn load(options: &Options) -> Result<Self> {
        let manifest = manifest::read(&options.manifest)?;
        let folder = options.manifest.parent().unwrap_or(Path::new("."));
        // Components are compiled last: a missing variable or an unreachable store is reported
        // without waiting for the compiler.
        let config = RuntimeConfig::read(options.runtime_config.as_deref())?;
        let state_dir = options.state_dir.clone().unwrap_or_else(|| folder.join(".spin"));
        let store = store::open(config.store(), &state_dir).await?;
        let values = variables::resolve(&manifest, options, config.variables_providers)?;
        let values = Arc::new(values);
        let compiler = match &options.compiler {
            Some(compiler) => compiler.clone(),
            None => Compiler::new(options.cache.as_deref())?,
        };
        let outbound = outbound::Client::new();
        let log = options.log_file.as_deref().map(open_log).transpose()?;

        let (peak_memory, host_calls) = (Arc::<AtomicUsize>::default(), Arc::default());
        let siblings = chaining::Siblings::default();
        let mut components = BTreeMap::new();
        for (id, declared) in &manifest.components {
            let shared = engine::SharedResources {
                store: store.clone(),
                outbound: outbound.clone(),
                log: log.clone(),
                peak_memory: peak_memory.clone(),
                host_calls: Arc::clone(&host_calls),
                clock: options.clock.clone(),
                siblings: siblings.clone(),
            };
            let component = Component::load(&compiler, folder, declared, &values, shared)
                .with_context(|| format!("component {id:?}"))?;
            components.insert(id.as_str(), Arc::new(component));
        }
        siblings.set(&components);
        let routes = Routes::new(manifest.trigger.http.iter().map(|trigger| {
            let component = components.get(trigger.component.as_str()).cloned();
            component
                .with_context(|| {
                    format!(
                        "route {:?} names component {:?}, which the manifest does not declare",
                        trigger.route, trigger.component
                    )
                })
                .map(|component| (trigger.route.clone(), component))
        }))?;
        let components = components.into_values().collect();
        Ok(Self {
            routes: Arc::new(routes),
            _components: components,
            store,
            peak_memory,
            calls: host_calls,
        })
    }

    /// Lists the routes of the app as the manifest declares them.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.routes.patterns()
    }

    /// Returns the number of key-value store operations that the components have made.
    pub fn store_operations(&self) -> u64 {
        self.store.operations()
    }

    /// Returns the number of calls that instances have made to the host: each costs time.
    pub fn host_calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Returns the largest linear memory in bytes that an instance has had since the last call.
    pub fn take_peak_memory(&self) -> usize {
        self.peak_memory.swap(0, Ordering::Relaxed)
    }

    /// Serves the connections of `listener` until the future is dropped.
    pub async fn serve(self, listener: TcpListener) {
        server::serve(self.routes, listener).await;
    }
}

/// Opens the log file for appending, so that apps that share a file keep each other's lines.
fn open_log(path: &Path) -> Result<OutputFile> {
    let file = std::fs::File::options().create(true).append(true).open(path);
    Ok(OutputFile::new(file.with_context(|| format!("cannot open {}", path.display()))?))
}
