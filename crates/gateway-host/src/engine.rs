//! Compiled components and what surrounds their instances.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi::cli::OutputFile;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use crate::allowed_hosts::AllowedHost;
use crate::bindings::fermyon::spin::{key_value, variables};
use crate::instance::{Instance, Spin};
use crate::manifest::Declared;
use crate::outbound::{Client, Hooks};
use crate::store::Backend;
use crate::variables::Values;

/// Instances that may live at once; Spin's default.
const INSTANCES: u32 = 1000;

/// Bytes of a slot's memory that are cleared rather than given back to the system between uses.
const KEPT_RESIDENT: usize = 1024 * 1024;

/// What instances share with others and with the host.
pub(crate) struct Surroundings {
    pub(crate) store: Backend,
    pub(crate) outbound: Client,
    pub(crate) log: Option<OutputFile>,
}

/// A component, compiled and linked, with what the manifest allows it.
pub(crate) struct Component {
    pub(crate) pre: ProxyPre<Instance>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) stores: BTreeSet<String>,
    allowed_hosts: Arc<[AllowedHost]>,
    surroundings: Surroundings,
}

/// Compiles components and links what they import, each file once, however many apps serve it: one
/// that is built anew meanwhile is served as it was.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "compiled components have nothing to show")]
pub struct Compiler {
    linker: Arc<Linker<Instance>>,
    compiled: Arc<Mutex<HashMap<PathBuf, ProxyPre<Instance>>>>,
}

impl Compiler {
    /// A compiler that has compiled nothing yet.
    ///
    /// # Errors
    /// The machine has no room for the instances.
    pub fn new() -> Result<Self> {
        let linker = Arc::new(linker(&new_engine()?)?);
        Ok(Self { linker, compiled: Arc::default() })
    }

    fn compile(&self, source: &Path) -> Result<ProxyPre<Instance>> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(source) {
            return Ok(known.clone());
        }
        let wasm = wasmtime::component::Component::from_file(self.linker.engine(), source)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("cannot compile {}; is it built?", source.display()))?;
        let pre = ProxyPre::new(self.linker.instantiate_pre(&wasm)?)?;
        compiled.insert(source.to_owned(), pre.clone());
        Ok(pre)
    }
}

fn new_engine() -> Result<Engine> {
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
    Ok(Engine::new(&config)?)
}

/// Links what every instance may import: WASI 0.2, HTTP and Spin's two interfaces.
fn linker(engine: &Engine) -> Result<Linker<Instance>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    key_value::add_to_linker::<_, Spin>(&mut linker, |instance| instance)?;
    variables::add_to_linker::<_, Spin>(&mut linker, |instance| instance)?;
    Ok(linker)
}

impl Component {
    pub(crate) fn load(
        compiler: &Compiler,
        folder: &Path,
        declared: &Declared,
        values: &Values,
        surroundings: Surroundings,
    ) -> Result<Self> {
        let allowed_hosts = declared.allowed_outbound_hosts.iter().map(|pattern| {
            let pattern = values.expand(pattern)?;
            AllowedHost::parse(&pattern)
        });
        let variables = declared.variables.iter().map(|(name, template)| {
            let value = values.expand(template).with_context(|| format!("variable {name:?}"))?;
            Ok((name.clone(), value))
        });
        Ok(Self {
            pre: compiler.compile(&folder.join(&declared.source))?,
            variables: variables.collect::<Result<_>>()?,
            stores: declared.key_value_stores.iter().cloned().collect(),
            allowed_hosts: allowed_hosts.collect::<Result<_>>()?,
            surroundings,
        })
    }

    pub(crate) fn store(&self) -> &Backend {
        &self.surroundings.store
    }

    pub(crate) fn hooks(&self) -> Hooks {
        Hooks::new(self.surroundings.outbound.clone(), self.allowed_hosts.clone())
    }

    /// A guest sees no files, no sockets and no environment: only its output goes anywhere.
    pub(crate) fn wasi(&self) -> WasiCtx {
        let mut builder = WasiCtxBuilder::new();
        let builder = match &self.surroundings.log {
            Some(file) => builder.stdout(file.clone()).stderr(file.clone()),
            None => builder.inherit_stdout().inherit_stderr(),
        };
        builder.build()
    }
}
