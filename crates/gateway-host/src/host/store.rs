//! The key-value store `default`: SQLite in Spin's own layout, or Redis if the runtime
//! configuration says so.

#[cfg_attr(not(feature = "redis"), path = "store/no_redis.rs")]
mod redis;
mod sqlite;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::host::Options;

/// The store that all components share, and the number of operations on it.
#[derive(Clone)]
pub(crate) struct Backend {
    storage: Storage,
    operations: Arc<AtomicU64>,
}

/// Where the values are stored.
#[derive(Clone)]
enum Storage {
    Sqlite(sqlite::Database),
    Redis(redis::Server),
}

/// A store that a component has opened.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenStore(pub(crate) Backend);

/// The part of Spin's runtime configuration that configures stores.
#[derive(Deserialize)]
struct RuntimeConfig {
    #[serde(default)]
    key_value_store: Stores,
}

#[derive(Default, Deserialize)]
struct Stores {
    default: Option<StoreConfig>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum StoreConfig {
    Spin { path: Option<std::path::PathBuf> },
    Redis { url: String },
}

/// Opens the configured store, or by default the file that Spin would use.
pub(crate) async fn open(options: &Options, folder: &Path) -> Result<Backend> {
    let config = options.runtime_config.as_deref().map(read_config).transpose()?.flatten();
    let state_dir = options.state_dir.clone().unwrap_or_else(|| folder.join(".spin"));
    let default_path = state_dir.join("sqlite_key_value.db");
    let path = match config {
        Some(StoreConfig::Redis { url }) => {
            return Ok(Backend::new(Storage::Redis(redis::Server::connect(&url).await?)));
        }
        // As in Spin, the path is relative to the configuration file.
        Some(StoreConfig::Spin { path: Some(path) }) => {
            options.runtime_config.as_deref().and_then(Path::parent).unwrap_or(folder).join(path)
        }
        Some(StoreConfig::Spin { path: None }) | None => default_path,
    };
    let database = sqlite::Database::open(&path)
        .with_context(|| format!("cannot open the key-value store {}", path.display()))?;
    Ok(Backend::new(Storage::Sqlite(database)))
}

/// Reads the configuration of the default store, if the file has one.
fn read_config(path: &Path) -> Result<Option<StoreConfig>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: RuntimeConfig =
        toml::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))?;
    Ok(config.key_value_store.default)
}

impl Backend {
    /// Creates a store with no operations so far.
    fn new(storage: Storage) -> Self {
        Self { storage, operations: Arc::default() }
    }

    /// Returns the number of operations so far.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// Counts an operation and returns the storage to run it on.
    fn storage(&self) -> &Storage {
        self.operations.fetch_add(1, Ordering::Relaxed);
        &self.storage
    }

    /// Reads the value of `key`.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        match self.storage() {
            Storage::Sqlite(database) => database.get(key).await,
            Storage::Redis(server) => server.get(key).await,
        }
    }

    /// Writes the value of `key`.
    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        match self.storage() {
            Storage::Sqlite(database) => database.set(key, value).await,
            Storage::Redis(server) => server.set(key, value).await,
        }
    }

    /// Deletes `key`, if it exists.
    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        match self.storage() {
            Storage::Sqlite(database) => database.delete(key).await,
            Storage::Redis(server) => server.delete(key).await,
        }
    }

    /// Lists all keys.
    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        match self.storage() {
            Storage::Sqlite(database) => database.keys().await,
            Storage::Redis(server) => server.keys().await,
        }
    }

    /// Adds `delta` to the counter `key`, atomically, and returns its new value.
    pub(crate) async fn increment(&self, key: &str, delta: i64) -> Result<i64> {
        match self.storage() {
            Storage::Sqlite(database) => database.increment(key, delta).await,
            Storage::Redis(server) => server.increment(key, delta).await,
        }
    }
}
