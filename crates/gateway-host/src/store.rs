//! The key-value store `default`: SQLite in Spin's own layout, or Redis, as runtime config says.

mod redis;
mod sqlite;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::Options;

/// The store all components share, and how often it was asked.
#[derive(Clone)]
pub(crate) struct Backend {
    place: Place,
    operations: Arc<AtomicU64>,
}

/// Where the values are.
#[derive(Clone)]
enum Place {
    Sqlite(Arc<sqlite::Database>),
    Redis(redis::Server),
}

/// A store a component has opened.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Opened(pub(crate) Backend);

/// `runtime-config.toml`, as far as stores go.
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

/// Opens the store that `options` ask for; by default the file Spin would use.
pub(crate) async fn open(options: &Options, folder: &Path) -> Result<Backend> {
    let config = options.runtime_config.as_deref().map(read_config).transpose()?.flatten();
    let state_dir = options.state_dir.clone().unwrap_or_else(|| folder.join(".spin"));
    let default_path = state_dir.join("sqlite_key_value.db");
    let path = match config {
        Some(StoreConfig::Redis { url }) => {
            return Ok(Backend::new(Place::Redis(redis::Server::connect(&url).await?)));
        }
        // As in Spin, relative to the file that says it.
        Some(StoreConfig::Spin { path: Some(path) }) => {
            options.runtime_config.as_deref().and_then(Path::parent).unwrap_or(folder).join(path)
        }
        Some(StoreConfig::Spin { path: None }) | None => default_path,
    };
    let database = sqlite::Database::open(&path)
        .with_context(|| format!("cannot open the key-value store {}", path.display()))?;
    Ok(Backend::new(Place::Sqlite(Arc::new(database))))
}

fn read_config(path: &Path) -> Result<Option<StoreConfig>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: RuntimeConfig =
        toml::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))?;
    Ok(config.key_value_store.default)
}

impl Backend {
    fn new(place: Place) -> Self {
        Self { place, operations: Arc::default() }
    }

    /// How often the store was asked for anything.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    fn place(&self) -> &Place {
        self.operations.fetch_add(1, Ordering::Relaxed);
        &self.place
    }

    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        match self.place() {
            Place::Sqlite(database) => database.get(key),
            Place::Redis(server) => server.get(key).await,
        }
    }

    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        match self.place() {
            Place::Sqlite(database) => database.set(key, value),
            Place::Redis(server) => server.set(key, value).await,
        }
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        match self.place() {
            Place::Sqlite(database) => database.delete(key),
            Place::Redis(server) => server.delete(key).await,
        }
    }

    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        match self.place() {
            Place::Sqlite(database) => database.keys(),
            Place::Redis(server) => server.keys().await,
        }
    }
}
