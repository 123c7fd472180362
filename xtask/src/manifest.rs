//! `cargo xtask manifest`: writes the manifest for platforms that lack two of Spin's features.
//!
//! Fermyon Cloud has neither [service chaining] nor atomic counters. Its manifest is `spin.toml` without the
//! components that call others, and with build commands that leave the counters out.
//!
//! [service chaining]: https://spinframework.dev/v3/http-outbound#local-service-chaining

use std::path::Path;

use anyhow::{Context as _, Result};
use toml_edit::{DocumentMut, Item, TableLike, value};

use crate::cargo::root;
use crate::say;

/// Where the manifest is, from the project's folder.
const PATH: &str = "deploy/fermyon-cloud/spin.toml";

/// The hosts of other components of the app.
const CHAINED: &str = ".spin.internal";

/// The line before the description of the manifest.
const NOTE: &str =
    "# Made from /spin.toml by `cargo xtask manifest`: without /v1, and without counters.\n";

/// Writes the manifest.
pub(crate) fn run() -> Result<()> {
    let made = reduce(&read("spin.toml")?)?;
    let path = root().join(PATH);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, made).with_context(|| format!("cannot write {PATH}"))?;
    say(&format!("Wrote {PATH}"));
    Ok(())
}

/// Reads a file of the project.
fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
}

/// Returns a manifest without what Fermyon Cloud lacks, for the folder of [`PATH`].
fn reduce(manifest: &str) -> Result<String> {
    let mut document: DocumentMut = manifest.parse().context("spin.toml is not TOML")?;
    let components = document.get_mut("component").and_then(Item::as_table_like_mut);
    let components = components.context("spin.toml has no components")?;
    let chaining: Vec<String> = components
        .iter()
        .filter(|(_, component)| calls_others(component))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in &chaining {
        components.remove(name);
    }
    for (_, component) in components.iter_mut() {
        adapt(component.as_table_like_mut().context("a component is not a table")?)?;
    }
    let triggers = document.get_mut("trigger").and_then(|trigger| trigger.get_mut("http"));
    let triggers = triggers.and_then(Item::as_array_of_tables_mut);
    triggers.context("spin.toml has no routes")?.retain(|trigger| {
        let component = trigger.get("component").and_then(Item::as_str);
        !chaining.iter().any(|name| component == Some(name))
    });
    Ok(format!("{NOTE}{document}"))
}

/// Checks whether a component may call other components of the app.
fn calls_others(component: &Item) -> bool {
    let hosts = component.get("allowed_outbound_hosts").and_then(Item::as_array);
    let mut hosts = hosts.into_iter().flatten().filter_map(|host| host.as_str());
    hosts.any(|host| host.contains(CHAINED))
}

/// Makes a component's path relative to the manifest's folder, and its build leave the counters out.
fn adapt(component: &mut dyn TableLike) -> Result<()> {
    let source = component.get_mut("source").context("a component has no source")?;
    *source = value(up(source.as_str().context("a source is not a path")?));
    let build = component.get_mut("build").and_then(Item::as_table_like_mut);
    let build = build.context("a component has no build command")?;
    let command = build.get_mut("command").context("a component has no build command")?;
    let all = command.as_str().context("a build command is not text")?;
    *command = value(format!("{all} --no-default-features"));
    build.remove("watch");
    Ok(())
}

/// Returns a path of the project's folder as seen from the manifest's.
fn up(path: &str) -> String {
    let depth = Path::new(PATH).parent().map_or(0, |folder| folder.components().count());
    format!("{}{path}", "../".repeat(depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_is_the_one_made_from_spin_toml() {
        let made = reduce(&read("spin.toml").unwrap()).unwrap();
        assert!(read(PATH).unwrap() == made, "run `cargo xtask manifest` and commit {PATH}");
    }

    #[test]
    fn reduce_leaves_out_only_what_calls_other_components() {
        let made: DocumentMut = read(PATH).unwrap().parse().unwrap();
        let whole: DocumentMut = read("spin.toml").unwrap().parse().unwrap();
        let routes = |document: &DocumentMut| -> Vec<String> {
            let triggers = document["trigger"]["http"].as_array_of_tables().unwrap();
            triggers.iter().map(|trigger| trigger["route"].as_str().unwrap().into()).collect()
        };
        let expected: Vec<String> =
            routes(&whole).into_iter().filter(|route| route != "/v1/...").collect();
        assert_eq!(routes(&made), expected);
        assert!(!made.to_string().contains(CHAINED));
        for (name, component) in made["component"].as_table_like().unwrap().iter() {
            let source = component["source"].as_str().unwrap();
            assert!(source.starts_with("../../target/"), "{name}: {source}");
            let command = component["build"]["command"].as_str().unwrap();
            assert!(command.ends_with(" --no-default-features"), "{name}: {command}");
        }
    }

    #[test]
    fn reduce_says_what_is_missing() {
        for (manifest, expected) in [
            ("x", "spin.toml is not TOML"),
            ("", "spin.toml has no components"),
            ("[component.a]\n", "a component has no source"),
            ("[component.a]\nsource = \"a\"\n", "a component has no build command"),
            ("[component]\n", "spin.toml has no routes"),
        ] {
            assert_eq!(reduce(manifest).unwrap_err().to_string(), expected, "{manifest}");
        }
    }
}
