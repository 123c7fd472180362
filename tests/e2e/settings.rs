//! Settings that are missing, one by one: each does what is written here, on the routes that are
//! written here, and nothing else.

use serde_json::json;
use support::{ADMIN_TOKEN, Answer, App, Client, Config, root, run};
use tempfile::TempDir;

/// A model of each provider's.
const PROVIDERS: [(&str, &str); 6] = [
    ("openai", "gpt-4o"),
    ("anthropic", "claude-sonnet-4-5"),
    ("google", "gemini-2.5-flash"),
    ("azure", "gpt-4o"),
    ("workers-ai", "@cf/meta/llama-3.1-8b-instruct"),
    ("bedrock", "nova-lite"),
];

/// What a route answers where a setting that it needs is missing.
const CONFIGURATION: (u16, &str) = (500, "gateway_configuration");
const DISABLED: (u16, &str) = (503, "token_management_disabled");
const UNHEALTHY: (u16, &str) = (503, "");

/// The answers that are no success when `missing` is.
fn failures(missing: &str) -> Vec<(&'static str, (u16, &'static str))> {
    match missing {
        "admin_token" => vec![("tokens", DISABLED), ("healthz", UNHEALTHY)],
        "ai_gateway_url" | "ai_gateway_token" => {
            let every = PROVIDERS.map(|(name, _)| (name, CONFIGURATION));
            every.into_iter().chain([("healthz", UNHEALTHY)]).collect()
        }
        "azure_resource_name" | "azure_api_version" => vec![("azure", CONFIGURATION)],
        "aws_access_key_id" | "aws_secret_access_key" => vec![("bedrock", CONFIGURATION)],
        _ => vec![],
    }
}

#[test]
fn a_setting_that_is_missing_fails_where_it_is_needed() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let keys = App::start(shared_store(&folder)).await.unwrap();
        let key = keys.key("blue").await.unwrap();
        let manifest = std::fs::read_to_string(root().join("spin.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        for missing in manifest["variables"].as_table().unwrap().keys() {
            let app = App::start(shared_store(&folder).with(missing, "")).await;
            if missing == "ai_gateway_host" {
                // Without it there is nothing that the app might call: the host refuses to begin.
                let error = format!("{:#}", app.err().unwrap());
                assert!(error.contains("an allowed host has a scheme"), "{error}");
                continue;
            }
            assert_eq!(seen(&app.unwrap(), &key, missing).await, failures(missing), "{missing}");
        }
    });
}

fn shared_store(folder: &TempDir) -> Config {
    let path = folder.path().join("runtime-config.toml");
    let store = folder.path().join("keys.db");
    let text =
        format!("[key_value_store.default]\ntype = \"spin\"\npath = \"{}\"\n", store.display());
    std::fs::write(&path, text).unwrap();
    Config::default().store(&path)
}

/// All routes' answers but the successes. What fails names what is missing.
async fn seen(app: &App, key: &str, missing: &str) -> Vec<(&'static str, (u16, &'static str))> {
    let providers = PROVIDERS.map(|(name, model)| (name, chat(name, model).key(key)));
    let create = Client::post("/tokens", &json!({"teamId": "red"}))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    let others = [("tokens", create), ("healthz", Client::request("GET", "/healthz"))];
    let mut seen = Vec::new();
    for (name, draft) in providers.into_iter().chain(others) {
        let answer = app.client().send(draft).await.unwrap();
        if answer.status >= 300 {
            let named = if missing == "ai_gateway_url" { "ai_gateway_account_id" } else { missing };
            assert!(answer.text().contains(named), "{name} without {missing}: {}", answer.text());
            seen.push((name, (answer.status, known_code(&answer))));
        }
    }
    seen
}

fn chat(provider: &str, model: &str) -> support::client::Draft {
    let message = json!({"role": "user", "content": "hello"});
    let body = json!({"model": model, "messages": [message]});
    Client::post(&format!("/{provider}/chat/completions"), &body)
}

fn known_code(answer: &Answer) -> &'static str {
    let codes = [CONFIGURATION.1, DISABLED.1];
    codes.into_iter().find(|code| *code == answer.code()).unwrap_or_default()
}
