//! Application variables: looks up their values and expands the templates that use them.
//!
//! As on Spin, both happen for each request: [`Values::prepare`] looks up every variable of the app for
//! every instance that sends a request, and a template is expanded when a component reads it.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result, bail};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use crate::host::Options;
use crate::host::manifest::Manifest;
use crate::host::runtime_config::VariablesProvider;

/// The prefix of environment variables that set an application variable.
const PREFIX: &str = "SPIN_VARIABLE_";

/// The application variables, and where their values come from.
pub(crate) struct Values {
    /// The defaults of all variables.
    defaults: BTreeMap<String, Option<String>>,
    /// The first one that has a value wins.
    providers: Vec<Provider>,
}

/// A source of values.
enum Provider {
    /// Values in memory, by the names of variables.
    Static(HashMap<String, String>),
    /// Environment variables, by their names.
    Environment(BTreeMap<String, String>),
}

/// Returns the environment variables that set application variables: those of this process, and those in
/// `.env` that the process does not have.
pub fn environment() -> BTreeMap<String, String> {
    let file = dotenvy::dotenv_iter().into_iter().flatten().flatten();
    // Other variables of the process need not be UTF-8.
    let own = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    file.chain(own).filter(|(name, _)| name.starts_with(PREFIX)).collect()
}

/// Finds out where the value of every variable comes from, in Spin's order of precedence:
/// `options.variables`, the providers of the runtime configuration, the environment, the default in the
/// manifest.
///
/// # Errors
/// A variable has no value.
pub(crate) fn resolve(
    manifest: &Manifest,
    options: &Options,
    configured: Vec<VariablesProvider>,
) -> Result<Values> {
    let given = VariablesProvider::Static { values: options.variables.clone() };
    let fixed = [given].into_iter().chain(configured).map(|provider| match provider {
        VariablesProvider::Static { values } => Provider::Static(values.into_iter().collect()),
    });
    let providers = fixed.chain([Provider::Environment(options.environment.clone())]).collect();
    let declared = manifest.variables.iter();
    let defaults = declared.map(|(name, variable)| (name.clone(), variable.default.clone()));
    let values = Values { defaults: defaults.collect(), providers };
    for (name, declared) in &manifest.variables {
        if values.look_up(name).is_some() {
            continue;
        }
        if declared.required {
            bail!("variable {name:?} is required: set {}", environment_name(name));
        }
        bail!("variable {name:?} needs a default or `required = true` in the manifest");
    }
    Ok(values)
}

/// Returns the name of the environment variable that sets the variable `name`.
pub fn environment_name(name: &str) -> String {
    format!("{PREFIX}{}", name.to_uppercase())
}

impl Provider {
    /// Returns the value of the variable `name`, if this provider has one.
    ///
    /// Spin's provider for the environment leaves the asynchronous tasks meanwhile, which is most of what
    /// it costs.
    /// <https://github.com/spinframework/spin/blob/main/crates/variables-env/src/lib.rs>
    fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Static(values) => values.get(name).cloned(),
            Self::Environment(values) => {
                let value = || values.get(&environment_name(name)).cloned();
                match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
                    Ok(RuntimeFlavor::MultiThread) => block_in_place(value),
                    _ => value(),
                }
            }
        }
    }
}

impl Values {
    /// Looks up every variable, as Spin does for each instance that sends a request, for the allowed hosts.
    /// This host resolves these when it loads the app, and imitates the cost only.
    /// <https://github.com/spinframework/spin/blob/main/crates/expressions/src/lib.rs>
    pub(crate) fn prepare(&self) -> HashMap<String, String> {
        let values = self.defaults.keys().map(|name| (name, self.look_up(name)));
        values.filter_map(|(name, value)| Some((name.clone(), value?))).collect()
    }

    /// Returns the value of a variable: that of the first provider that has one, or its default.
    fn look_up(&self, name: &str) -> Option<String> {
        let default = self.defaults.get(name)?;
        self.providers.iter().find_map(|provider| provider.get(name)).or_else(|| default.clone())
    }

    /// Replaces every `{{ name }}` in `template` with the variable's value. A value is not expanded
    /// again, so it may contain `{{`.
    ///
    /// # Errors
    /// The template names an unknown variable, or has a `{{` without `}}`.
    pub(crate) fn expand(&self, template: &str) -> Result<String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) =
                after.split_once("}}").context("a template has `{{` without `}}`")?;
            let name = name.trim();
            let value = self
                .look_up(name)
                .with_context(|| format!("the manifest declares no variable {name:?}"))?;
            text.extend([before, &value]);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn values() -> Values {
        let defaults = [("a", "1"), ("b", "{{ a }}")].map(|(name, value)| {
            let value = Some(value.to_owned());
            (name.to_owned(), value)
        });
        Values { defaults: defaults.into(), providers: Vec::new() }
    }

    #[test]
    fn look_up_takes_the_first_provider_that_has_a_value() {
        let manifest = |variables: &str| {
            let text = format!(
                "spin_manifest_version = 2\n[trigger]\nhttp = []\n[component]\n[variables]\n{variables}"
            );
            toml::from_str::<Manifest>(&text).unwrap()
        };
        let options = Options {
            variables: map(&[("a", "given")]),
            environment: map(&[("SPIN_VARIABLE_A", "env"), ("SPIN_VARIABLE_B", "env")]),
            ..Options::default()
        };
        let file = |values: &[(&str, &str)]| VariablesProvider::Static { values: map(values) };
        let declared =
            ["a", "b", "c", "d"].map(|name| format!("{name} = {{ default = 'default' }}\n"));
        let configured = vec![file(&[("a", "1"), ("c", "1")]), file(&[("c", "2"), ("other", "2")])];
        let values = resolve(&manifest(&declared.concat()), &options, configured).unwrap();
        for (name, expected) in
            [("a", Some("given")), ("b", Some("env")), ("c", Some("1")), ("d", Some("default"))]
        {
            assert_eq!(values.look_up(name).as_deref(), expected, "{name}");
        }
        assert_eq!(values.look_up("other"), None, "it is not declared");
        assert_eq!(values.prepare().len(), 4);
        for without_value in ["e = { required = true }", "e = {}"] {
            assert!(resolve(&manifest(without_value), &options, Vec::new()).is_err());
        }
    }

    #[test]
    fn expand_template_replaces_names_once() {
        for (template, expected) in
            [("", ""), ("plain {x}", "plain {x}"), ("{{ a }}-{{a}}", "1-1"), ("{{ b }}", "{{ a }}")]
        {
            assert_eq!(values().expand(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn expand_invalid_template_is_error() {
        for template in ["{{ unknown }}", "{{ a", "{{}}"] {
            assert!(values().expand(template).is_err(), "{template}");
        }
    }
}
