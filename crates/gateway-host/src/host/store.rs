//! The key-value store `default`: SQLite in Spin's own layout, or Redis if the runtime
//! configuration says so.

#[cfg_attr(not(feature = "redis"), path = "store/no_redis.rs")]
mod redis;
mod sqlite;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::host::runtime_config::StoreConfig;
use anyhow::{Context as _, Result};

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

/// Opens the `configured` store, or by default the file in `state_dir` that Spin would use.
pub(crate) async fn open(configured: Option<&StoreConfig>, state_dir: &Path) -> Result<Backend> {
    let path = match configured {
        Some(StoreConfig::Redis { url }) => {
            return Ok(Backend::new(Storage::Redis(redis::Server::connect(url).await?)));
        }
        Some(StoreConfig::Spin { path: Some(path) }) => path.clone(),
        Some(StoreConfig::Spin { path: None }) | None => state_dir.join("sqlite_key_value.db"),
    };
    let database = sqlite::Database::open(&path)
        .with_context(|| format!("cannot open the key-value store {}", path.display()))?;
    Ok(Backend::new(Storage::Sqlite(database)))
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
