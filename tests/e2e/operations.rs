//! Which keys may call which operations, and models that a request tries to hide.

use serde_json::{Value, json};
use support::client::Draft;
use support::{App, Client, run};

/// Creates a key with `fields`.
async fn key(app: &App, fields: Value) -> String {
    let mut body = json!({"teamId": "operations"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app.create_with(&body).await.unwrap()["apiKey"].as_str().unwrap().to_owned()
}

/// Sends a request, and returns the status and code of the response, and whether the request was sent
/// on.
async fn send(app: &App, key: &str, case: &str, draft: Draft) -> (u16, String, bool) {
    let response = app.client().send(draft.key(key).header("x-case", case)).await.unwrap();
    (response.status, response.code(), !app.simulator.received(case).is_empty())
}

#[test]
fn account_operation_without_account_is_403() {
    run(async {
        let app = App::shared().await;
        let plain = key(app, json!({})).await;
        let limited = key(app, json!({"limited": true})).await;
        let account = key(app, json!({"account": true})).await;
        for operation in [
            "GET /openai/files",
            "GET /openai/v1/batches",
            "GET /openai/chat/completions",
            "GET /openai/vector_stores",
            "DELETE /openai/models/ft:gpt-4o:acme::1",
            "GET /openai/fine_tuning/jobs",
            "GET /openai/organization/users",
            "POST /openai/realtime/client_secrets",
            "POST /openai/realtime/sessions",
            "POST /openai/evals",
            "POST /openai/something/new",
            "POST /openai/engines/gpt-5/chat/completions",
            "GET /openai/files/",
            "GET /openai/v1/v1/files",
            "GET /anthropic/v1/messages/batches",
            "GET /google/v1beta/files",
            "GET /google/v1beta/cachedContents",
            "GET /google/v1beta/tunedModels",
            "GET /google/v1beta/openai/batches",
            "GET /google/files",
        ] {
            let (method, path) = operation.split_once(' ').unwrap();
            for (name, key) in [("plain", &plain), ("limited", &limited)] {
                let case = format!("{name} {operation}");
                let (status, code, was_sent) =
                    send(app, key, &case, Client::request(method, path)).await;
                assert_eq!((status, was_sent), (403, false), "{case}");
                // Anthropic's and Google's errors have no code.
                let is_native = code.is_empty() && !path.starts_with("/openai");
                assert!(is_native || code == "operation_not_allowed", "{case}: {code}");
            }
            let (_, code, was_sent) =
                send(app, &account, operation, Client::request(method, path)).await;
            assert!(was_sent, "{operation}: {code}");
        }
    });
}

#[test]
fn operation_by_id_is_open_to_restricted_keys() {
    run(async {
        let app = App::shared().await;
        let restricted = key(app, json!({"models": ["gpt-4o"]})).await;
        let limited = key(app, json!({"limited": true})).await;
        for operation in [
            "GET /openai/responses/resp_1",
            "POST /openai/responses/resp_1/cancel",
            "GET /openai/batches/batch_1",
            "GET /openai/files/file-1/content",
            "DELETE /openai/files/file-1",
            "GET /openai/models/gpt-4o",
            "GET /anthropic/v1/messages/batches/msgbatch_1",
            "GET /google/v1beta/files/abc",
        ] {
            let (method, path) = operation.split_once(' ').unwrap();
            for (name, key) in [("restricted", &restricted), ("limited", &limited)] {
                let case = format!("{name} {operation}");
                let (_, code, was_sent) =
                    send(app, key, &case, Client::request(method, path)).await;
                assert!(was_sent, "{case}: {code}");
            }
        }
        let (status, _, was_sent) =
            send(app, &restricted, "o3", Client::request("GET", "/openai/models/o3")).await;
        assert_eq!((status, was_sent), (403, false));
    });
}

/// Returns a form in which a parser may find the model `gpt-5`.
fn form(head: &str) -> Draft {
    let model = format!("content-disposition: form-data; {head}\r\n\r\ngpt-5\r\n");
    let honest = "content-disposition: form-data; name=\"model\"\r\n\r\ngpt-4o\r\n";
    Client::request("POST", "/openai/audio/transcriptions")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(format!("--x\r\n{model}--x\r\n{honest}--x--\r\n"))
}

fn chat(content_type: &str, body: &str) -> Draft {
    Client::request("POST", "/openai/chat/completions")
        .header("content-type", content_type)
        .body(body.to_owned())
}

#[test]
fn hidden_model_is_rejected() {
    run(async {
        let app = App::shared().await;
        let restricted = key(app, json!({"models": ["gpt-4o"]})).await;
        let limited = key(app, json!({"limited": true})).await;
        let honest = r#"{"model":"gpt-4o","messages":[]}"#;
        let hidden = r#"{"model":"gpt-5","messages":[]}"#;
        let plain = "content-disposition: form-data; name=\"model\"\r\n\r\ngpt-4o\r\n";
        let plain = Client::request("POST", "/openai/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=x")
            .body(format!("--x\r\n{plain}--x--\r\n"));
        for (what, draft) in [("json", chat("application/json", honest)), ("form", plain)] {
            let (_, code, was_sent) = send(app, &restricted, what, draft).await;
            assert!(was_sent, "{what}: {code}");
        }
        for (what, draft) in [
            ("continued name", form("name*0=\"mod\"; name*1=\"el\"")),
            ("encoded name", form("name*=utf-8''model")),
            ("name with a space", form("name=\"model \"")),
            ("name in upper case", form("name=\"Model\"")),
            ("name of an array", form("name=\"model[]\"")),
            ("comment", form("(x) name=\"model\"")),
            ("encoded word", form("=?utf-8?q?x?= name=\"model\"")),
            ("charset field", form("name=\"_charset_\"")),
            ("utf-7", chat("application/json; charset=utf-7", honest)),
            ("utf-16", chat("application/json; charset=utf-16le", honest)),
            ("two cases", chat("application/json", r#"{"model":"gpt-4o","Model":"gpt-5"}"#)),
            ("other case", chat("application/json", r#"{"MODEL":"gpt-5"}"#)),
            ("text", chat("text/plain", hidden)),
            ("no type", Client::request("POST", "/openai/chat/completions").body(hidden)),
            ("urlencoded", chat("application/x-www-form-urlencoded", "model=gpt-5")),
            ("compressed", chat("application/json", honest).header("content-encoding", "gzip")),
            (
                "engine",
                Client::post("/openai/engines/gpt-5/chat/completions", &json!({"model": "gpt-4o"})),
            ),
            (
                "put",
                Client::request("PUT", "/openai/chat/completions")
                    .header("content-type", "application/json")
                    .body(honest),
            ),
        ] {
            let draft = draft.header("x-what", what);
            let (status, code, was_sent) = send(app, &restricted, what, draft).await;
            assert!(matches!(status, 400 | 403 | 415) && !was_sent, "{what}: {status} {code}");
        }
        let gzip = chat("application/json", honest).header("content-encoding", "gzip");
        let (status, code, was_sent) = send(app, &limited, "gzip", gzip).await;
        assert_eq!((status, code.as_str(), was_sent), (415, "unsupported_encoding", false));
    });
}

#[test]
fn operators_organization_and_project_replace_the_clients() {
    run(async {
        let config = support::Config::default()
            .with("openai_organization", "org-ours")
            .with("openai_project", "proj_ours")
            .with("google_user_project", "project-ours");
        let app = App::start(config).await.unwrap();
        let key = app.key("blue").await.unwrap();
        let names = ["openai-organization", "openai-project", "x-goog-user-project"];
        for (path, expected) in [
            ("/openai/models", [Some("org-ours"), Some("proj_ours"), None]),
            ("/google/models", [None, None, Some("project-ours")]),
            ("/google/v1beta/models", [None, None, Some("project-ours")]),
            ("/anthropic/models", [None, None, None]),
        ] {
            let draft = names.iter().fold(
                Client::request("GET", path).key(&key).header("x-case", path),
                |draft, name| draft.header(name, "theirs"),
            );
            app.client().send(draft).await.unwrap();
            let headers = &app.simulator.received(path)[0].headers;
            let sent = names.map(|name| headers.get(name).map(|value| value.to_str().unwrap()));
            assert_eq!(sent, expected, "{path}");
        }
    });
}
