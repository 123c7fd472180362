//! What the log says about requests that the translator changes.

use std::time::Duration;

use serde_json::{Value, json};
use support::{App, Client, Config, run};

/// The time after which a line of the log is missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a request and returns the line of the log about it.
async fn logged(request: &Value) -> Value {
    let app = App::start(Config::default()).await.unwrap();
    let key = app.key("blue").await.unwrap();
    let request = Client::post("/bedrock/chat/completions", request).key(&key);
    assert_eq!(app.client().send(request).await.unwrap().status, 200);
    let line = async {
        loop {
            let log = app.log();
            if let Some(line) = log.lines().find(|line| line.contains(r#""provider":"bedrock""#)) {
                return serde_json::from_str(line).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, line).await.expect("a line of the log")
}

#[test]
fn each_rejection_is_in_the_log() {
    run(async {
        let profile = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile";
        let tool = json!({"type": "function", "function": {"name": "f"}});
        let call =
            json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}});
        let line = logged(&json!({
            "model": format!("{profile}/meta.llama3-3-70b-instruct-v1:0"),
            "messages": [
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": "a", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "a", "content": "b"},
            ],
            "tools": [tool], "tool_choice": "required",
        }))
        .await;
        let retried = line["retried"].as_str().unwrap();
        let (first, second) = retried.split_once("; ").unwrap();
        assert!(first.contains("cannot be provided in the same turn"), "{retried}");
        assert!(second.contains("toolConfig.toolChoice.any"), "{retried}");
        assert_eq!(line["ignored"], Value::Null);
    });
}

#[test]
fn ignored_fields_are_in_the_log_by_name_only() {
    run(async {
        let line = logged(&json!({
            "model": "nova-lite", "messages": [{"role": "user", "content": "hello"}],
            "seed": 1, "x_one": "secret", "x_two": [1],
            "tools": [{"type": "function", "function": {"name": "f", "strict": true}}],
        }))
        .await;
        assert_eq!(line["ignored"], "x_one, x_two, strict");
        assert!(!line.to_string().contains("secret"), "{line}");
    });
}
