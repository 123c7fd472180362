//! `cargo xtask tokens` against the app.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that is wrong about its app should fail"
)]

use std::process::{Command, Output};

use serde_json::Value;
use support::{ADMIN_TOKEN, App, Config, run};

/// Runs the command with `arguments`.
fn tokens(app: &App, token: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["tokens", "--url", &format!("http://{}", app.address), "--admin-token", token])
        .args(arguments)
        .output()
        .unwrap()
}

/// Runs the command and parses the JSON it prints.
fn json(app: &App, arguments: &[&str]) -> Value {
    let output = tokens(app, ADMIN_TOKEN, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn manage_a_key(app: &App) {
    let arguments =
        ["create", "blue", "--limited", "--model", "gpt-*", "--model", "o3", "--metadata", "a=b"];
    let created = json(app, &arguments);
    assert_eq!((&created["teamId"], &created["limited"]), (&"blue".into(), &true.into()));
    assert_eq!((&created["models"][1], &created["metadata"]["a"]), (&"o3".into(), &"b".into()));
    let id = created["id"].as_str().unwrap();

    let changed =
        json(app, &["patch", id, "--note", "n", "--limited", "false", "--clear", "models"]);
    assert_eq!((&changed["note"], changed.get("models")), (&"n".into(), None));
    let mut shown = json(app, &["show", id]);
    assert_eq!(shown.as_object_mut().unwrap().remove("counted"), Some(false.into()));
    assert_eq!(shown, changed);

    let verdict = json(app, &["explain", id, "--provider", "openai", "--model", "gpt-4o"]);
    assert_eq!(verdict["allowed"], true);

    let renewed = json(app, &["refresh", id, "--grace-seconds", "60"]);
    assert_eq!(renewed["replaces"], id);
    assert_eq!(json(app, &["list", "--team", "blue"]).as_array().unwrap().len(), 2);
    let table = tokens(app, ADMIN_TOKEN, &["list"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with("ID ") && table.lines().count() == 3, "{table}");

    let revoked = tokens(app, ADMIN_TOKEN, &["revoke", id, "--lineage"]);
    let revoked = String::from_utf8(revoked.stdout).unwrap();
    assert!(revoked.contains(id) && revoked.contains(renewed["id"].as_str().unwrap()), "{revoked}");
    let again = tokens(app, ADMIN_TOKEN, &["revoke", id]);
    let message = String::from_utf8(again.stderr).unwrap();
    assert!(!again.status.success() && message.contains("no such key"), "{message}");

    let stranger = tokens(app, "wrong", &["list"]);
    let message = String::from_utf8(stranger.stderr).unwrap();
    assert!(!stranger.status.success() && message.contains("invalid admin token"), "{message}");
}

fn limit_a_key_and_a_team(app: &App) {
    let created = json(app, &["create", "red", "--budget", "50 usd/month, limit"]);
    assert_eq!(created["limits"]["budgets"][0]["amount"], "50");
    let id = created["id"].as_str().unwrap();
    let set = json(app, &["limits", id, "--requests-per-minute", "60", "--parallel-requests", "8"]);
    let expected = serde_json::json!({"requestsPerMinute": 60, "parallelRequests": 8});
    assert_eq!(set["limits"], expected);
    let mut shown = json(app, &["limits", id]);
    shown.as_object_mut().unwrap().remove("counted");
    assert_eq!(shown, set);
    assert_eq!(json(app, &["limits", id, "--clear"])["limits"], Value::Null);

    json(app, &["limits", "--team", "red", "--budget", "2_000_000 tokens/day"]);
    assert_eq!(
        json(app, &["limits", "--team", "red"])["limits"]["budgets"][0]["amount"],
        2_000_000
    );
    let teams = tokens(app, ADMIN_TOKEN, &["teams"]);
    let teams = String::from_utf8(teams.stdout).unwrap();
    assert!(teams.starts_with("TEAM") && teams.contains("red"), "{teams}");
    tokens(app, ADMIN_TOKEN, &["limits", "--team", "red", "--clear"]);
    assert_eq!(json(app, &["limits", "--team", "red"]).get("limits"), None);

    assert_eq!(
        json(app, &["usage", "--team", "red", "--from", "2026-01", "--monthly"]),
        Value::Array(vec![])
    );
    let wrong = tokens(app, ADMIN_TOKEN, &["limits", id, "--budget", "50 eur/month"]);
    let message = String::from_utf8(wrong.stderr).unwrap();
    assert!(!wrong.status.success() && message.contains("is not like"), "{message}");
}

#[test]
fn tokens_command_sets_limits() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        tokio::task::spawn_blocking(move || limit_a_key_and_a_team(&app)).await.unwrap();
    });
}

#[test]
fn prices_command_prints_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.json");
    let text = r#"{"openai":{"models":{"gpt-4o":{"cost":{"input":2.5,"output":10}}}},
        "amazon-bedrock":{"models":{"amazon.nova-lite-v1:0":{"cost":{"input":0.06,"output":0.24}}}}}"#;
    std::fs::write(&file, text).unwrap();
    let prices = |only: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("prices").arg(&file).args(["--only", only]).output().unwrap()
    };
    for (only, expected) in [
        ("openai/*", r#"{"openai/gpt-4o":{"input":"2.5","output":"10"}}"#),
        ("bedrock/*nova*", r#"{"bedrock/amazon.nova-lite-v1:0":{"input":"0.06","output":"0.24"}}"#),
    ] {
        assert_eq!(String::from_utf8(prices(only).stdout).unwrap().trim(), expected);
    }
    assert!(!prices("other/*").status.success());
}

#[test]
fn tokens_command_manages_a_key() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        tokio::task::spawn_blocking(move || manage_a_key(&app)).await.unwrap();
    });
}
