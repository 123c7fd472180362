//! Speech and transcription: a binary response, and a multipart request.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::simulator::Received;
use crate::simulator::openai::error;
use crate::simulator::openai::multipart::Multipart;
use crate::simulator::reply::Reply;

/// The length of speech in bytes, enough to need many reads.
const SPEECH_BYTES: usize = 200_000;

/// Responds with every byte value in turn. That is not UTF-8, so a gateway that treated the body as
/// text would damage it.
pub(crate) fn speech(_: &Received, _: &Value) -> Reply {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(SPEECH_BYTES).collect();
    Reply::whole(200, "audio/mpeg", Bytes::from(bytes))
}

/// Responds with the size of the file and the model, in place of a transcript, so that a test sees
/// whether the form arrived whole.
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
    let text = format!("{} bytes for {model}", file.content.len());
    let usage =
        json!({"type": "tokens", "input_tokens": 30, "output_tokens": 4, "total_tokens": 34});
    Reply::json(200, &json!({"text": text, "usage": usage}))
}
