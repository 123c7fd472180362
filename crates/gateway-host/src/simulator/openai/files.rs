//! The files and batches APIs, as far as tests need them to send every method.

use http::Method;
use serde_json::{Value, json};

use crate::simulator::Received;
use crate::simulator::openai::multipart::Multipart;
use crate::simulator::openai::{CREATED, error};
use crate::simulator::reply::Reply;

/// Responds to a request below `/files`.
pub(crate) fn file(received: &Received, segments: &[&str]) -> Reply {
    match (&received.method, segments) {
        (&Method::POST, ["files"]) => upload(received),
        (&Method::GET, ["files"]) => {
            let data = [file_object("file-1", "a.jsonl", 10), file_object("file-2", "b.jsonl", 20)];
            Reply::json(200, &json!({"object": "list", "data": data, "has_more": false}))
        }
        (&Method::GET, ["files", id]) => Reply::json(200, &file_object(id, "a.jsonl", 10)),
        (&Method::GET, ["files", _, "content"]) => {
            Reply::whole(200, "application/octet-stream", "line 1\nline 2\n")
        }
        (&Method::DELETE, ["files", id]) => {
            Reply::json(200, &json!({"id": id, "object": "file", "deleted": true}))
        }
        _ => error(405, "Method not allowed", None),
    }
}

/// Responds to a request below `/batches`.
pub(crate) fn batch(received: &Received, segments: &[&str]) -> Reply {
    match (&received.method, segments) {
        (&Method::POST, ["batches"]) => Reply::json(200, &batch_object("batch-new", "validating")),
        (&Method::GET, ["batches"]) => {
            let data = [batch_object("batch-1", "completed")];
            Reply::json(200, &json!({"object": "list", "data": data, "has_more": false}))
        }
        (&Method::GET, ["batches", id]) => Reply::json(200, &batch_object(id, "completed")),
        (&Method::POST, ["batches", id, "cancel"]) => {
            Reply::json(200, &batch_object(id, "cancelling"))
        }
        _ => error(405, "Method not allowed", None),
    }
}

/// Responds to an upload with the file's name and size.
fn upload(received: &Received) -> Reply {
    let form = Multipart::read(received);
    let Some(file) = form.as_ref().and_then(|form| form.find("file")) else {
        return error(400, "'file' is a required property", Some("file"));
    };
    let name = file.filename.as_deref().unwrap_or_default();
    Reply::json(200, &file_object("file-new", name, file.content.len()))
}

/// Builds a file object.
fn file_object(id: &str, name: &str, bytes: usize) -> Value {
    json!({
        "id": id,
        "object": "file",
        "bytes": bytes,
        "created_at": CREATED,
        "filename": name,
        "purpose": "batch",
        "status": "processed",
    })
}

/// Builds a batch object.
fn batch_object(id: &str, status: &str) -> Value {
    json!({
        "id": id,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file-1",
        "completion_window": "24h",
        "status": status,
        "created_at": CREATED,
    })
}
