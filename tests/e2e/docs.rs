//! Checks that everything the documents refer to exists: linked files, named tests and named cases.

use std::path::{Path, PathBuf};

use support::root;

/// Returns the documents, each with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/adr", "deploy"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// Returns all Rust files below the folders of code.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    let mut folders: Vec<PathBuf> =
        ["components", "crates", "tests", "xtask"].iter().map(|name| root().join(name)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = path.file_name().unwrap_or_default();
                folders.extend((name != "node_modules" && name != ".venv").then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn every_link_has_a_target() {
    let mut links = 0;
    for (document, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || link.contains("://") {
                continue;
            }
            let target = document.parent().unwrap().join(file);
            assert!(target.exists(), "{}: {link}", document.display());
            links += 1;
        }
    }
    assert!(links > 30, "{links} links");
}

#[test]
fn every_named_version_of_a_client_is_locked() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let locks = ["node/package.json", "agents/package.json", "python/requirements.txt"];
    let locked: String = locks
        .into_iter()
        .chain(["agents/requirements.txt"])
        .map(|lock| read(&format!("tests/sdk/{lock}")))
        .collect();
    let mut named = 0;
    for line in ["README.md", "docs/agents.md"].map(read).concat().lines() {
        for (name, version) in versions(line) {
            let is_locked = [format!("\"{name}\": \"{version}\""), format!("\n{name}=={version} ")]
                .iter()
                .any(|entry| locked.contains(entry));
            assert!(is_locked, "{name} {version}: {line}");
            named += 1;
        }
    }
    assert!(named > 12, "{named} versions");
}

/// Returns the packages of a line whose versions follow them, as in "`openai` 7.57.0".
fn versions(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let spans: Vec<&str> = line.split('`').collect();
    let pairs: Vec<_> = spans.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().filter_map(|(name, after)| {
        let version = after.split([' ', ',']).nth(1)?;
        let is_version =
            version.contains('.') && version.split('.').all(|part| part.parse::<u32>().is_ok());
        is_version.then_some((name, version))
    })
}

#[test]
fn every_named_test_exists() {
    let sources = sources();
    let mut named = 0;
    for (document, text) in documents() {
        for name in code_spans(&text).filter(|span| is_test(span)) {
            let (module, function) = name.rsplit_once("::").unwrap();
            let file = module.rsplit(['/', ':']).next().unwrap();
            let is_there = |(path, source): &(PathBuf, String)| {
                is_of(path, file) && source.contains(&format!("fn {function}("))
            };
            let is_known = function == "*" || sources.iter().any(is_there);
            assert!(is_known, "{}: {name}", document.display());
            named += 1;
        }
    }
    assert!(named > 80, "{named} tests");
}

#[test]
fn every_named_case_exists() {
    let mut named = 0;
    for (document, text) in documents() {
        for name in code_spans(&text).filter(|span| is_case(span)) {
            let (routes, case) = name.split_once('/').unwrap();
            let cases = root().join("tests/cases");
            let is_there = |route: &Path| route.join(case).is_dir();
            let is_known = match routes {
                "*" => std::fs::read_dir(&cases).unwrap().any(|it| is_there(&it.unwrap().path())),
                route => is_there(&cases.join(route)),
            };
            assert!(is_known, "{}: {name}", document.display());
            named += 1;
        }
    }
    assert!(named > 20, "{named} cases");
}

fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Checks whether `span` is `file::function`, the file with or without its folder.
fn is_test(span: &str) -> bool {
    let is_name =
        |character: char| character.is_ascii_lowercase() || "_/:*0123456789".contains(character);
    span.contains("::") && !span.contains("://") && span.chars().all(is_name)
}

/// Checks whether `span` is `route/case`. A name with two underscores is a case's and not a file's.
fn is_case(span: &str) -> bool {
    let is_route = |route: &str| route == "*" || root().join("tests/cases").join(route).is_dir();
    span.split_once('/').is_some_and(|(route, case)| {
        let is_name =
            |character: char| character.is_ascii_lowercase() || "_0123456789".contains(character);
        is_route(route) && case.matches('_').count() >= 2 && case.chars().all(is_name)
    })
}

/// Checks whether `path` is the file of the module `name`, or of one within it.
fn is_of(path: &Path, name: &str) -> bool {
    path.iter().any(|part| part == name) || path.file_stem().is_some_and(|stem| stem == name)
}
