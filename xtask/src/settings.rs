//! The app's settings: read from `.env` and from the environment, and passed on as the app's variables.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use clap::Args;
use settings::{Values, Variables};
use tempfile::NamedTempFile;

use crate::cargo::root;

/// The prefix of environment variables that set a setting, or a variable of the app.
const PREFIX: &str = "SPIN_VARIABLE_";

/// Reads the settings in `.env` and in the environment, which takes precedence.
pub(crate) fn given() -> Values {
    let file = dotenvy::from_path_iter(root().join(".env"));
    let from_file = file.into_iter().flatten().flatten();
    // Other variables of the process need not be UTF-8.
    let own = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    from_file
        .chain(own)
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

/// A file with the app's variables, which only the user can read. It is deleted on drop.
///
/// The host looks up all variables for each request. It keeps those of a file in its memory, where a lookup
/// takes a small part of the time that one in the environment takes (docs/adr/0012-variables-in-a-file.md).
pub(crate) struct VariablesFile(NamedTempFile);

impl VariablesFile {
    /// Writes the variables with the `given` settings.
    pub(crate) fn create(given: &Values) -> Result<Self> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile()?;
        file.write_all(toml(given)?.as_bytes())?;
        Ok(Self(file))
    }

    /// Returns the arguments with which a host reads the file.
    pub(crate) fn arguments(&self) -> [String; 2] {
        ["--variable".to_owned(), format!("@{}", self.0.path().display())]
    }
}

#[derive(Args)]
pub(crate) struct Options {
    /// Print them as a section of Spin's runtime configuration file, for platforms that do not run `spin up`.
    #[arg(long)]
    runtime_config: bool,
}

/// Prints the app's variables.
pub(crate) fn print(options: &Options) -> Result<()> {
    let head = if options.runtime_config { RUNTIME_CONFIG } else { "" };
    crate::print(&format!("{head}{}", toml(&given())?));
    Ok(())
}

/// The lines before variables in a runtime configuration file.
const RUNTIME_CONFIG: &str =
    "[[variables_provider]]\ntype = \"static\"\n\n[variables_provider.values]\n";

/// Returns the app's variables as TOML, one string each.
fn toml(given: &Values) -> Result<String> {
    let mut table = toml_edit::DocumentMut::new();
    for (name, value) in variables()?.make(given) {
        table.insert(&name, toml_edit::value(value));
    }
    Ok(table.to_string())
}

/// Reads the variables of the app.
fn variables() -> Result<Variables> {
    let text =
        std::fs::read_to_string(root().join("spin.toml")).context("cannot read spin.toml")?;
    Variables::of_manifest(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_has_all_variables_as_strings() {
        let given = [("openai_api_key", "a\"b\\c"), ("admin_token", "'x'")];
        let given: Values = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let expected = variables().unwrap().make(&given);
        let read = |text: &str| -> toml_edit::DocumentMut { text.parse().unwrap() };
        let text = toml(&given).unwrap();
        let whole = read(&format!("{RUNTIME_CONFIG}{text}"));
        let provider = whole["variables_provider"].as_array_of_tables().unwrap().get(0).unwrap();
        assert_eq!(provider["type"].as_str(), Some("static"));
        let file = read(&text);
        for table in [file.as_table(), provider["values"].as_table().unwrap()] {
            let pairs = table
                .iter()
                .map(|(name, value)| (name.to_owned(), value.as_str().unwrap().to_owned()));
            assert_eq!(pairs.collect::<Values>(), expected);
        }
    }
}
