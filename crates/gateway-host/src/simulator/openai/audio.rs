//! Audio: bytes down, multipart up.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::simulator::Received;
use crate::simulator::openai::error;
use crate::simulator::openai::multipart::Multipart;
use crate::simulator::reply::Reply;

/// Bytes of speech: enough to need many reads.
const SPEECH_BYTES: usize = 200_000;

/// Not text in any encoding: every byte value in turn.
pub(crate) fn speech(_: &Received, _: &Value) -> Reply {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(SPEECH_BYTES).collect();
    Reply::whole(200, "audio/mpeg", Bytes::from(bytes))
}

/// Tells which file it got, in place of what was said in it.
pub(crate) fn transcription(received: &Received) -> Reply {
    let Some(parts) = Multipart::read(received) else {
        return error(400, "expected multipart/form-data", None);
    };
    let Some(file) = parts.find("file") else {
        return error(400, "'file' is a required property", Some("file"));
    };
    let Some(model) = parts.find("model") else {
        return error(400, "you must provide a model parameter", Some("model"));
    };
    let model = String::from_utf8_lossy(&model.content);
    Reply::json(200, &json!({"text": format!("{} bytes for {model}", file.content.len())}))
}
