//! The Redis that holds the keys.

use serde_json::Value;

use super::{Files, all, list};

/// Checks that Redis writes to a volume, and neither evicts a key nor needs more memory than it gets.
pub(super) fn keeps_every_key(files: &Files) -> Vec<String> {
    let pod = &files.named("Deployment", "ai-gateway-redis")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let args = list(&container["args"]);
    let option = |name: &str| {
        let place = args.iter().position(|arg| *arg == name);
        place.and_then(|place| args.get(place + 1)).and_then(Value::as_str).unwrap_or_default()
    };
    let claim = files.named("PersistentVolumeClaim", "ai-gateway-redis");
    let megabytes = |text: &str, unit| text.trim_end_matches(unit).parse::<u64>().unwrap_or(0);
    let limit = container["resources"]["limits"]["memory"].as_str().unwrap_or_default();
    let memory = megabytes(option("--maxmemory"), "mb");
    let holds = [
        ("redis: policy", option("--maxmemory-policy") == "noeviction"),
        ("redis: append-only", option("--appendonly") == "yes"),
        ("redis: memory", memory > 0 && 2 * memory < megabytes(limit, "Mi")),
        ("redis: claim", all(&pod["volumes"], "claimName") == [claim["metadata"]["name"].clone()]),
        ("redis: mount", all(&container["volumeMounts"], "mountPath") == ["/data"]),
    ];
    let broken = holds.into_iter().filter(|(_, right)| !right);
    broken.map(|(what, _)| what.to_owned()).collect()
}
