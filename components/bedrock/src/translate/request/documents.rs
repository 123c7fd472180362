//! Names of documents: Bedrock allows few characters, and no duplicates within a request.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The maximum length of a name.
const MAX_LENGTH: usize = 200;
/// The maximum length of the file's own name: the rest is for the number of a duplicate.
const MAX_OWN: usize = 190;
/// The name of a document without a usable one.
const UNNAMED: &str = "document";

/// The names of one request's documents, each with the last number that was tried for it.
#[derive(Debug, Default)]
pub(crate) struct Titles(BTreeMap<Cow<'static, str>, usize>);

impl Titles {
    /// Returns a name for the file `filename` that no other document has.
    pub(crate) fn name(&mut self, filename: Option<&str>) -> String {
        let name = filename.map(clean).filter(|name| has_letter(name));
        let name = name.unwrap_or_else(|| UNNAMED.to_owned());
        let mut number = self.0.get(name.as_str()).copied().unwrap_or_default();
        let unique = loop {
            number += 1;
            let candidate = numbered(&name, number);
            if !self.0.contains_key(candidate.as_str()) {
                break candidate;
            }
        };
        self.0.insert(Cow::Owned(name), number);
        self.0.entry(Cow::Owned(unique.clone())).or_insert(1);
        unique
    }
}

/// Returns `name` for the first document, then `name-2`, `name-3` and so on.
fn numbered(name: &str, number: usize) -> String {
    if number == 1 {
        return name.to_owned();
    }
    let suffix = format!("-{number}");
    let stem = name.get(..MAX_LENGTH.saturating_sub(suffix.len())).unwrap_or(name);
    format!("{stem}{suffix}")
}

/// Replaces the characters of `filename` that are not allowed, and removes its extension.
fn clean(filename: &str) -> String {
    let mut name = String::new();
    for word in stem(filename).split_whitespace() {
        // Checked word by word, because a file name may have megabytes.
        if name.len() >= MAX_OWN {
            break;
        }
        let space = if name.is_empty() { "" } else { " " };
        name.push_str(space);
        name.extend(word.chars().map(allowed).take(MAX_OWN - name.len()));
    }
    name.truncate(name.trim_end().len());
    name
}

/// Returns `filename` up to its extension, if it seems to have one.
fn stem(filename: &str) -> &str {
    match filename.trim().rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && is_extension(extension) => stem,
        _ => filename,
    }
}

/// Checks whether `text` looks like a file's extension.
fn is_extension(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns `character`, or a hyphen if Bedrock does not allow it.
fn allowed(character: char) -> char {
    let is_allowed = character.is_ascii_alphanumeric() || " -()[]".contains(character);
    if is_allowed { character } else { '-' }
}

/// Checks whether anything readable is left of a name.
fn has_letter(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_with_invalid_characters_is_cleaned() {
        for (filename, expected) in [
            (Some("report.pdf"), "report"),
            (Some("a.b.docx"), "a-b"),
            (Some("Q3. final results"), "Q3- final results"),
            (Some(" a \t\n b (1) [x]-y.csv "), "a b (1) [x]-y"),
            (Some("under_score/näme.md"), "under-score-n-me"),
            (Some(".pdf"), "-pdf"),
            (Some("报告.pdf"), "document"),
            (Some("  "), "document"),
            (None, "document"),
        ] {
            assert_eq!(Titles::default().name(filename), expected, "{filename:?}");
        }
    }

    #[test]
    fn name_of_a_duplicate_is_numbered() {
        let mut titles = Titles::default();
        let mut name = |filename| titles.name(Some(filename));
        let names = ["a.pdf", "a.csv", "a-2.txt", "a", "a-2"].map(&mut name);
        assert_eq!(names, ["a", "a-2", "a-2-2", "a-3", "a-2-3"]);
        assert_eq!([titles.name(None), titles.name(None)], ["document", "document-2"]);
    }

    #[test]
    fn name_that_is_too_long_is_cut_and_unique() {
        let long = "x".repeat(300);
        let mut titles = Titles::default();
        let names = [titles.name(Some(&long)), titles.name(Some(&long))];
        assert_eq!(names.clone().map(|name| name.len()), [190, 192]);
        assert!(names[1].ends_with("x-2"), "{}", names[1]);
    }
}
