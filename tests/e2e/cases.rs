//! Every folder `tests/cases/<route>/<case>` is a case: `request.http` goes in; what the client got
//! and what reached the AI Gateway are compared with `response.snap` and `upstream.snap`.
//!
//! In `request.http`, `{{key}}` is a fresh team key, `{{limited_key}}` one of a limited team, and
//! `{{admin}}` the admin token.
//! `INSTA_UPDATE=always cargo test -p e2e cases` writes the snapshots anew.

use std::path::Path;

use gateway_host::simulator::Received;
use serde_json::json;
use support::client::Draft;
use support::{ADMIN_TOKEN, App, Client, Response, root, run};

/// Headers whose values differ from run to run.
const VOLATILE: [&str; 4] = ["cf-aig-log-id", "date", "host", "x-amz-date"];

#[test]
fn every_case_answers_as_recorded() {
    run(async {
        let mut folders = Vec::new();
        for route in std::fs::read_dir(root().join("tests/cases")).unwrap() {
            let cases = std::fs::read_dir(route.unwrap().path()).unwrap();
            folders.extend(cases.map(|case| case.unwrap().path()));
        }
        folders.sort();
        assert!(!folders.is_empty());
        for folder in folders {
            check(App::shared().await, &folder).await;
        }
    });
}

async fn check(app: &App, folder: &Path) {
    let case = folder.strip_prefix(root().join("tests/cases")).unwrap().display().to_string();
    let created = app.create("blue").await.unwrap();
    let text = std::fs::read_to_string(folder.join("request.http")).unwrap();
    let wish = json!({"teamId": "limited", "limited": true});
    let limited = app.create_with(&wish).await.unwrap();
    let text = text
        .replace("{{key}}", created["apiKey"].as_str().unwrap())
        .replace("{{limited_key}}", limited["apiKey"].as_str().unwrap())
        .replace("{{admin}}", ADMIN_TOKEN);
    let request = parse(&text).header("x-case", &case);
    let response = app.client().send(request).await.unwrap();
    let received = app.simulator.received(&case);

    let hide = |text: String| {
        let text = text.replace(created["id"].as_str().unwrap(), "[key id]");
        let text = text.replace(limited["id"].as_str().unwrap(), "[limited key id]");
        let text = text.replace(&app.upstream.to_string(), "[upstream]");
        if case.starts_with("bedrock/") { hide_created(&text) } else { text }
    };
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(case.as_str());
    settings.bind(|| {
        insta::assert_snapshot!("response", hide(show_response(&response)));
        insta::assert_snapshot!("upstream", hide(show_received(&received)));
    });
}

/// A request line, headers, an empty line, and the body as it is.
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
    // Multipart lines end with CRLF, which a text file does not keep.
    let is_multipart = head.contains("multipart/");
    request.body(if is_multipart { body.replace('\n', "\r\n") + "\r\n" } else { body.to_owned() })
}

fn show_response(response: &Response) -> String {
    let end = if response.is_complete { "" } else { "\n[cut off]" };
    format!("{}\n{}\n{}{end}", response.status, show_headers(&response.headers), response.text())
}

fn show_received(received: &[Received]) -> String {
    if received.is_empty() {
        return "nothing".to_owned();
    }
    // Requests that are under way side by side come in any order.
    let mut shown: Vec<String> = received.iter().map(show_request).collect();
    shown.sort();
    shown.join("\n\n")
}

fn show_request(request: &Received) -> String {
    let headers = show_headers(&request.headers);
    let body = String::from_utf8_lossy(&request.body);
    format!("{} {}\n{headers}\n{body}", request.method, request.target)
}

/// Hides the time a translated response was made at.
fn hide_created(text: &str) -> String {
    let mut parts = text.split("\"created\":");
    let mut hidden = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_digit());
        hidden.extend(["\"created\":[now]", rest]);
    }
    hidden
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
