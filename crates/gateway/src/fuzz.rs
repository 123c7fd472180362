//! Fuzz targets: what must hold for every input. `fuzz/` has their seeds, CONTRIBUTING.md the command
//! that tries a million inputs.

mod ai_gateway_error;
mod api_key;
mod body;
mod multipart;
mod target;

use std::path::{Path, PathBuf};

use corpus::Corpus;

/// Returns the path of a target's seeds.
fn seeds(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(target)
}

/// Reads a corpus of one seed per file.
fn files(target: &str, words: &str) -> Corpus {
    Corpus::read_files(seeds(target), words).unwrap()
}

/// Reads a corpus of one seed per line.
fn lines(target: &str, words: &str) -> Corpus {
    Corpus::read_lines(seeds(target), words).unwrap()
}
