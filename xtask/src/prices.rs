//! `cargo xtask prices`: writes the setting `prices` from a file of models.dev.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::cargo::components;
use crate::{print, say};

#[derive(Args)]
pub(crate) struct Options {
    /// A downloaded <https://models.dev/api.json>.
    file: PathBuf,
    /// Only models that match this pattern of provider/model, in which * stands for any characters;
    /// repeatable.
    #[arg(long)]
    only: Vec<String>,
}

/// A provider in the file, as far as it is needed.
#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    models: BTreeMap<String, Model>,
}

#[derive(Deserialize)]
struct Model {
    cost: Option<Cost>,
}

/// Dollars per million tokens.
#[derive(Deserialize)]
struct Cost {
    input: Number,
    output: Number,
    cache_read: Option<Number>,
    cache_write: Option<Number>,
}

/// Prints the setting on one line, as `.env` and variables of Spin have it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let path = options.file.display();
    let text = std::fs::read_to_string(&options.file)
        .with_context(|| format!("cannot read {path}: download https://models.dev/api.json"))?;
    let prices = convert(&text, &components()?, &options.only)
        .with_context(|| format!("{path} is not a file of models.dev"))?;
    ensure!(!prices.is_empty(), "no model of the app's providers matches --only");
    say(&format!("{} prices", prices.len()));
    print(&Value::from(prices).to_string());
    Ok(())
}

/// Returns the prices of all models of the `components` that match a pattern, by `component/model`.
fn convert(text: &str, components: &[String], only: &[String]) -> Result<Map<String, Value>> {
    let providers: BTreeMap<String, Provider> = serde_json::from_str(text)?;
    let mut prices = Map::new();
    for component in components {
        let Some(provider) = find(&providers, component) else { continue };
        for (id, model) in &provider.models {
            let name = format!("{component}/{id}");
            let is_wanted = only.is_empty() || only.iter().any(|pattern| matches(pattern, &name));
            if let (Some(cost), true) = (&model.cost, is_wanted) {
                prices.insert(name, cost.price());
            }
        }
    }
    Ok(prices)
}

/// Finds the provider that the file calls like the component, or `vendor-component`.
fn find<'a>(providers: &'a BTreeMap<String, Provider>, component: &str) -> Option<&'a Provider> {
    let suffix = format!("-{component}");
    providers.get(component).or_else(|| {
        let mut similar = providers.iter().filter(|(name, _)| name.ends_with(&suffix));
        similar.next().map(|(_, provider)| provider)
    })
}

/// Checks whether `pattern` matches all of `text`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).any(|at| text.get(at..).is_some_and(|text| matches(rest, text)))
        }),
    }
}

impl Cost {
    /// Returns the price in the form of the setting.
    fn price(&self) -> Value {
        let mut price = json!({"input": decimal(&self.input), "output": decimal(&self.output)});
        for (name, cost) in [("cacheRead", &self.cache_read), ("cacheWrite", &self.cache_write)] {
            if let (Some(cost), Some(price)) = (cost, price.as_object_mut()) {
                price.insert(name.to_owned(), decimal(cost).into());
            }
        }
        price
    }
}

/// Formats a number as a decimal without an exponent.
fn decimal(number: &Number) -> String {
    let text = format!("{:.9}", number.as_f64().unwrap_or_default());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "one": {"id": "one", "models": {
            "small": {"id": "small", "cost": {"input": 0.00000005, "output": 10}},
            "large": {"cost": {"input": 1.25, "output": 10, "cache_read": 0.125, "cache_write": 1.5}},
            "free": {"name": "without a price"}
        }},
        "cloud-two": {"models": {"@a/b": {"cost": {"input": 0, "output": 0.5, "reasoning": 7}}}},
        "other": {"models": {"x": {"cost": {"input": 1, "output": 1}}}}
    }"#;

    fn converted(only: &[&str]) -> Value {
        let components = ["one", "two", "three"].map(str::to_owned);
        let only: Vec<String> = only.iter().map(|pattern| (*pattern).to_owned()).collect();
        convert(FILE, &components, &only).unwrap().into()
    }

    #[test]
    fn convert_takes_the_models_of_the_components() {
        let expected = json!({
            "one/small": {"input": "0.00000005", "output": "10"},
            "one/large": {"input": "1.25", "output": "10", "cacheRead": "0.125", "cacheWrite": "1.5"},
            "two/@a/b": {"input": "0", "output": "0.5"},
        });
        assert_eq!(converted(&[]), expected);
    }

    #[test]
    fn convert_takes_only_what_matches() {
        for (only, expected) in [
            (&["one/*"][..], 2),
            (&["*/s*l"], 1),
            (&["two/@a/b", "one/large"], 2),
            (&["one"], 0),
            (&["*"], 3),
        ] {
            assert_eq!(converted(only).as_object().unwrap().len(), expected, "{only:?}");
        }
    }
}
