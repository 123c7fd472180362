//! Case tests: the real wasm, on the embedded host, in front of the simulated AI Gateway.
//!
//! Every folder `tests/cases/<route>/<case>` is a test of its own, named `<route>/<case>`. Its
//! `request.http` is sent; what the client received and what reached the AI Gateway are compared with
//! `response.snap` and `upstream.snap` in the same folder.
//!
//! In `request.http`, `{{key}}` is a fresh team key, `{{limited_key}}` a key of a limited team, and
//! `{{admin}}` the admin token.
//!
//! - `cargo test -p e2e --test cases openai/chat` runs the cases whose names contain `openai/chat`.
//! - `INSTA_UPDATE=always cargo test -p e2e --test cases` updates the snapshots.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something missing has failed"
)]

use std::path::Path;
use std::process::ExitCode;

use gateway_host::simulator::Received;
use libtest_mimic::{Arguments, Trial};
use serde_json::json;
use support::client::Draft;
use support::{ADMIN_TOKEN, App, Client, Response, root, run};

/// Headers whose values differ from run to run.
const VOLATILE: [&str; 6] =
    ["cf-aig-log-id", "date", "host", "server-timing", "x-amz-date", "x-request-id"];

fn main() -> ExitCode {
    let trials = names().into_iter().map(|name| {
        let case = name.clone();
        Trial::test(name, move || {
            run(check(&case));
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// Returns the names of all cases, sorted.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    for route in std::fs::read_dir(root().join("tests/cases")).unwrap() {
        let route = route.unwrap();
        for case in std::fs::read_dir(route.path()).unwrap() {
            let case = case.unwrap().file_name();
            names.push(format!("{}/{}", route.file_name().display(), case.display()));
        }
    }
    names.sort();
    assert!(!names.is_empty(), "tests/cases has no cases");
    names
}

/// Sends the request of a case and compares the outcome with its snapshots.
async fn check(case: &str) {
    let folder = root().join("tests/cases").join(case);
    let app = App::shared().await;
    let created = app.create("blue").await.unwrap();
    let limited = app.create_with(&json!({"teamId": "limited", "limited": true})).await.unwrap();
    let account = app.create_with(&json!({"teamId": "blue", "account": true})).await.unwrap();
    let text = std::fs::read_to_string(folder.join("request.http")).unwrap();
    let text = text
        .replace("{{key}}", created["apiKey"].as_str().unwrap())
        .replace("{{account_key}}", account["apiKey"].as_str().unwrap())
        .replace("{{limited_key}}", limited["apiKey"].as_str().unwrap())
        .replace("{{admin}}", ADMIN_TOKEN);
    let response = app.client().send(parse(&text).header("x-case", case)).await.unwrap();
    let received = app.simulator.received(case);

    let hide = |text: String| {
        let text = text.replace(created["id"].as_str().unwrap(), "[key id]");
        let text = text.replace(account["id"].as_str().unwrap(), "[key id]");
        let text = text.replace(limited["id"].as_str().unwrap(), "[limited key id]");
        let text = text.replace(&app.upstream.to_string(), "[upstream]");
        let text = hide_request_ids(&text);
        if case.starts_with("bedrock/") { hide_created(&text) } else { text }
    };
    let (response, upstream) = (hide(show_response(&response)), hide(show_received(&received)));
    snapshots(case, &folder).bind(|| {
        insta::assert_snapshot!("response", response);
        insta::assert_snapshot!("upstream", upstream);
    });
}

/// Returns the settings that place the snapshots of `case` in its folder.
fn snapshots(case: &str, folder: &Path) -> insta::Settings {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(case);
    settings
}

/// Parses a request line, headers, an empty line, and a body that is sent unchanged.
fn parse(text: &str) -> Draft {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let mut request = Client::request(method, target);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let body = body.trim_end_matches('\n');
    // Lines of a multipart body end with CRLF, and those of a text file in Git with LF.
    let is_multipart = head.contains("multipart/");
    request.body(if is_multipart { body.replace('\n', "\r\n") + "\r\n" } else { body.to_owned() })
}

fn show_response(response: &Response) -> String {
    let end = if response.is_complete { "" } else { "\n[cut off]" };
    let headers = show_headers(&response.headers);
    format!("{}\n{headers}\n{}{end}", response.status, response.text())
}

fn show_received(received: &[Received]) -> String {
    if received.is_empty() {
        return "nothing".to_owned();
    }
    // Requests that are in flight concurrently arrive in any order.
    let mut shown: Vec<String> = received.iter().map(show_request).collect();
    shown.sort();
    shown.join("\n\n")
}

fn show_request(request: &Received) -> String {
    let headers = show_headers(&request.headers);
    let body = String::from_utf8_lossy(&request.body);
    format!("{} {}\n{headers}\n{body}", request.method, request.target)
}

/// Hides the ids of requests, which the simulated AI Gateway repeats.
fn hide_request_ids(text: &str) -> String {
    let mut parts = text.split("req_");
    let mut hidden = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_hexdigit());
        let is_id = part.len() - rest.len() == 32;
        hidden.extend(["req_", if is_id { "[id]" } else { "" }, if is_id { rest } else { part }]);
    }
    hidden
}

/// Hides the creation time of a translated response.
fn hide_created(text: &str) -> String {
    ["\"created\":", "\"created_at\":"].iter().fold(text.to_owned(), |text, field| {
        let mut parts = text.split(field);
        let mut hidden = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|character: char| character.is_ascii_digit());
            hidden.extend([field, "[now]", rest]);
        }
        hidden
    })
}

fn show_headers(headers: &http::HeaderMap) -> String {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let is_volatile =
                VOLATILE.contains(&name.as_str()) || value.starts_with("AWS4-HMAC-SHA256 ");
            let value = if is_volatile { "[volatile]".into() } else { value };
            format!("{name}: {value}\n")
        })
        .collect();
    lines.sort();
    lines.concat()
}
