//! The app's settings: read from `.env` and from the environment, and passed on as the app's variables.

use anyhow::{Context as _, Result};
use settings::{Values, Variables};

use crate::cargo::root;

/// The prefix of environment variables that set a setting, or a variable of the app.
const PREFIX: &str = "SPIN_VARIABLE_";

/// Reads the settings in `.env` and in the environment, which takes precedence.
pub(crate) fn given() -> Values {
    let file = dotenvy::from_path_iter(root().join(".env"));
    let from_file = file.into_iter().flatten().flatten();
    from_file
        .chain(std::env::vars())
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_lowercase(), value)))
        .collect()
}

/// Checks whether the setting `name` has a value, of its own or in the variable that holds it.
pub(crate) fn is_set(given: &Values, name: &str) -> Result<bool> {
    Ok(value(given, name)?.is_some())
}

/// Returns the value of the setting `name`, of its own or in the variable that holds it; none if it is
/// empty.
pub(crate) fn value(given: &Values, name: &str) -> Result<Option<String>> {
    variables()?.value(name, given)
}

/// Returns the environment variables that give the app these settings.
pub(crate) fn environment(given: &Values) -> Result<Vec<(String, String)>> {
    let made = variables()?.make(given).into_iter();
    Ok(made.map(|(name, value)| (format!("{PREFIX}{}", name.to_uppercase()), value)).collect())
}

/// Reads the variables of the app.
fn variables() -> Result<Variables> {
    let text =
        std::fs::read_to_string(root().join("spin.toml")).context("cannot read spin.toml")?;
    Variables::of_manifest(&text)
}
