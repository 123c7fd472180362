//! Compiles components and keeps what their instances share.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use wasmtime::PoolingAllocationConfig;
use wasmtime::component::Linker;
use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy};
use wasmtime_wasi::cli::OutputFile;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::host::allowed_hosts::AllowedHost;
use crate::host::bindings::fermyon::spin::{key_value, variables};
use crate::host::bindings::wasi::keyvalue;
use crate::host::chaining::Siblings;
use crate::host::clock::Clock;
use crate::host::instance::{Instance, SpinInterfaces};
use crate::host::manifest::DeclaredComponent;
use crate::host::outbound::{Client, Hooks};
use crate::host::store::Backend;
use crate::host::variables::Values;

/// Maximum number of instances at a time; Spin's default.
const INSTANCES: u32 = 1000;

/// Bytes of a slot's memory that are zeroed between uses rather than returned to the system, which
/// would cause a page fault for each page of the next instance.
const KEPT_RESIDENT: usize = 1024 * 1024;

/// What the instances of a component share with each other and with the host.
pub(crate) struct SharedResources {
    pub(crate) store: Backend,
    pub(crate) outbound: Client,
    pub(crate) log: Option<OutputFile>,
    pub(crate) peak_memory: Arc<AtomicUsize>,
    pub(crate) host_calls: Arc<AtomicU64>,
    pub(crate) clock: Option<Clock>,
    pub(crate) siblings: Siblings,
}

/// A compiled and linked component, with the access that the manifest grants it.
pub(crate) struct Component {
    pub(crate) pre: ProxyPre<Instance>,
    /// The templates of the component's variables.
    templates: BTreeMap<String, String>,
    values: Arc<Values>,
    pub(crate) stores: BTreeSet<String>,
    allowed_hosts: Arc<[AllowedHost]>,
    shared: SharedResources,
}

/// Compiles components and links their imports. Each file is compiled once, however many apps use
/// it; a file that is rebuilt later is not reloaded.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "compiled components have nothing to show")]
pub struct Compiler {
    linker: Arc<Linker<Instance>>,
    compiled: Arc<Mutex<HashMap<PathBuf, ProxyPre<Instance>>>>,
}

impl Compiler {
    /// Creates a compiler, which keeps what it compiles in the folder `cache`, if one is given.
    ///
    /// # Errors
    /// The memory for the pool of instances cannot be reserved.
    pub fn new(cache: Option<&Path>) -> Result<Self> {
        let linker = Arc::new(linker(&new_engine(cache)?)?);
        Ok(Self { linker, compiled: Arc::default() })
    }

    /// Compiles the file `source`, or returns the result of an earlier compilation.
    fn compile(&self, source: &Path) -> Result<ProxyPre<Instance>> {
        // The lock is kept while compiling, so that apps loaded concurrently do not compile one
        // file twice. A panic cannot leave the map half changed.
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(source) {
            return Ok(known.clone());
        }
        let wasm = wasmtime::component::Component::from_file(self.linker.engine(), source)
            .map_err(anyhow::Error::from)
            .with_context(|| {
                format!("cannot compile {}: build the components first", source.display())
            })?;
        let pre = ProxyPre::new(self.linker.instantiate_pre(&wasm)?)?;
        compiled.insert(source.to_owned(), pre.clone());
        Ok(pre)
    }
}

/// Creates an engine that takes instances from a pool, as Spin does, so that starting one is cheap.
fn new_engine(cache: Option<&Path>) -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(4 * INSTANCES)
        .total_memories(INSTANCES)
        .total_tables(2 * INSTANCES)
        .total_stacks(INSTANCES)
        .linear_memory_keep_resident(KEPT_RESIDENT)
        .table_keep_resident(KEPT_RESIDENT);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    if let Some(folder) = cache {
        let mut cache = CacheConfig::new();
        cache.with_directory(std::path::absolute(folder)?);
        config.cache(Some(Cache::new(cache)?));
    }
    Ok(Engine::new(&config)?)
}

/// Builds a linker of everything an instance may import: WASI 0.2, WASI HTTP, and Spin's key-value
/// and variables interfaces. Every other import fails when the app is loaded.
fn linker(engine: &Engine) -> Result<Linker<Instance>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    key_value::add_to_linker::<_, SpinInterfaces>(&mut linker, |instance| instance)?;
    variables::add_to_linker::<_, SpinInterfaces>(&mut linker, |instance| instance)?;
    keyvalue::store::add_to_linker::<_, SpinInterfaces>(&mut linker, |instance| instance)?;
    keyvalue::atomics::add_to_linker::<_, SpinInterfaces>(&mut linker, |instance| instance)?;
    Ok(linker)
}

impl Component {
    /// Compiles a component and checks the templates in its declaration.
    pub(crate) fn load(
        compiler: &Compiler,
        folder: &Path,
        declared: &DeclaredComponent,
        values: &Arc<Values>,
        shared: SharedResources,
    ) -> Result<Self> {
        let allowed_hosts = declared.allowed_outbound_hosts.iter().map(|pattern| {
            let pattern = values.expand(pattern)?;
            AllowedHost::parse(&pattern)
        });
        for (name, template) in &declared.variables {
            values.expand(template).with_context(|| format!("cannot expand variable {name:?}"))?;
        }
        Ok(Self {
            pre: compiler.compile(&folder.join(&declared.source))?,
            templates: declared.variables.clone(),
            values: values.clone(),
            stores: declared.key_value_stores.iter().cloned().collect(),
            allowed_hosts: allowed_hosts.collect::<Result<_>>()?,
            shared,
        })
    }

    /// Returns the key-value store.
    pub(crate) fn store(&self) -> &Backend {
        &self.shared.store
    }

    /// Records that an instance has called the host.
    pub(crate) fn note_host_call(&self) {
        self.shared.host_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that an instance has `bytes` of linear memory.
    pub(crate) fn note_memory(&self, bytes: usize) {
        self.shared.peak_memory.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Returns the value of a variable of the component, if it has one of that name.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        // The template was expanded when the component was loaded, so it is valid.
        self.templates.get(name).and_then(|template| self.values.expand(template).ok())
    }

    /// Creates the handler of an instance's outgoing requests.
    pub(crate) fn hooks(&self) -> Hooks {
        let shared = &self.shared;
        let (outbound, siblings) = (shared.outbound.clone(), shared.siblings.clone());
        Hooks::new(outbound, siblings, self.allowed_hosts.clone(), self.values.clone())
    }

    /// Creates the WASI context of an instance. It grants no files, sockets or environment
    /// variables, only standard output and standard error.
    pub(crate) fn wasi(&self) -> WasiCtx {
        let mut builder = WasiCtxBuilder::new();
        let builder = match &self.shared.log {
            Some(file) => builder.stdout(file.clone()).stderr(file.clone()),
            None => builder.inherit_stdout().inherit_stderr(),
        };
        if let Some(clock) = &self.shared.clock {
            builder.wall_clock(clock.clone());
        }
        builder.build()
    }
}
