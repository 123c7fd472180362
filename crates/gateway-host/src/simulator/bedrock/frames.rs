//! Encodes frames of `application/vnd.amazon.eventstream`: headers and a payload, with two
//! checksums.
//! <https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html>

use bytes::Bytes;
use serde_json::{Value, json};

/// A frame of a stream.
#[derive(Debug)]
pub(crate) enum Frame {
    /// An event of the response.
    Event { kind: &'static str, payload: Value },
    /// An error that AWS's service model declares.
    Exception { kind: String, payload: Value },
    /// An error that the service model does not declare. It has headers only.
    Error { code: &'static str, message: &'static str },
}

impl Frame {
    /// Creates an event with padding in `p`. Bedrock pads its events so that their length does not
    /// reveal the text.
    pub(crate) fn event(kind: &'static str, mut payload: Value) -> Self {
        payload["p"] = json!("abcdef");
        Self::Event { kind, payload }
    }

    /// Checks whether the frame is the event `name`.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Event { kind, .. } if *kind == name)
    }

    /// Encodes the frame.
    pub(crate) fn encode(&self) -> Bytes {
        match self {
            Self::Event { kind, payload } => {
                let headers = [
                    (":event-type", *kind),
                    (":content-type", "application/json"),
                    (":message-type", "event"),
                ];
                encode(&headers, payload.to_string().as_bytes())
            }
            Self::Exception { kind, payload } => {
                let headers = [
                    (":exception-type", kind.as_str()),
                    (":content-type", "application/json"),
                    (":message-type", "exception"),
                ];
                encode(&headers, payload.to_string().as_bytes())
            }
            Self::Error { code, message } => {
                let headers = [
                    (":message-type", "error"),
                    (":error-code", *code),
                    (":error-message", *message),
                ];
                encode(&headers, b"")
            }
        }
    }
}

/// Bytes of a frame besides its headers and payload: two lengths and two checksums.
const OVERHEAD: usize = 16;

/// The type of a header whose value is a string.
const STRING: u8 = 7;

/// Encodes a frame. The first checksum covers the lengths only, so that a reader can trust them
/// before it waits for the rest.
fn encode(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let headers: Vec<u8> = headers.iter().flat_map(|(name, value)| header(name, value)).collect();
    let mut frame = Vec::with_capacity(OVERHEAD + headers.len() + payload.len());
    frame.extend(length(OVERHEAD + headers.len() + payload.len()));
    frame.extend(length(headers.len()));
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.into()
}

/// Encodes a header whose value is a string.
fn header(name: &str, value: &str) -> Vec<u8> {
    let name_length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let value_length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    let mut header = vec![name_length];
    header.extend(name.as_bytes());
    header.push(STRING);
    header.extend(value_length.to_be_bytes());
    header.extend(value.as_bytes());
    header
}

/// Encodes a length as a big-endian 32-bit integer.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::Frame;

    /// Decodes a frame into its headers and payload. Panics if it is malformed.
    pub(in super::super) fn decode(frame: &[u8]) -> (Vec<(String, String)>, Value) {
        let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        let end = frame.len() - 4;
        assert_eq!(number(0) as usize, frame.len(), "total length");
        assert_eq!(number(8), crc32fast::hash(&frame[..8]), "checksum of the lengths");
        assert_eq!(number(end), crc32fast::hash(&frame[..end]), "checksum of the frame");
        let (mut headers, payload) = frame[12..end].split_at(number(4) as usize);
        let mut pairs = Vec::new();
        while let [name_length, rest @ ..] = headers {
            let (name, rest) = rest.split_at(usize::from(*name_length));
            assert_eq!(rest[0], 7, "a header's type");
            let value_length = usize::from(u16::from_be_bytes([rest[1], rest[2]]));
            let (value, rest) = rest[3..].split_at(value_length);
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            pairs.push((text(name), text(value)));
            headers = rest;
        }
        (pairs, serde_json::from_slice(payload).unwrap_or_default())
    }

    #[test]
    fn encode_event_has_headers_and_payload() {
        let payload = json!({"role": "assistant", "p": "abcdef"});
        let frame = Frame::event("messageStart", json!({"role": "assistant"}));
        let (headers, decoded) = decode(&frame.encode());
        let expected = [
            (":event-type", "messageStart"),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(decoded, payload);
    }

    #[test]
    fn encode_error_has_headers_only() {
        let (headers, payload) = decode(&Frame::Error { code: "Code", message: "why" }.encode());
        assert_eq!(headers.len(), 3);
        assert_eq!(headers[2], (":error-message".to_owned(), "why".to_owned()));
        assert_eq!(payload, Value::Null);
    }

    // The bytes are those of AWS's own tools.
    #[test]
    fn encode_without_headers_and_payload_is_sixteen_bytes() {
        let expected = [0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255];
        assert_eq!(super::encode(&[], b"").as_ref(), expected);
    }
}
