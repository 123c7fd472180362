//! Reads the parts of `spin.toml` that this host needs.
//! <https://spinframework.dev/v3/manifest-reference>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// A manifest.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    spin_manifest_version: u32,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) trigger: Triggers,
    #[serde(rename = "component")]
    pub(crate) components: BTreeMap<String, DeclaredComponent>,
}

/// The declaration of an application variable.
#[derive(Debug, Deserialize)]
pub(crate) struct Variable {
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) required: bool,
}

/// The triggers of an app.
#[derive(Debug, Deserialize)]
pub(crate) struct Triggers {
    pub(crate) http: Vec<HttpTrigger>,
}

/// A route and the component that serves it.
#[derive(Debug, Deserialize)]
pub(crate) struct HttpTrigger {
    pub(crate) route: String,
    pub(crate) component: String,
}

/// The declaration of a component.
#[derive(Debug, Deserialize)]
pub(crate) struct DeclaredComponent {
    pub(crate) source: PathBuf,
    #[serde(default)]
    pub(crate) allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub(crate) key_value_stores: Vec<String>,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
}

/// Reads the manifest at `path`.
///
/// # Errors
/// The file is not a manifest of version 2, or a component uses a store other than `default`.
pub(crate) fn read(path: &Path) -> Result<Manifest> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: Manifest =
        toml::from_str(&text).with_context(|| format!("cannot parse {}", path.display()))?;
    ensure!(manifest.spin_manifest_version == 2, "spin_manifest_version must be 2");
    for (id, component) in &manifest.components {
        let unknown = component.key_value_stores.iter().find(|label| *label != "default");
        ensure!(
            unknown.is_none(),
            "component {id:?} uses key-value store {:?}, but this host only has `default`",
            unknown.map_or("", String::as_str)
        );
    }
    Ok(manifest)
}
