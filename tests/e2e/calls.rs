//! The calls that a component makes to the host for one request: each costs time.

use serde_json::json;
use support::{App, Client, Config, run};

#[test]
fn host_calls_of_a_request_are_few() {
    run(async {
        let app = App::start(Config::default()).await.unwrap();
        let key = app.key("calls").await.unwrap();
        let message = json!([{"role": "user", "content": "hello"}]);
        let body = |model: &str, is_stream: bool| json!({"model": model, "messages": message, "stream": is_stream});
        let openai =
            |is_stream| Client::post("/openai/chat/completions", &body("gpt-4o", is_stream));
        let bedrock =
            |is_stream| Client::post("/bedrock/chat/completions", &body("nova-lite", is_stream));
        for (name, draft, most) in [
            ("a response", openai(false), 52),
            ("a response to a web page", openai(false).header("origin", "https://a"), 52),
            ("a stream", openai(true), 100),
            ("a translated response", bedrock(false), 56),
            ("a translated stream", bedrock(true), 110),
        ] {
            let before = app.host_calls();
            let response = app.client().send(draft.key(&key)).await.unwrap();
            assert_eq!(response.status, 200, "{name}");
            let calls = app.host_calls() - before;
            assert!((1..=most).contains(&calls), "{name}: {calls}");
        }
    });
}
