//! Golden cases: each file of a folder is a test of its own, and its snapshot shows input and
//! output.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

/// Declares a test for each case of a folder, and one that checks that no file is left out.
macro_rules! golden_cases {
    ($folder:literal, $check:path: $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $check(stringify!($case));
            }
        )*

        #[test]
        fn every_file_is_a_case() {
            let files = crate::translate::golden::files(concat!("golden/", $folder));
            let names: Vec<String> = files.into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, [$(stringify!($case)),*]);
        }
    };
}

pub(crate) use golden_cases;

/// Lists the inputs in a folder by name, in alphabetical order.
pub(crate) fn files(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension != "snap"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    files.sort();
    files
}

/// Reads the case `name` of a folder, which is a JSON document.
pub(crate) fn case(folder: &str, name: &str) -> Value {
    let path = format!("{}/golden/{folder}/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Compares `output` with the snapshot `name` of a folder, whose header shows the `input`.
#[track_caller]
pub(crate) fn assert_snapshot(folder: &str, name: &str, input: &impl Serialize, output: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_info(input);
    settings.bind(|| insta::assert_snapshot!(name, output));
}
