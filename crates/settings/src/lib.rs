//! Makes the app's variables from the names of settings that people know.
//!
//! `spin.toml` has few variables, because Spin resolves all of them for every request
//! (docs/adr/0008-few-variables.md). A variable whose default consists of `name=value` lines holds the
//! settings of these names.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

/// Values by the names of settings or variables.
pub type Values = BTreeMap<String, String>;

/// The variables of an app.
#[derive(Debug)]
pub struct Variables(Vec<Variable>);

/// A variable of an app.
#[derive(Debug)]
struct Variable {
    name: String,
    /// The settings that it holds, with their defaults; none if it is a setting itself.
    settings: Vec<(String, String)>,
    default: String,
}

impl Variables {
    /// Reads the variables of a manifest of Spin.
    ///
    /// # Errors
    /// The text is not TOML.
    pub fn of_manifest(text: &str) -> Result<Self> {
        let manifest: toml::Table = text.parse().context("the manifest is not TOML")?;
        let variables = manifest.get("variables").and_then(toml::Value::as_table);
        let variables = variables.into_iter().flatten().map(|(name, declared)| {
            let default = declared.get("default").and_then(toml::Value::as_str).unwrap_or_default();
            Variable { name: name.clone(), settings: lines(default), default: default.to_owned() }
        });
        Ok(Self(variables.collect()))
    }

    /// Returns the names of all settings.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|variable| match variable.settings.as_slice() {
            [] => vec![variable.name.as_str()],
            settings => settings.iter().map(|(name, _)| name.as_str()).collect(),
        })
    }

    /// Returns the variable that holds the setting `name`.
    pub fn holder(&self, name: &str) -> Option<&str> {
        let holds = |variable: &&Variable| match variable.settings.as_slice() {
            [] => variable.name == name,
            settings => settings.iter().any(|(setting, _)| setting == name),
        };
        self.0.iter().find(holds).map(|variable| variable.name.as_str())
    }

    /// Returns the value of the setting `name` in `given`: its own or that in the variable that holds it;
    /// none if it is empty or not given.
    ///
    /// # Errors
    /// There is no such setting.
    pub fn value(&self, name: &str, given: &Values) -> Result<Option<String>> {
        let holder = self.holder(name).with_context(|| format!("no setting {name}"))?;
        let own = given.get(name).map(|value| one_line(value));
        let held = || {
            let whole = given.get(holder).filter(|_| holder != name)?;
            let (_, value) = lines(whole).into_iter().find(|(line, _)| line == name)?;
            Some(value)
        };
        Ok(own.or_else(held).filter(|value| !value.is_empty()))
    }

    /// Makes the values of all variables: from the settings in `given`, which take precedence, from
    /// variables in it, and from the defaults.
    pub fn make(&self, given: &Values) -> Values {
        self.0.iter().map(|variable| (variable.name.clone(), variable.value(given))).collect()
    }
}

impl Variable {
    /// Returns the value.
    fn value(&self, given: &Values) -> String {
        let whole = given.get(&self.name);
        if self.settings.is_empty() {
            return whole.unwrap_or(&self.default).clone();
        }
        let mut settings: Values = self.settings.iter().cloned().collect();
        settings.extend(lines(whole.map_or("", String::as_str)));
        for (name, value) in &mut settings {
            if let Some(given) = given.get(name) {
                *value = one_line(given);
            }
        }
        settings.iter().flat_map(|(name, value)| [name, "=", value, "\n"]).collect()
    }
}

/// Splits `name=value` lines.
fn lines(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().filter_map(|line| line.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

/// Joins the lines of a value, which is JSON if it has several.
fn one_line(value: &str) -> String {
    let lines: Vec<&str> = value.trim().lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        [variables]
        host = { default = "https://h" }
        [variables.shop]
        secret = true
        default = """
        shop_key=
        shop_region=eu
        """
    "#;

    #[test]
    fn make_puts_settings_into_their_variable() {
        let variables = Variables::of_manifest(MANIFEST).unwrap();
        let default = "shop_key=\nshop_region=eu\n";
        for (given, host, shop) in [
            (&[("other", "1")][..], "https://h", default),
            (&[("host", "x")], "x", default),
            (&[("shop_key", "k=1")], "https://h", "shop_key=k=1\nshop_region=eu\n"),
            (&[("shop_region", "")], "https://h", "shop_key=\nshop_region=\n"),
            (
                &[("shop", "shop_key=a\nshop_more=b")],
                "https://h",
                "shop_key=a\nshop_more=b\nshop_region=eu\n",
            ),
            (
                &[("shop", "shop_key=a"), ("shop_key", "b")],
                "https://h",
                "shop_key=b\nshop_region=eu\n",
            ),
            (
                &[("shop_key", "{\n  \"a\": 1\n}\n")],
                "https://h",
                "shop_key={ \"a\": 1 }\nshop_region=eu\n",
            ),
        ] {
            let values =
                given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let made = variables.make(&values.collect());
            let expected = [("host", host), ("shop", shop)];
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(made, expected.into(), "{given:?}");
        }
    }

    #[test]
    fn value_is_the_settings_own_or_that_of_its_variable() {
        let variables = Variables::of_manifest(MANIFEST).unwrap();
        for (name, given, expected) in [
            ("host", &[("host", "x")][..], Some("x")),
            ("host", &[("host", "")], None),
            ("shop_key", &[], None),
            ("shop_key", &[("shop", "shop_key=a")], Some("a")),
            ("shop_key", &[("shop", "shop_key=a"), ("shop_key", "b")], Some("b")),
            ("shop_key", &[("shop", "shop_key=a"), ("shop_key", "")], None),
            ("shop_key", &[("shop", "shop_key=")], None),
        ] {
            let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let value = variables.value(name, &given.collect()).unwrap();
            assert_eq!(value.as_deref(), expected, "{name}");
        }
        assert!(variables.value("unknown", &Values::new()).is_err());
    }

    #[test]
    fn settings_are_the_lines_of_variables() {
        let variables = Variables::of_manifest(MANIFEST).unwrap();
        assert_eq!(variables.settings().collect::<Vec<_>>(), ["host", "shop_key", "shop_region"]);
        assert_eq!(variables.holder("shop_key"), Some("shop"));
        assert_eq!(variables.holder("host"), Some("host"));
        assert_eq!(variables.holder("shop"), None);
        assert!(Variables::of_manifest("[").is_err());
    }
}
