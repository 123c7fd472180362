//! The invariants of ARCHITECTURE.md, as far as they can be checked statically.

use std::collections::BTreeSet;
use std::path::Path;

use settings::Variables;
use support::{build_guests, providers, root};
use toml::{Table, Value};

/// Maximum size in bytes of a component that only passes requests through.
const PASS_THROUGH_BYTES: u64 = 470_000;
/// Maximum size in bytes of any other component.
const OTHER_BYTES: u64 = 1_200_000;

/// Maximum number of lines of a source file.
const FILE_LINES: usize = 400;

/// Maximum number of variables of the app.
const VARIABLES: usize = 10;

/// The calls that turn an error into a response, or into the last event of a stream.
const ERROR_CALLS: [&str; 2] = ["dialect.response(", "dialect.event("];

fn toml(path: &str) -> Table {
    std::fs::read_to_string(root().join(path)).unwrap().parse().unwrap()
}

fn names(path: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(path)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn dependencies(manifest: &str) -> BTreeSet<String> {
    toml(manifest)["dependencies"].as_table().unwrap().keys().cloned().collect()
}

fn components() -> Table {
    toml("spin.toml")["component"].as_table().unwrap().clone()
}

fn triggers() -> Vec<(String, String)> {
    let manifest = toml("spin.toml");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    triggers.iter().map(|trigger| (text(&trigger["route"]), text(&trigger["component"]))).collect()
}

/// Returns the application variables that a component's templates use.
fn used_variables(component: &Value) -> BTreeSet<String> {
    let templates = component.get("variables").and_then(Value::as_table);
    let text: String = templates
        .into_iter()
        .flat_map(Table::values)
        .map(|template| template.as_str().unwrap())
        .collect();
    let names = text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap());
    names.map(|name| name.trim().to_owned()).collect()
}

/// Returns path and text of all Rust files below `folder`.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect_rust_files(&root().join(folder), &mut found);
    found
}

fn collect_rust_files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), text));
        }
    }
}

/// Returns the shipped code of a file, which is all but the tests at its end.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn core_depends_on_no_host() {
    let dependencies = dependencies("crates/gateway/Cargo.toml");
    for name in ["spin-sdk", "wasi", "wit-bindgen", "tokio", "futures", "getrandom"] {
        assert!(!dependencies.contains(name), "{name}");
    }
    for (path, text) in rust_files("crates/gateway/src") {
        for absent in ["SystemTime::now", "Instant::now", "std::fs", "std::net", "std::env"] {
            assert!(!text.contains(absent), "{path}: {absent}");
        }
    }
}

#[test]
fn only_the_adapter_depends_on_spin() {
    for component in names("components") {
        let dependencies = dependencies(&format!("components/{component}/Cargo.toml"));
        for name in ["spin-sdk", "wasi", "wit-bindgen"] {
            assert!(!dependencies.contains(name), "{component}: {name}");
        }
    }
}

#[test]
fn every_component_has_a_stanza_a_route_and_cases() {
    let folders = names("components");
    let declared: BTreeSet<String> = components().keys().cloned().collect();
    assert_eq!(folders, declared);
    for component in &folders {
        let package = toml(&format!("components/{component}/Cargo.toml"));
        assert_eq!(package["package"]["name"].as_str(), Some(component.as_str()));
        let route = (format!("/{component}/..."), component.clone());
        assert!(triggers().contains(&route), "{route:?}");
        assert!(!names(&format!("tests/cases/{component}")).is_empty());
        let source = format!("target/wasm32-wasip2/release/{}.wasm", component.replace('-', "_"));
        assert_eq!(components()[component]["source"].as_str(), Some(source.as_str()));
    }
}

#[test]
fn every_component_is_built_and_watched_alike() {
    for (id, component) in components() {
        let build = &component["build"];
        let command = format!("cargo build --package {id} --target wasm32-wasip2 --release");
        assert_eq!(build["command"].as_str(), Some(command.as_str()));
        let own = format!("components/{id}");
        let folders = [own.as_str(), "crates/gateway", "crates/gateway-spin"].into_iter();
        let files = folders.flat_map(|at| [format!("{at}/Cargo.toml"), format!("{at}/src/**/*")]);
        let whole = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml"];
        let expected: Vec<Value> = files.chain(whole.map(str::to_owned)).map(Value::from).collect();
        assert_eq!(build["watch"].as_array(), Some(&expected), "{id}");
    }
}

#[test]
fn component_can_call_only_the_ai_gateway() {
    // The router calls the components of the providers, each by its name, and `tokens` calls no one.
    let siblings = providers().unwrap().into_iter().map(|id| format!("http://{id}.spin.internal"));
    let siblings: BTreeSet<String> = siblings.collect();
    for (id, component) in components() {
        let hosts = component.get("allowed_outbound_hosts").and_then(Value::as_array);
        let hosts = hosts.into_iter().flatten().map(|host| host.as_str().unwrap().to_owned());
        let expected = match id.as_str() {
            "admin" | "tokens" => BTreeSet::new(),
            "v1" => siblings.clone(),
            _ => BTreeSet::from(["{{ ai_gateway_host }}".to_owned()]),
        };
        assert_eq!(hosts.collect::<BTreeSet<_>>(), expected, "{id}");
        // The page that a browser runs gets no store.
        let stores = component.get("key_value_stores").map(Value::to_string);
        let expected = (id != "admin").then(|| r#"["default"]"#.to_owned());
        assert_eq!(stores, expected, "{id}");
    }
}

#[test]
fn component_gets_only_the_variables_it_uses() {
    let code =
        |folder: &str| -> String { rust_files(folder).into_iter().map(|(_, text)| text).collect() };
    let core = code("crates/gateway/src");
    let variables = variables();
    for (id, component) in components() {
        let own = code(&format!("components/{id}/src"));
        for name in used_variables(&component) {
            let mut held =
                variables.settings().filter(|held| variables.holder(held) == Some(&name));
            let is_used = |held: &str| {
                let quoted = format!("\"{held}\"");
                core.contains(&quoted) || own.contains(&quoted)
            };
            assert!(held.any(is_used), "{id} does not use {name}");
        }
    }
}

#[test]
fn page_imports_no_store_settings_or_hosts() {
    build_guests().unwrap();
    let imports = |component: &str, interface: &str| {
        let file = root().join(format!("target/wasm32-wasip2/release/{component}.wasm"));
        let wasm = std::fs::read(file).unwrap();
        wasm.windows(interface.len()).any(|bytes| bytes == interface.as_bytes())
    };
    for interface in [
        "fermyon:spin/key-value",
        "fermyon:spin/variables",
        "wasi:keyvalue/store",
        "wasi:http/outgoing-handler",
    ] {
        assert!(imports("v1", interface) && !imports("admin", interface), "{interface}");
    }
}

#[test]
fn forms_for_keys_offer_every_provider() {
    let settings = components()["tokens"]["variables"]["settings"].as_str().unwrap().to_owned();
    let line = settings.lines().find_map(|line| line.strip_prefix("providers=")).unwrap();
    let offered: BTreeSet<String> = line.split(' ').map(str::to_owned).collect();
    assert_eq!(offered, support::providers().unwrap().into_iter().collect());
}

#[test]
fn component_gets_only_its_own_secrets() {
    let manifest = toml("spin.toml");
    let is_secret = |name: &&String| manifest["variables"][name.as_str()].get("secret").is_some();
    for (id, component) in components() {
        let used = used_variables(&component);
        let secrets: Vec<&str> = used.iter().filter(is_secret).map(String::as_str).collect();
        let own = if id == "tokens" { "admin_token".to_owned() } else { id.replace('-', "_") };
        // The router has no secrets, and one endpoint has no credentials but those in the AI Gateway.
        let mut expected = BTreeSet::from(["ai_gateway", &own]);
        expected.retain(|name| {
            manifest["variables"].get(*name).is_some() && !matches!(id.as_str(), "admin" | "v1")
        });
        assert_eq!(secrets.into_iter().collect::<BTreeSet<_>>(), expected, "{id}");
    }
}

#[test]
fn settings_of_a_variable_begin_with_its_name() {
    let variables = variables();
    for name in variables.settings() {
        let holder = variables.holder(name).unwrap();
        let is_own = match holder {
            "bedrock" => name.starts_with("bedrock_") || name.starts_with("aws_"),
            "ai_gateway" => {
                let others =
                    ["timeout", "bytes", "origins", "usage", "tokens", "billing", "metrics_token"];
                name.starts_with(holder) || others.iter().any(|end| name.ends_with(end))
            }
            "models" => true,
            _ => name.starts_with(holder),
        };
        assert!(is_own, "{name} in {holder}");
    }
}

#[test]
fn every_setting_is_documented() {
    let example = std::fs::read_to_string(root().join(".env.example")).unwrap();
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let operations = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    for name in variables().settings() {
        assert!(example.contains(&format!("SPIN_VARIABLE_{}=", name.to_uppercase())), "{name}");
        assert!(readme.contains(&format!("`{name}`")), "{name}");
        assert!(operations.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn app_has_few_variables() {
    let count = toml("spin.toml")["variables"].as_table().unwrap().len();
    assert!(count <= VARIABLES, "{count} variables: Spin resolves all of them for every request");
}

/// Returns the variables of the app.
fn variables() -> Variables {
    Variables::of_manifest(&std::fs::read_to_string(root().join("spin.toml")).unwrap()).unwrap()
}

#[test]
fn no_shipped_code_lists_the_providers() {
    let folders =
        ["crates/gateway/src", "crates/gateway-spin/src", "components/tokens/src", "xtask/src"];
    let files = folders.into_iter().flat_map(rust_files);
    for (path, text) in files.filter(|(path, _)| !path.ends_with("/tests.rs")) {
        for provider in providers().unwrap() {
            let is_named = without_tests(&text).contains(&format!("\"{provider}\""));
            assert!(!is_named, "{path} names {provider}");
        }
    }
}

#[test]
fn folders_of_the_core_use_only_what_they_may_know() {
    for (folder, forbidden) in [
        (
            "crates/gateway/src/http",
            &["Team", "Record", "Scope", "Provider", "ai_gateway", "models"][..],
        ),
        ("crates/gateway/src/keys", &["Provider", "Upstream", "Route", "ai_gateway", "models"]),
    ] {
        for (path, text) in rust_files(folder) {
            let imports =
                without_tests(&text).lines().filter(|line| line.starts_with("use crate::"));
            for import in imports {
                let mut names = import
                    .split(|character: char| !character.is_alphanumeric() && character != '_');
                let found = names.find(|name| forbidden.contains(name));
                assert_eq!(found, None, "{path}: {import}");
            }
        }
    }
}

#[test]
fn errors_become_responses_in_one_place() {
    let files = ["crates/gateway-spin/src", "components"].into_iter().flat_map(rust_files);
    let files: Vec<(String, String)> = files.collect();
    for call in ERROR_CALLS {
        let calls = files
            .iter()
            .flat_map(|(path, text)| without_tests(text).matches(call).map(move |_| path.as_str()));
        let calls: Vec<&str> = calls.collect();
        assert_eq!(calls.len(), 1, "{call}: {calls:?}");
    }
}

#[test]
fn every_file_is_short() {
    for (path, text) in crate::docs::sources() {
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES, "{}: {lines} lines", path.display());
    }
}

#[test]
fn every_component_is_small() {
    build_guests().unwrap();
    let mut pass_through = 0;
    for component in names("components") {
        let code = root().join("components").join(&component).join("src/lib.rs");
        let code = std::fs::read_to_string(code).unwrap();
        let is_pass_through = code.contains("gateway_spin::ProviderComponent");
        pass_through += usize::from(is_pass_through);
        let most = if is_pass_through { PASS_THROUGH_BYTES } else { OTHER_BYTES };
        let file = format!("target/wasm32-wasip2/release/{}.wasm", component.replace('-', "_"));
        let bytes = std::fs::metadata(root().join(file)).unwrap().len();
        assert!(bytes <= most, "{component}: {bytes}");
    }
    assert_ne!(pass_through, 0, "no component was recognised as a pass-through one");
}

#[test]
fn documents_state_the_sizes_of_components() {
    let (small, large) = (PASS_THROUGH_BYTES / 1000, OTHER_BYTES / 1000);
    let sizes = [format!("{small} KB"), format!("{},{:03} KB", large / 1000, large % 1000)];
    for file in ["README.md", "ARCHITECTURE.md"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(sizes.iter().all(|size| text.contains(size)), "{file}: {sizes:?}");
    }
}
