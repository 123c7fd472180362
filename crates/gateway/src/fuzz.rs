//! Fuzz targets: what must hold whatever comes in. `fuzz/` has their seeds, CONTRIBUTING.md the
//! command that tries a million inputs.

mod body;
mod cloudflare;
mod key;
mod multipart;
mod url;

use std::path::{Path, PathBuf};

use corpus::Corpus;

/// The seeds of a target.
fn seeds(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(target)
}

/// A corpus of one seed a file.
fn files(target: &str, words: &str) -> Corpus {
    Corpus::read_files(seeds(target), words).unwrap()
}

/// A corpus of one seed a line.
fn lines(target: &str, words: &str) -> Corpus {
    Corpus::read_lines(seeds(target), words).unwrap()
}
