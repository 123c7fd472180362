//! Checks the files of `deploy/` against SpinKube's schemas, the settings and routes of `spin.toml`,
//! and each other.

mod redis;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use support::root;
use toml::Table;

/// The schemas of SpinKube's custom resources; the file says where they are published.
const SPINKUBE: &str = include_str!("spinapp.schema.json");

/// The label of an app's pods: `NameLabelKey` and `OperatorResourceKeyspace` in
/// <https://github.com/spinframework/spin-operator/blob/v0.6.1/pkg/spinapp/spinapp.go>.
const APP_LABEL: &str = "core.spinkube.dev/app-name";

/// The path that Spin serves without running a component.
const LIVENESS_PATH: &str = "/.well-known/spin/health";

/// The port at which the operator makes an app listen: `DefaultHTTPPort`, in the same file.
const APP_PORT: &str = "80";

/// The kinds that `deploy/` may use, with their versions.
const KINDS: [(&str, &str); 8] = [
    ("CiliumNetworkPolicy", "cilium.io/v2"),
    ("Deployment", "apps/v1"),
    ("NetworkPolicy", "networking.k8s.io/v1"),
    ("PersistentVolumeClaim", "v1"),
    ("Secret", "v1"),
    ("Service", "v1"),
    ("SpinApp", "core.spinkube.dev/v1alpha1"),
    ("SpinAppExecutor", "core.spinkube.dev/v1alpha1"),
];

/// A check of the files, which returns the problems it finds.
type Check = fn(&Files) -> Vec<String>;

/// The rules, each with its check.
const RULES: [(&str, Check); 15] = [
    ("kinds are known", kinds),
    ("custom resources have SpinKube's shape", shapes),
    ("the executor exists and has TLS certificates", executor),
    ("image and manifest are of this version", image),
    ("variables are those of spin.toml", variables),
    ("secrets, and no other settings, are read from Secrets", secrets::secret_variables),
    ("the secrets that are referenced are in the example", secrets::references),
    ("the example contains no secret", secrets::example_secrets),
    ("the lines of the example are settings", secrets::example_settings),
    ("the store is Redis, by a secret URL", store),
    ("Redis keeps every key", redis::keeps_every_key),
    ("probes request paths that are served", probes),
    ("a request gets less memory than its pod", memory),
    ("policies allow the ingress, and egress to DNS, AI Gateway and Redis", policies),
    ("runtime configs name the store and pool connections", runtime_configs),
];

/// The files that are checked, by their paths.
#[derive(Clone)]
struct Files(BTreeMap<String, String>);

impl Files {
    fn read() -> Self {
        let mut files = BTreeMap::new();
        for folder in ["deploy/spinkube", "deploy/runtime-config"] {
            for entry in std::fs::read_dir(root().join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let path = format!("{folder}/{name}");
                files.insert(path.clone(), std::fs::read_to_string(root().join(path)).unwrap());
            }
        }
        for path in ["spin.toml", "Cargo.toml"] {
            files.insert(path.into(), std::fs::read_to_string(root().join(path)).unwrap());
        }
        Self(files)
    }

    fn toml(&self, path: &str) -> Table {
        self.0[path].parse().unwrap()
    }

    /// Returns all documents for Kubernetes.
    fn documents(&self) -> Vec<Value> {
        let yaml = self.0.iter().filter(|(path, _)| path.starts_with("deploy/spinkube/"));
        yaml.flat_map(|(_, text)| serde_saphyr::from_multiple::<Value>(text).unwrap()).collect()
    }

    fn of_kind(&self, kind: &str) -> Vec<Value> {
        self.documents().into_iter().filter(|document| document["kind"] == kind).collect()
    }

    fn named(&self, kind: &str, name: &str) -> Value {
        let documents = self.of_kind(kind);
        let found = documents.into_iter().find(|document| document["metadata"]["name"] == name);
        found.unwrap_or_default()
    }

    fn app(&self) -> Value {
        self.of_kind("SpinApp").pop().unwrap_or_default()
    }

    /// Returns the settings, and whether each is secret.
    fn settings(&self) -> BTreeMap<String, bool> {
        let settings = self.toml("spin.toml")["variables"].as_table().unwrap().clone();
        let is_secret = |setting: &toml::Value| setting.get("secret").is_some();
        settings.into_iter().map(|(name, setting)| (name, is_secret(&setting))).collect()
    }

    /// Returns the value that the example has for `key` of the secret `name`.
    fn example(&self, name: &str, key: &str) -> Option<String> {
        let text = &self.0["deploy/spinkube/secrets.example.yaml"];
        let secrets = serde_saphyr::from_multiple::<Value>(text).unwrap();
        let secret = secrets.into_iter().find(|secret| secret["metadata"]["name"] == name)?;
        secret["stringData"][key].as_str().map(str::to_owned)
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// Returns `problem`, unless the files are `right`.
fn unless(right: bool, problem: impl Into<String>) -> Vec<String> {
    if right { Vec::new() } else { vec![problem.into()] }
}

/// Collects the values of all members `name`, at any depth.
fn members(value: &Value, name: &str, found: &mut Vec<Value>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(name).cloned());
            object.values().for_each(|inner| members(inner, name, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| members(inner, name, found)),
        _ => {}
    }
}

fn all(value: &Value, name: &str) -> Vec<Value> {
    let mut found = Vec::new();
    members(value, name, &mut found);
    found
}

// === Rules ===

fn kinds(files: &Files) -> Vec<String> {
    let documents = files.documents().into_iter();
    let named =
        documents.map(|document| [document["kind"].clone(), document["apiVersion"].clone()]);
    let unknown =
        named.filter(|named| !KINDS.iter().any(|(kind, version)| named == &[*kind, *version]));
    unknown.map(|[kind, version]| format!("{kind} {version}")).collect()
}

fn shapes(files: &Files) -> Vec<String> {
    let mut problems = Vec::new();
    for kind in ["SpinApp", "SpinAppExecutor"] {
        let mut schema: Value = serde_json::from_str(SPINKUBE).unwrap();
        schema["$ref"] = json!(format!("#/$defs/{kind}"));
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let documents = files.of_kind(kind);
        problems.extend(unless(documents.len() == 1, format!("{} {kind}", documents.len())));
        for error in validator.iter_errors(documents.first().unwrap_or(&Value::Null)) {
            problems.push(format!("{kind}{}: {error}", error.instance_path()));
        }
    }
    problems
}

fn executor(files: &Files) -> Vec<String> {
    let app = files.app();
    let name = app["spec"]["executor"].as_str().unwrap_or_default();
    let config = &files.named("SpinAppExecutor", name)["spec"]["deploymentConfig"];
    unless(config["installDefaultCACerts"] == true, format!("{name}: no certificates"))
}

fn image(files: &Files) -> Vec<String> {
    let version = files.toml("Cargo.toml")["workspace"]["package"]["version"].clone();
    let tag = format!(":v{}", version.as_str().unwrap());
    let app = files.app();
    let image = app["spec"]["image"].as_str().unwrap_or_default();
    let same = files.toml("spin.toml")["application"]["version"] == version;
    let mut problems = unless(image.ends_with(&tag), format!("{image} is not {tag}"));
    problems.extend(unless(same, "spin.toml has another version"));
    problems
}

fn variables(files: &Files) -> Vec<String> {
    let settings = files.settings();
    let mut seen = BTreeSet::new();
    let names = list(&files.app()["spec"]["variables"]).into_iter();
    let names = names.map(|variable| variable["name"].as_str().unwrap_or_default().to_owned());
    names.filter(|name| !settings.contains_key(name) || !seen.insert(name.clone())).collect()
}

fn store(files: &Files) -> Vec<String> {
    let stores = list(&files.app()["spec"]["runtimeConfig"]["keyValueStores"]);
    let expected = json!([{
        "name": "default",
        "type": "redis",
        "options": [{
            "name": "url",
            "valueFrom": {"secretKeyRef": {"name": "ai-gateway-redis", "key": "url"}}
        }]
    }]);
    let url = files.example("ai-gateway-redis", "url").unwrap_or_default();
    let service = files.named("Service", "ai-gateway-redis");
    let port = &service["spec"]["ports"][0]["port"];
    let place = format!("@ai-gateway-redis:{port}");
    let pods = &files.named("Deployment", "ai-gateway-redis")["spec"]["template"]["metadata"];
    let mut problems = unless(json!(stores) == expected, json!(stores).to_string());
    problems.extend(unless(url.ends_with(&place), format!("{url} is not {place}")));
    problems.extend(unless(service["spec"]["selector"] == pods["labels"], "no pod is selected"));
    problems
}

fn probes(files: &Files) -> Vec<String> {
    let checks = &files.app()["spec"]["checks"];
    let path = |probe: &str| checks[probe]["httpGet"]["path"].clone();
    let manifest = files.toml("spin.toml");
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    let mut routes = triggers.iter().filter_map(|trigger| trigger["route"].as_str());
    let is_served = routes.any(|route| path("readiness") == route);
    let mut problems = unless(path("liveness") == LIVENESS_PATH, "liveness");
    problems.extend(unless(is_served, format!("{} is no route", path("readiness"))));
    problems
}

/// Checks the rule of SpinKube's operator that a request may not have more memory than its pod.
fn memory(files: &Files) -> Vec<String> {
    let spec = &files.app()["spec"];
    let request = mebibytes(&spec["invocationLimits"]["memory"]);
    let pod = mebibytes(&spec["resources"]["limits"]["memory"]);
    // Bedrock's component takes up to four times a large body.
    let manifest = files.toml("spin.toml");
    let settings = manifest["variables"]["ai_gateway"]["default"].as_str().unwrap();
    let body = settings.lines().find_map(|line| line.strip_prefix("max_body_bytes=")).unwrap();
    let needed = 4 * body.parse::<u64>().unwrap() / (1024 * 1024);
    let fits = request.is_some_and(|request| request >= needed) && request <= pod;
    unless(fits, format!("{request:?} MiB of {pod:?}, {needed} MiB needed"))
}

fn mebibytes(quantity: &Value) -> Option<u64> {
    let text = quantity.as_str()?;
    let gibibytes = || text.strip_suffix("Gi")?.parse::<u64>().ok()?.checked_mul(1024);
    text.strip_suffix("Mi").and_then(|number| number.parse().ok()).or_else(gibibytes)
}

fn policies(files: &Files) -> Vec<String> {
    let app = files.app()["metadata"]["name"].clone();
    let name = app.as_str().unwrap_or_default();
    let standard = files.named("NetworkPolicy", name)["spec"].clone();
    let cilium = files.named("CiliumNetworkPolicy", name)["spec"].clone();
    let redis = files.named("NetworkPolicy", "ai-gateway-redis")["spec"].clone();
    let redis_pods = files.named("Service", "ai-gateway-redis")["spec"]["selector"].clone();
    let pods = json!({ APP_LABEL: app });
    let hosts = json!([{"matchName": gateway_host(files)}]);
    let both = json!(["Ingress", "Egress"]);
    let holds = [
        ("standard: pods", standard["podSelector"]["matchLabels"] == pods),
        ("standard: types", standard["policyTypes"] == both),
        ("standard: ingress", ports(&standard["ingress"]) == [APP_PORT]),
        ("standard: from", list(&standard["ingress"]).iter().all(|rule| has_one(&rule["from"]))),
        ("standard: egress", ports(&standard["egress"]) == ["443", "53", "6379"]),
        ("standard: to", list(&standard["egress"]).iter().all(|rule| !rule["to"].is_null())),
        ("standard: private networks", excludes_private_networks(&standard)),
        ("standard: redis", all(&standard["egress"], "matchLabels").contains(&redis_pods)),
        ("cilium: pods", cilium["endpointSelector"]["matchLabels"] == pods),
        ("cilium: ingress", ports(&cilium["ingress"]) == [APP_PORT]),
        ("cilium: from", all(&cilium["ingress"], "fromEndpoints").iter().all(has_one)),
        ("cilium: egress", ports(&cilium["egress"]) == ["443", "53", "6379"]),
        ("cilium: host", all(&cilium, "toFQDNs") == [hosts]),
        ("cilium: addresses", all(&cilium, "toCIDR").is_empty()),
        ("cilium: redis", all(&cilium["egress"], "matchLabels").contains(&redis_pods)),
        ("redis: pods", redis["podSelector"]["matchLabels"] == redis_pods),
        ("redis: types", redis["policyTypes"] == both),
        ("redis: from", all(&redis["ingress"], "matchLabels") == [pods]),
        ("redis: egress", redis["egress"].is_null()),
    ];
    let broken = holds.into_iter().filter(|(_, right)| !right);
    broken.map(|(what, _)| what.to_owned()).collect()
}

fn has_one(peers: &Value) -> bool {
    list(peers).len() == 1
}

fn ports(rules: &Value) -> Vec<String> {
    let ports = all(rules, "port").into_iter();
    let text = |port: Value| port.as_str().map_or_else(|| port.to_string(), str::to_owned);
    ports.map(text).collect::<BTreeSet<_>>().into_iter().collect()
}

fn excludes_private_networks(policy: &Value) -> bool {
    let excluded = all(policy, "except").iter().flat_map(list).collect::<Vec<_>>();
    let private =
        ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];
    let private = private.into_iter().chain(["fc00::/7", "fe80::/10"]);
    private.into_iter().all(|network| excluded.contains(&json!(network)))
}

/// Returns the host that the app may call by default.
fn gateway_host(files: &Files) -> String {
    let manifest = files.toml("spin.toml");
    let default = manifest["variables"]["ai_gateway_host"]["default"].as_str().unwrap();
    default.trim_start_matches("https://").to_owned()
}

fn runtime_configs(files: &Files) -> Vec<String> {
    let mut problems = Vec::new();
    for (file, kind) in [("sqlite", "spin"), ("redis", "redis")] {
        let config = files.toml(&format!("deploy/runtime-config/{file}.toml"));
        let stores = config.get("key_value_store").and_then(toml::Value::as_table);
        let default = stores.and_then(|stores| stores.get("default"));
        let of_kind = default.is_some_and(|store| store["type"].as_str() == Some(kind));
        let alone = stores.is_some_and(|stores| stores.len() == 1);
        problems.extend(unless(of_kind && alone, format!("{file}: the store")));
        // Spin's default for a missing field of the table is `false`:
        // https://github.com/spinframework/spin/blob/v4.1.0/crates/factor-outbound-http/src/runtime_config/spin.rs
        let http = config.get("outbound_http");
        let pools = http.is_none_or(|http| {
            http.get("connection_pooling").and_then(toml::Value::as_bool) == Some(true)
        });
        problems.extend(unless(pools, format!("{file}: pooling is off")));
    }
    problems
}

#[test]
fn deployment_files_match_the_app() {
    let files = Files::read();
    for (rule, check) in RULES {
        assert_eq!(check(&files), Vec::<String>::new(), "{rule}");
    }
}

/// Applies changes that each break one rule. A rule that none of them breaks might check nothing.
#[test]
fn every_rule_detects_a_broken_file() {
    let mut unbroken: BTreeSet<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    for line in include_str!("deploy.broken").lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [rule, path, from, to] = parts.try_into().unwrap();
        let mut files = Files::read();
        let text = files.0.get_mut(&format!("deploy/{path}")).unwrap();
        assert!(text.contains(from), "{line}");
        *text = text.replacen(from, &to.replace("\\n", "\n"), 1);
        let (rule, check) = RULES.iter().find(|(known, _)| known.starts_with(rule)).unwrap();
        assert_ne!(check(&files), Vec::<String>::new(), "{line}");
        unbroken.remove(rule);
    }
    assert_eq!(unbroken, BTreeSet::new());
}
