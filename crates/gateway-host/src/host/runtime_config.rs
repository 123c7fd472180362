//! Spin's runtime configuration file, as far as this host needs it.
//! <https://spinframework.dev/v3/dynamic-configuration>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;

/// A runtime configuration.
#[derive(Default, Deserialize)]
pub(crate) struct RuntimeConfig {
    #[serde(default)]
    key_value_store: Stores,
    /// Where the values of variables come from, in the order in which they are asked.
    #[serde(default, rename = "variables_provider", alias = "config_provider")]
    pub(crate) variables_providers: Vec<VariablesProvider>,
}

#[derive(Default, Deserialize)]
struct Stores {
    default: Option<StoreConfig>,
}

/// The configuration of a key-value store.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum StoreConfig {
    /// A file of SQLite.
    Spin {
        /// Its path; without one, that of Spin's default store.
        path: Option<PathBuf>,
    },
    /// A server of Redis.
    Redis {
        /// Its address.
        url: String,
    },
}

/// A source of variables' values. This host has no others.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum VariablesProvider {
    /// Values in the configuration itself.
    Static {
        /// The values by the names of the variables.
        values: BTreeMap<String, String>,
    },
}

impl RuntimeConfig {
    /// Reads the file at `path`. Without one, nothing is configured.
    ///
    /// # Errors
    /// The file cannot be read, or asks for something that this host does not have.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        // Without the line that is wrong, which may have a secret.
        let mut config: Self = toml::from_str(&text)
            .map_err(|error| anyhow!("cannot parse {}: {}", path.display(), error.message()))?;
        if let Some(StoreConfig::Spin { path: Some(store) }) = &mut config.key_value_store.default {
            // As in Spin, the path is relative to the configuration file.
            *store = path.parent().unwrap_or(Path::new("")).join(&*store);
        }
        Ok(config)
    }

    /// Returns the configuration of the store `default`, if there is one.
    pub(crate) fn store(&self) -> Option<&StoreConfig> {
        self.key_value_store.default.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RuntimeConfig> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("runtime-config.toml");
        std::fs::write(&path, text)?;
        RuntimeConfig::read(Some(&path))
    }

    #[test]
    fn read_returns_the_store_and_the_variables() {
        let config = read(
            "[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://h\"\n\
             [[variables_provider]]\ntype = \"static\"\n[variables_provider.values]\na = \"1\"\n",
        )
        .unwrap();
        assert!(matches!(config.store(), Some(StoreConfig::Redis { url }) if url == "redis://h"));
        let [VariablesProvider::Static { values }] = config.variables_providers.as_slice() else {
            panic!("one provider");
        };
        assert_eq!(*values, [("a".to_owned(), "1".to_owned())].into());
    }

    #[test]
    fn read_of_another_provider_is_an_error() {
        assert!(read("[[variables_provider]]\ntype = \"vault\"").is_err());
        assert!(read("").unwrap().variables_providers.is_empty());
        assert!(RuntimeConfig::read(None).unwrap().store().is_none());
    }
}
