//! The workflows of GitHub Actions: what they run, and with which rights.

use serde_json::Value;
use support::root;

/// Returns the workflows, by their file names.
fn workflows() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(root().join(".github/workflows")).unwrap();
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        (path.display().to_string(), serde_saphyr::from_str(&text).unwrap())
    };
    files.map(read).collect()
}

/// Returns the jobs of a workflow, by their names.
fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().unwrap().iter()
}

fn steps(job: &Value) -> &[Value] {
    job["steps"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn actions_are_pinned_by_hash() {
    let mut pinned = 0;
    for (file, workflow) in workflows() {
        for step in jobs(&workflow).flat_map(|(_, job)| steps(job)) {
            let Some(action) = step["uses"].as_str() else { continue };
            let hash = action.split_once('@').map_or("", |(_, hash)| hash);
            let is_hash = hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_hash, "{file}: {action}");
            pinned += 1;
        }
    }
    assert!(pinned > 5, "{pinned} actions");
}

#[test]
fn job_that_may_write_builds_nothing() {
    let mut writers = Vec::new();
    for (file, workflow) in workflows() {
        assert_eq!(workflow["permissions"].to_string(), r#"{"contents":"read"}"#, "{file}");
        for (name, job) in jobs(&workflow) {
            if !job["permissions"].to_string().contains("write") {
                continue;
            }
            writers.push(name.clone());
            for step in steps(job) {
                let run = step["run"].as_str().unwrap_or_default();
                let builds = ["cargo", "npm", "pip", ".ci/run"].iter().any(|it| run.contains(it));
                assert!(!builds, "{file}: {name}: {run}");
            }
        }
    }
    assert_eq!(writers, ["publish"]);
}
