//! Checks the English of comments, documents and messages.
//!
//! Two rules: no phrase of `wording/phrases.txt` is used, and the documentation of a function
//! starts with a verb of `wording/verbs.txt`. Text in backticks is exempt.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use regex_lite::Regex;

use crate::{cargo, say};

const PHRASES: &str = include_str!("../wording/phrases.txt");
const VERBS: &str = include_str!("../wording/verbs.txt");

/// Folders that hold nothing written by hand.
const SKIPPED: [&str; 7] = [".git", ".venv", "deps", "golden", "node_modules", "target", "wording"];

/// Checks every file of the project.
///
/// # Errors
/// A rule is broken; each place is printed.
pub(crate) fn check() -> Result<()> {
    let rules = Rules::parse()?;
    let mut files = Vec::new();
    collect_files(&cargo::root(), &mut files)?;
    files.sort();
    let mut faults = 0;
    for file in &files {
        let Ok(text) = std::fs::read_to_string(file) else {
            continue;
        };
        let name = file.strip_prefix(cargo::root()).unwrap_or(file).display();
        for (line, fault) in rules.faults(file, &text) {
            say(&format!("{name}:{line}: {fault}"));
            faults += 1;
        }
    }
    ensure!(faults == 0, "the wording has {faults} faults (the rules are in xtask/wording/)");
    Ok(())
}

/// Collects the files below `folder` that people write.
fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !SKIPPED.contains(&name.as_str()) && !path.is_symlink() {
            collect_files(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The rules, compiled.
struct Rules {
    phrases: Vec<(Regex, &'static str)>,
    code: Regex,
    string: Regex,
    function: Regex,
}

impl Rules {
    /// Parses both lists.
    fn parse() -> Result<Self> {
        let lines = PHRASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let phrases = lines.map(|line| {
            let (phrase, instead) = line.split_once(" => ").context("a phrase needs ` => `")?;
            Ok((Regex::new(&format!(r"(?i)\b(?:{phrase})\b"))?, instead))
        });
        Ok(Self {
            phrases: phrases.collect::<Result<_>>()?,
            code: Regex::new("`[^`]*`")?,
            string: Regex::new(r#""((?:[^"\\]|\\.)*)""#)?,
            function: Regex::new(
                r"^\s*(?:pub(?:\([a-z]+\))? )?(?:const |async |unsafe |extern \S+ )*fn ",
            )?,
        })
    }

    /// Returns the number and the fault of each line of `text` that breaks a rule.
    fn faults(&self, file: &Path, text: &str) -> Vec<(usize, String)> {
        let mut faults = Vec::new();
        for (number, prose) in self.prose(file, text) {
            let prose = self.code.replace_all(&prose, "`…`");
            for (phrase, instead) in &self.phrases {
                if let Some(found) = phrase.find(&prose) {
                    faults.push((number, format!("`{}`: write {instead}", found.as_str())));
                }
            }
        }
        if has_extension(file, &["rs"]) {
            faults.extend(self.missing_verbs(text));
        }
        faults
    }

    /// Returns the lines of `text` that a person reads as English, each with its number.
    fn prose(&self, file: &Path, text: &str) -> Vec<(usize, String)> {
        let numbered = (1..).zip(text.lines());
        if has_extension(file, &["md"]) {
            return without_fences(text);
        }
        if has_extension(file, &["rs"]) {
            let tests = text.find("#[cfg(test)]").filter(|_| !is_test(file));
            let shipped = text.get(..tests.unwrap_or(text.len())).unwrap_or(text).lines().count();
            let shipped = if is_test(file) { 0 } else { shipped };
            return numbered
                .filter_map(|(number, line)| Some((number, self.of_rust(line, number <= shipped)?)))
                .collect();
        }
        let mark = match file.extension().and_then(|name| name.to_str()) {
            Some("json") if file.ends_with("openapi.json") => "\"",
            Some("js" | "mjs" | "wit") => "//",
            Some("toml" | "yaml" | "yml" | "py" | "sh" | "example") => "#",
            _ => return Vec::new(),
        };
        let comment = |line: &str| line.split_once(mark).map(|(_, rest)| rest.to_owned());
        numbered.filter_map(|(number, line)| Some((number, comment(line)?))).collect()
    }

    /// Returns the comment and, in shipped code, the strings of a line of Rust.
    fn of_rust(&self, line: &str, is_shipped: bool) -> Option<String> {
        let plain = self.string.replace_all(line, "\"\"");
        let mut prose =
            plain.split_once("//").map(|(_, comment)| comment.to_owned()).unwrap_or_default();
        if is_shipped && !line.trim_start().starts_with("//") {
            for string in self.string.captures_iter(line).filter_map(|found| found.get(1)) {
                prose = format!("{prose} | {}", string.as_str());
            }
        }
        (!prose.is_empty()).then_some(prose)
    }

    /// Returns the functions whose documentation does not start with a verb.
    fn missing_verbs(&self, text: &str) -> Vec<(usize, String)> {
        let mut faults = Vec::new();
        let mut first: Option<(usize, &str)> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let trimmed = line.trim_start();
            if let Some(comment) = trimmed.strip_prefix("///") {
                first = first.or(Some((number, comment.trim())));
            } else if self.function.is_match(line) {
                let (number, sentence) = first.take().unwrap_or((number, "Returns"));
                let word = sentence.split([' ', ',', '.', ':']).next().unwrap_or_default();
                if !VERBS.lines().any(|verb| verb == word) {
                    faults.push((number, format!("`{word}`: start with a verb of verbs.txt")));
                }
            } else if !is_attribute(trimmed) {
                first = None;
            }
        }
        faults
    }
}

/// Checks whether a line belongs to an attribute, which stands between a comment and its function.
fn is_attribute(line: &str) -> bool {
    line.starts_with("#[") || line.starts_with("reason =") || line.starts_with(")]")
}

/// Checks whether a Rust file holds only tests.
fn is_test(file: &Path) -> bool {
    let name = file.file_stem().unwrap_or_default();
    name == "tests"
        || file.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "fuzz")
}

fn has_extension(file: &Path, names: &[&str]) -> bool {
    file.extension().is_some_and(|found| names.iter().any(|name| found == *name))
}

/// Returns the lines of a Markdown text that are not in a fenced block.
fn without_fences(text: &str) -> Vec<(usize, String)> {
    let mut is_code = false;
    let prose = (1..).zip(text.lines()).filter(|(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    prose.map(|(number, line)| (number, line.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(file: &str, text: &str) -> Vec<String> {
        let found = Rules::parse().unwrap().faults(Path::new(file), text);
        found.into_iter().map(|(line, fault)| format!("{line}: {fault}")).collect()
    }

    #[test]
    fn faults_finds_phrases_in_comments_documents_and_messages() {
        for (file, text) in [
            ("a.rs", "// It was told so."),
            ("a.rs", "let text = \"it was told so\";"),
            ("a.md", "It was told so."),
            ("a.toml", "x = 1 # it was told so"),
            ("openapi.json", "\"description\": \"It was told so\""),
        ] {
            assert_eq!(faults(file, text), ["1: `told`: write said, reported, given"], "{text}");
        }
    }

    #[test]
    fn faults_leaves_code_alone() {
        for (file, text) in [
            ("a.rs", "/// Returns `told`.\nfn told() {}"),
            ("tests/a.rs", "let text = \"it was told so\";"),
            ("a.md", "```\nIt was told so.\n```"),
            ("a.toml", "told = 1"),
        ] {
            assert_eq!(faults(file, text), [""; 0], "{text}");
        }
    }

    #[test]
    fn faults_finds_functions_without_a_verb() {
        let attribute = "/// The name.\n#[must_use]\npub fn name() {}";
        assert_eq!(faults("a.rs", attribute), ["1: `The`: start with a verb of verbs.txt"]);
        for text in
            ["/// Returns the name.\nfn name() {}", "/// The name.\nstruct Name;\nfn a() {}"]
        {
            assert_eq!(faults("a.rs", text), [""; 0], "{text}");
        }
    }
}
