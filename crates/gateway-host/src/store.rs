//! The key-value store `default`: SQLite in Spin's own layout, or Redis, as runtime config says.

mod redis;
mod sqlite;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::Options;

/// Where the values are.
#[derive(Clone)]
pub(crate) enum Backend {
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
            return Ok(Backend::Redis(redis::Server::connect(&url).await?));
        }
        Some(StoreConfig::Spin { path: Some(path) }) => folder.join(path),
        Some(StoreConfig::Spin { path: None }) | None => default_path,
    };
    let database = sqlite::Database::open(&path)
        .with_context(|| format!("cannot open the key-value store {}", path.display()))?;
    Ok(Backend::Sqlite(Arc::new(database)))
}

fn read_config(path: &Path) -> Result<Option<StoreConfig>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: RuntimeConfig =
        toml::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))?;
    Ok(config.key_value_store.default)
}

impl Backend {
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Sqlite(database) => database.get(key),
            Self::Redis(server) => server.get(key).await,
        }
    }

    pub(crate) async fn set(&self, key: &str, value: &[u8]) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.set(key, value),
            Self::Redis(server) => server.set(key, value).await,
        }
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        match self {
            Self::Sqlite(database) => database.delete(key),
            Self::Redis(server) => server.delete(key).await,
        }
    }

    pub(crate) async fn keys(&self) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(database) => database.keys(),
            Self::Redis(server) => server.keys().await,
        }
    }
}
