//! Missing settings, one by one: exactly the routes that need a setting fail.

use std::collections::BTreeMap;

use serde_json::json;
use settings::Variables;
use support::client::Draft;
use support::{ADMIN_TOKEN, App, Client, Config, Response, chat_model, providers, root, run};
use tempfile::TempDir;

/// The status and code of a route's response when a setting that it needs is missing.
type Failure = (u16, &'static str);
const CONFIGURATION: Failure = (500, "gateway_configuration");
const DISABLED: Failure = (503, "token_management_disabled");
const UNHEALTHY: Failure = (503, "");

/// Returns the routes that have to fail when the setting `missing` is.
fn expected_failures(missing: &str, providers: &[String]) -> BTreeMap<String, Failure> {
    let one = |route: &str, failure| vec![(route.to_owned(), failure)];
    let failures = match missing {
        "admin_token" => [one("tokens", DISABLED), one("healthz", UNHEALTHY)].concat(),
        "ai_gateway_url" | "ai_gateway_token" => {
            let all = providers.iter().map(|provider| (provider.clone(), CONFIGURATION));
            all.chain(one("healthz", UNHEALTHY)).collect()
        }
        "azure_resource_name" => one("azure", CONFIGURATION),
        "aws_access_key_id" | "aws_secret_access_key" => one("bedrock", CONFIGURATION),
        _ => Vec::new(),
    };
    failures.into_iter().collect()
}

#[test]
fn missing_setting_fails_only_the_routes_that_need_it() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let keys = App::start(shared_store(&folder)).await.unwrap();
        let key = keys.key("blue").await.unwrap();
        let manifest = std::fs::read_to_string(root().join("spin.toml")).unwrap();
        let variables = Variables::of_manifest(&manifest).unwrap();
        let providers = providers().unwrap();
        for missing in variables.settings() {
            let app = App::start(shared_store(&folder).with(missing, "")).await;
            if missing == "ai_gateway_host" {
                // Without it no outbound host is allowed, so the embedded host refuses to start.
                let error = format!("{:#}", app.err().unwrap());
                assert!(error.contains("needs a scheme"), "{error}");
                continue;
            }
            let failures = failures(&app.unwrap(), &key, missing, &providers).await;
            assert_eq!(failures, expected_failures(missing, &providers), "{missing}");
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

/// Sends a request to every route, and returns the failures. Each must name the missing setting.
async fn failures(
    app: &App,
    key: &str,
    missing: &str,
    providers: &[String],
) -> BTreeMap<String, Failure> {
    let chats = providers.iter().map(|provider| (provider.as_str(), chat(provider).key(key)));
    let create = Client::post("/tokens", &json!({"teamId": "red"}))
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    let others = [("tokens", create), ("healthz", Client::request("GET", "/healthz"))];
    let mut failures = BTreeMap::new();
    for (name, draft) in chats.chain(others) {
        let response = app.client().send(draft).await.unwrap();
        if response.status >= 300 {
            let named = if missing == "ai_gateway_url" { "ai_gateway_account_id" } else { missing };
            assert!(
                response.text().contains(named),
                "{name} without {missing}: {}",
                response.text()
            );
            failures.insert(name.to_owned(), (response.status, known_code(&response)));
        }
    }
    failures
}

fn chat(provider: &str) -> Draft {
    let message = json!({"role": "user", "content": "hello"});
    let body = json!({"model": chat_model(provider).unwrap(), "messages": [message]});
    Client::post(&format!("/{provider}/chat/completions"), &body)
}

fn known_code(response: &Response) -> &'static str {
    let codes = [CONFIGURATION.1, DISABLED.1];
    codes.into_iter().find(|code| *code == response.code()).unwrap_or_default()
}
