//! Application variables: looks up their values and expands the templates that use them.
//!
//! As on Spin, both happen for each request: [`Values::prepare`] looks up every variable of the app for
//! every instance that may send requests, and a template is expanded when a component reads it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use crate::host::Options;
use crate::host::manifest::Manifest;

/// The prefix of environment variables that set an application variable.
const PREFIX: &str = "SPIN_VARIABLE_";

/// The application variables.
pub(crate) struct Values {
    variables: BTreeMap<String, Variable>,
    use_environment: bool,
}

/// Where the value of an application variable comes from.
struct Variable {
    env_name: String,
    /// A value that precedes the environment's.
    given: Option<String>,
    /// The value of `.env`, otherwise the default in the manifest.
    fallback: Option<String>,
}

/// Finds out where the value of every variable comes from, in order of precedence: `options.variables`,
/// the environment, `.env`, the default in the manifest.
///
/// # Errors
/// A variable has no value.
pub(crate) fn resolve(manifest: &Manifest, options: &Options) -> Result<Values> {
    let use_environment = options.use_environment;
    let env_file = if use_environment { env_file() } else { BTreeMap::new() };
    let mut variables = BTreeMap::new();
    for (name, declared) in &manifest.variables {
        let env_name = format!("{PREFIX}{}", name.to_uppercase());
        let given = options.variables.get(name).cloned();
        let fallback = env_file.get(&env_name).or(declared.default.as_ref()).cloned();
        let variable = Variable { env_name, given, fallback };
        if variable.value(use_environment).is_none() {
            if declared.required {
                bail!("variable {name:?} is required: set {}", variable.env_name);
            }
            bail!("variable {name:?} needs a default or `required = true` in the manifest");
        }
        variables.insert(name.clone(), variable);
    }
    Ok(Values { variables, use_environment })
}

/// Reads `.env`; without a readable file there are no values.
fn env_file() -> BTreeMap<String, String> {
    dotenvy::dotenv_iter().map(|entries| entries.flatten().collect()).unwrap_or_default()
}

impl Variable {
    /// Returns the value, if there is one.
    fn value(&self, use_environment: bool) -> Option<String> {
        let from_environment = std::env::var(&self.env_name).ok().filter(|_| use_environment);
        self.given.clone().or(from_environment).or_else(|| self.fallback.clone())
    }
}

impl Values {
    /// Looks up every variable, as Spin does for each instance that may send requests.
    /// <https://github.com/spinframework/spin/blob/main/crates/expressions/src/lib.rs>
    pub(crate) fn prepare(&self) {
        for variable in self.variables.values() {
            self.look_up(variable);
        }
    }

    /// Looks up the value of a variable. Spin's provider for the environment leaves the asynchronous
    /// tasks meanwhile, which is most of what it costs.
    fn look_up(&self, variable: &Variable) -> Option<String> {
        let value = || variable.value(self.use_environment);
        match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => block_in_place(value),
            _ => value(),
        }
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
            let variable = self.variables.get(name);
            let value = variable
                .and_then(|variable| self.look_up(variable))
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

    fn values() -> Values {
        let variables = [("a", "1"), ("b", "{{ a }}")].map(|(name, value)| {
            let given = Some(value.to_owned());
            (name.to_owned(), Variable { env_name: name.to_owned(), given, fallback: None })
        });
        Values { variables: variables.into(), use_environment: false }
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
