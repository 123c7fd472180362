//! The conditions of the measurements: the machine, the versions, sizes and memory.

use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context as _, Result};
use support::{memory, root};

use crate::compared::Compared;
use crate::counting::Counted;

/// The facts that the report states in addition to the measurements.
pub(crate) struct Facts {
    pub(crate) machine: String,
    pub(crate) versions: String,
    /// The names of the components and the sizes of their wasm in bytes.
    pub(crate) sizes: Vec<(String, u64)>,
    /// Requests that end at later and later stages of the gateway, with their milliseconds.
    pub(crate) stages: Vec<(&'static str, f64)>,
    /// The cost of requests that are counted.
    pub(crate) counting: Vec<Counted>,
    /// The cost of the one base URL.
    pub(crate) routed: Vec<Compared>,
    /// The cost of variables in the environment.
    pub(crate) environment: Vec<Compared>,
    /// Bytes of memory of the process when all components are compiled.
    pub(crate) idle: Option<u64>,
    /// Peak of those bytes while 64 streams were open.
    pub(crate) streaming: Option<u64>,
}

impl Facts {
    pub(crate) fn gather() -> Result<Self> {
        Ok(Self {
            machine: machine(),
            versions: versions()?,
            sizes: sizes()?,
            stages: Vec::new(),
            counting: Vec::new(),
            routed: Vec::new(),
            environment: Vec::new(),
            idle: memory::resident(),
            streaming: None,
        })
    }

    pub(crate) fn note_memory(&mut self, scenario: &str, peak: Option<u64>) {
        if scenario == "paced" {
            self.streaming = peak;
        }
    }
}

fn machine() -> String {
    let cores = available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("an unknown processor", |(_, name)| name.trim());
    let (system, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{cores} cores of {model}, {system} {architecture}")
}

fn versions() -> Result<String> {
    let rustc = Command::new("rustc").arg("--version").output().context("cannot run rustc")?;
    let rustc = String::from_utf8_lossy(&rustc.stdout);
    let rustc = rustc.split_whitespace().nth(1).unwrap_or("unknown").to_owned();
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let wasmtime = locked(&lock, "wasmtime");
    let sdk = locked(&lock, "spin-sdk");
    Ok(format!("Rust {rustc}, wasmtime {wasmtime}, spin-sdk {sdk}"))
}

fn locked<'a>(lock: &'a str, package: &str) -> &'a str {
    let start = format!("name = \"{package}\"\nversion = \"");
    let version = lock.split_once(&start).and_then(|(_, rest)| rest.split_once('"'));
    version.map_or("unknown", |(version, _)| version)
}

fn sizes() -> Result<Vec<(String, u64)>> {
    let mut sizes = Vec::new();
    for entry in std::fs::read_dir(root().join("components"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let file = format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
        sizes.push((name, std::fs::metadata(root().join(file))?.len()));
    }
    sizes.sort();
    Ok(sizes)
}
