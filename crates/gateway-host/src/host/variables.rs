//! Application variables: looks up their values and expands the templates that use them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use crate::Options;
use crate::manifest::Manifest;

/// The prefix of environment variables that set an application variable.
const PREFIX: &str = "SPIN_VARIABLE_";

/// The value of every application variable.
pub(crate) struct Values(BTreeMap<String, String>);

/// Looks up the value of every variable in order of precedence: `options.variables`, the
/// environment, `.env`, the default in the manifest.
///
/// # Errors
/// A variable has no value.
pub(crate) fn resolve(manifest: &Manifest, options: &Options) -> Result<Values> {
    let env_file = if options.use_environment { env_file() } else { BTreeMap::new() };
    let mut values = BTreeMap::new();
    for (name, variable) in &manifest.variables {
        let env_name = format!("{PREFIX}{}", name.to_uppercase());
        let from_environment =
            || options.use_environment.then(|| std::env::var(&env_name).ok()).flatten();
        let value = options
            .variables
            .get(name)
            .cloned()
            .or_else(from_environment)
            .or_else(|| env_file.get(&env_name).cloned())
            .or_else(|| variable.default.clone());
        match value {
            Some(value) => drop(values.insert(name.clone(), value)),
            None if variable.required => bail!("variable {name:?} is required: set {env_name}"),
            None => bail!("variable {name:?} needs a default or `required = true` in the manifest"),
        }
    }
    Ok(Values(values))
}

/// Reads `.env`; without a readable file there are no values.
fn env_file() -> BTreeMap<String, String> {
    dotenvy::dotenv_iter().map(|entries| entries.flatten().collect()).unwrap_or_default()
}

impl Values {
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
                .0
                .get(name)
                .with_context(|| format!("the manifest declares no variable {name:?}"))?;
            text.extend([before, value]);
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
        Values([("a", "1"), ("b", "{{ a }}")].map(|(k, v)| (k.to_owned(), v.to_owned())).into())
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
