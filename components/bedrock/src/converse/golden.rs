//! Cases in files, for tests.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The files of a folder with this ending, by their names without it.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect()
}

/// The cases in a folder of `golden` that are JSON documents.
pub(crate) fn cases(folder: &str) -> Vec<(String, Value)> {
    let read = |path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    files(&format!("golden/{folder}"), "json")
        .into_iter()
        .map(|(name, path)| (name, read(path)))
        .collect()
}
