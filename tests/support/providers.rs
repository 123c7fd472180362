//! The providers of the app. `spin.toml` is the only list of them.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use toml::Table;

use crate::root;

/// Returns the names of the providers: the components of `spin.toml` that may call the AI Gateway.
///
/// # Errors
/// The manifest cannot be read, or has no provider.
pub fn providers() -> Result<Vec<String>> {
    let manifest: Table = std::fs::read_to_string(root().join("spin.toml"))?.parse()?;
    let components = manifest.get("component").and_then(toml::Value::as_table);
    let is_provider = |component: &toml::Value| {
        let hosts = component.get("allowed_outbound_hosts").and_then(toml::Value::as_array);
        let mut hosts = hosts.into_iter().flatten().filter_map(toml::Value::as_str);
        hosts.any(|host| host.contains("ai_gateway_host"))
    };
    let providers =
        components.into_iter().flatten().filter(|(_, component)| is_provider(component));
    let names: Vec<String> = providers.map(|(name, _)| name.clone()).collect();
    ensure!(!names.is_empty(), "spin.toml has no provider");
    Ok(names)
}

/// Returns a chat model of `provider`, for tests that send every provider a request.
///
/// # Errors
/// `tests/models.json` has no models of the provider.
pub fn chat_model(provider: &str) -> Result<String> {
    let models = std::fs::read_to_string(root().join("tests/models.json"))?;
    let models: Value = serde_json::from_str(&models)?;
    let model = models.pointer(&format!("/{provider}/chat")).and_then(Value::as_str);
    let model =
        model.with_context(|| format!("add a chat model of {provider} to tests/models.json"))?;
    Ok(model.to_owned())
}
