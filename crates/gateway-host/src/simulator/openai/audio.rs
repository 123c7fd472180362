//! Audio: bytes down, multipart up.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::simulator::Received;
use crate::simulator::openai::error;
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
    let model = String::from_utf8_lossy(model);
    Reply::json(200, &json!({"text": format!("{} bytes for {model}", file.len())}))
}

/// A multipart body, taken apart.
struct Multipart(Vec<(String, Vec<u8>)>);

impl Multipart {
    fn read(received: &Received) -> Option<Self> {
        let content_type = received.headers.get("content-type")?.to_str().ok()?;
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
        let delimiter = format!("--{}", boundary.trim_matches('"'));
        let body = &received.body;
        let mut parts = Vec::new();
        let mut starts = find_all(body, delimiter.as_bytes()).peekable();
        while let (Some(start), Some(end)) = (starts.next(), starts.peek()) {
            let part = body.get(start + delimiter.len() + 2..end.checked_sub(2)?)?;
            let split = find_all(part, b"\r\n\r\n").next()?;
            let head = String::from_utf8_lossy(part.get(..split)?).into_owned();
            let name = head.split("name=\"").nth(1)?.split('"').next()?.to_owned();
            parts.push((name, part.get(split + 4..)?.to_vec()));
        }
        Some(Self(parts))
    }

    fn find(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_slice())
    }
}

fn find_all<'a>(haystack: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    haystack
        .windows(needle.len())
        .enumerate()
        .filter(move |(_, window)| *window == needle)
        .map(|(index, _)| index)
}
