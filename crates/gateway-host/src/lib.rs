//! Runs `spin.toml` without Spin, and stands in for Cloudflare AI Gateway: for development and
//! tests. Production is Spin.
//!
//! The host reads the same manifest, runs the same wasm, one instance per request, and refuses
//! what Spin refuses: an undeclared host, store or variable, and headers a guest may not set.

mod allowed_hosts;
mod bindings;
mod engine;
mod instance;
mod manifest;
mod outbound;
mod routes;
mod server;
pub mod simulator;
mod store;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use wasmtime_wasi::cli::OutputFile;

pub use crate::engine::Compiler;

use crate::engine::Component;
use crate::routes::Routes;

/// Where the app is and what surrounds it.
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "compiled components have nothing to show")]
pub struct Options {
    /// The manifest; wasm paths in it are relative to its folder.
    pub manifest: PathBuf,
    /// Values that come before the environment's.
    pub variables: BTreeMap<String, String>,
    /// Whether `SPIN_VARIABLE_*` and `.env` count. Tests leave them out.
    pub use_environment: bool,
    /// Spin's runtime configuration, for the key-value store.
    pub runtime_config: Option<PathBuf>,
    /// The folder of the default store; Spin's is `.spin` beside the manifest.
    pub state_dir: Option<PathBuf>,
    /// A file the components' output goes to, in place of standard output.
    pub log_file: Option<PathBuf>,
    /// A compiler that other apps use too, so that each file is compiled once.
    pub compiler: Option<Compiler>,
}

/// An app, compiled and ready to serve.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "compiled components have nothing to show")]
pub struct Host {
    routes: Arc<Routes<Arc<Component>>>,
    store: store::Backend,
}

impl Host {
    /// Reads the manifest, resolves its variables and compiles its components.
    ///
    /// # Errors
    /// Whatever would keep Spin from starting the app, and says so.
    pub async fn load(options: &Options) -> Result<Self> {
        let manifest = manifest::read(&options.manifest)?;
        let folder = options.manifest.parent().unwrap_or(Path::new("."));
        let values = variables::resolve(&manifest, options)?;
        let store = store::open(options, folder).await?;
        let compiler = match &options.compiler {
            Some(compiler) => compiler.clone(),
            None => Compiler::new()?,
        };
        let outbound = outbound::Client::new();
        let log = options.log_file.as_deref().map(open_log).transpose()?;

        let mut components = BTreeMap::new();
        for (id, declared) in &manifest.components {
            let surroundings = engine::Surroundings {
                store: store.clone(),
                outbound: outbound.clone(),
                log: log.clone(),
            };
            let component = Component::load(&compiler, folder, declared, &values, surroundings)
                .with_context(|| format!("component {id:?}"))?;
            components.insert(id.as_str(), Arc::new(component));
        }
        let routes = Routes::new(manifest.trigger.http.iter().map(|trigger| {
            let component = components.get(trigger.component.as_str()).cloned();
            component
                .with_context(|| format!("route {:?}: no such component", trigger.route))
                .map(|component| (trigger.route.clone(), component))
        }))?;
        Ok(Self { routes: Arc::new(routes), store })
    }

    /// The routes of the app, as the manifest gives them.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.routes.patterns()
    }

    /// How often the components have asked the key-value store for anything.
    pub fn store_operations(&self) -> u64 {
        self.store.operations()
    }

    /// Serves connections of `listener` until the task is dropped.
    pub async fn serve(self, listener: TcpListener) {
        server::serve(self.routes, listener).await;
    }
}

fn open_log(path: &Path) -> Result<OutputFile> {
    let file = std::fs::File::options().create(true).append(true).open(path);
    Ok(OutputFile::new(file.with_context(|| format!("cannot open {}", path.display()))?))
}
