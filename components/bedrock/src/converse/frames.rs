//! Amazon's event stream: bytes in, frames out.
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>

use aws_smithy_eventstream::frame::read_message_from;
use aws_smithy_types::event_stream::Message;
use bytes::{Bytes, BytesMut};
use gateway::Error;

/// One frame: headers, which contain the kind of message, and a payload.
#[derive(Debug)]
pub(crate) struct Frame(Message);

/// The bytes of a stream that have been received and not yet read as frames.
#[derive(Debug, Default)]
pub(crate) struct Frames(BytesMut);

/// The smallest frame: two lengths and a checksum before its content, and a checksum after it.
const MIN_BYTES: usize = 16;

/// The largest frame: the protocol allows 128 KiB of headers and 24 MiB of payload. Without this
/// bound, a corrupt length would make the gateway wait for bytes that never arrive.
const MAX_BYTES: usize = MIN_BYTES + 128 * 1024 + 24 * 1024 * 1024;

impl Frames {
    /// Appends received bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Checks whether no incomplete frame is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the next complete frame, if there is one.
    ///
    /// # Errors
    /// [`Error::InvalidUpstreamResponse`] for a frame whose lengths or checksums are wrong.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Error> {
        let Some(prefix) = self.0.first_chunk() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if !(MIN_BYTES..=MAX_BYTES).contains(&length) {
            return Err(Error::invalid_response(format!("a frame of {length} bytes")));
        }
        if self.0.len() < length {
            return Ok(None);
        }
        let message = read_message_from(self.0.split_to(length));
        let message =
            message.map_err(|error| Error::invalid_response(format!("a frame: {error}")))?;
        Ok(Some(Frame(message)))
    }
}

impl Frame {
    /// Returns the text of the header `name`; empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.0.headers().iter();
        let header = headers.find(|header| header.name().as_str() == name);
        let value = header.and_then(|header| header.value().as_string().ok());
        value.map(aws_smithy_types::str_bytes::StrBytes::as_str).unwrap_or_default()
    }

    /// Returns the payload.
    pub(crate) fn payload(&self) -> &Bytes {
        self.0.payload()
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue};

    use super::*;

    fn frame() -> Vec<u8> {
        let name = Header::new(":event-type", HeaderValue::String("metadata".into()));
        let number = Header::new("number", HeaderValue::Int32(1));
        let message = Message::new_from_parts(vec![name, number], Bytes::from_static(b"{}"));
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn next_returns_a_frame_with_its_last_byte() {
        let bytes = frame();
        let mut frames = Frames::default();
        for byte in &bytes[..bytes.len() - 1] {
            frames.extend(&[*byte]);
            assert!(frames.next().unwrap().is_none());
        }
        assert!(!frames.is_empty());
        frames.extend(&bytes[bytes.len() - 1..]);
        let found = frames.next().unwrap().unwrap();
        assert_eq!(found.header(":event-type"), "metadata");
        assert_eq!((found.header("number"), found.header("other")), ("", ""));
        assert_eq!(&found.payload()[..], b"{}");
        assert!(frames.is_empty());
    }

    #[test]
    fn next_with_any_changed_bit_is_an_error() {
        let whole = frame();
        for position in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[position] ^= 1;
            let mut frames = Frames::default();
            frames.extend(&bytes);
            // A length that has grown makes a frame that never ends.
            let is_noticed = !matches!(frames.next(), Ok(Some(_)));
            assert!(is_noticed && (position < 4 || !matches!(frames.next(), Ok(Some(_)))));
        }
    }

    #[test]
    fn next_with_a_length_beyond_the_protocol_is_an_error() {
        for length in [0, 15, 0x0200_0000, u32::MAX] {
            let mut frames = Frames::default();
            frames.extend(&length.to_be_bytes());
            assert!(frames.next().is_err(), "{length}");
        }
    }

    #[test]
    fn next_with_a_large_length_reserves_no_memory() {
        let mut frames = Frames::default();
        let length = u32::try_from(MAX_BYTES).unwrap();
        frames.extend(&length.to_be_bytes());
        assert!(frames.next().unwrap().is_none());
        assert!(frames.0.capacity() < 4096, "{}", frames.0.capacity());
    }
}
