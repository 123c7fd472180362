//! Bedrock's own faults on demand. [`crate::simulator::faults`] lists the faults of all providers.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::json;

use crate::simulator::bedrock::exception::Exception;
use crate::simulator::bedrock::frames::Frame;
use crate::simulator::faults::read_pairs;

/// The faults and variations that a request asks for, of Bedrock only.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
pub(crate) struct Fault {
    exception: Option<String>,
    after: usize,
    flips_checksum: bool,
    cuts_frame: bool,
    cuts_stop: bool,
    is_split: bool,
    lacks_usage: bool,
    pub(crate) stop_reason: Option<String>,
    pub(crate) lacks_output: bool,
    pub(crate) has_citations: bool,
    pub(crate) is_redacted: bool,
}

impl Fault {
    /// Reads the faults from the request headers.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        read_pairs(headers, Self::set)
    }

    /// Sets the fault of one pair. Unknown names are ignored: they may be faults of all providers.
    fn set(&mut self, name: &str, value: &str) {
        match name {
            "exception" => self.exception = Some(value.to_owned()),
            "after" => self.after = value.parse().unwrap_or_default(),
            "flip" => self.flips_checksum = value == "crc",
            "cut" => {
                self.cuts_frame = value == "frame";
                self.cuts_stop = value == "stop";
            }
            "split" => self.is_split = true,
            "no_usage" => self.lacks_usage = true,
            "stop" => self.stop_reason = Some(value.to_owned()),
            "no_output" => self.lacks_output = true,
            "citations" => self.has_citations = true,
            "redacted" => self.is_redacted = true,
            _ => {}
        }
    }

    /// Returns the requested exception, for a response that is not a stream.
    pub(crate) fn check_whole(&self) -> Result<(), Exception> {
        match self.exception.as_deref() {
            None => Ok(()),
            Some("error") => Err(Exception::new("InternalServerException", MESSAGE)),
            Some(name) => Err(Exception::from_stream_name(name, MESSAGE)),
        }
    }

    /// Encodes a stream into chunks of one frame each, and applies the faults to them.
    pub(crate) fn chunks(&self, mut frames: Vec<Frame>) -> Vec<Bytes> {
        frames.retain(|frame| {
            let is_last = frame.is("metadata");
            !(is_last && self.lacks_usage)
                && !(self.cuts_stop && (is_last || frame.is("messageStop")))
        });
        if let Some(kind) = &self.exception {
            frames.truncate(self.after);
            frames.push(exception(kind));
        }
        let mut chunks: Vec<Bytes> = frames.iter().map(Frame::encode).collect();
        // Damaged before the split, which would change which chunk is the third frame.
        self.damage(&mut chunks);
        if self.is_split {
            let byte =
                |chunk: &Bytes| chunk.chunks(1).map(Bytes::copy_from_slice).collect::<Vec<_>>();
            chunks = chunks.iter().flat_map(byte).collect();
        }
        chunks
    }

    /// Breaks the third frame: its checksum is wrong, or the stream ends in its middle.
    fn damage(&self, chunks: &mut Vec<Bytes>) {
        let Some(third) = chunks.get_mut(2) else {
            return;
        };
        if self.flips_checksum {
            let mut bytes = third.to_vec();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            *third = bytes.into();
        }
        if self.cuts_frame {
            third.truncate(third.len() / 2);
            chunks.truncate(3);
        }
    }
}

/// The message of every exception on demand.
const MESSAGE: &str = "simulated failure";

/// Builds the frame of an exception on demand.
fn exception(kind: &str) -> Frame {
    if kind == "error" {
        return Frame::Error { code: "InternalError", message: MESSAGE };
    }
    let mut payload = json!({"message": MESSAGE});
    if kind == "modelStreamErrorException" {
        payload["originalStatusCode"] = 500.into();
        payload["originalMessage"] = "the model failed".into();
    }
    Frame::Exception { kind: kind.to_owned(), payload }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::simulator::bedrock::frames::tests::decode;

    fn chunks(fault: &'static str) -> Vec<Bytes> {
        let mut headers = HeaderMap::new();
        headers.insert("x-simulate", HeaderValue::from_static(fault));
        let names =
            ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];
        let frames = names.map(|name| Frame::event(name, json!({})));
        Fault::read(&headers).chunks(frames.into())
    }

    /// Returns the first header of each frame, which holds its kind.
    fn kinds(chunks: &[Bytes]) -> Vec<String> {
        chunks.iter().map(|chunk| decode(chunk).0[0].1.clone()).collect()
    }

    #[test]
    fn chunks_fault_changes_frames() {
        let all =
            ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];
        for (fault, expected) in [
            ("", &all[..]),
            ("no_usage=1", &all[..4]),
            ("cut=stop", &all[..3]),
            ("exception=throttlingException", &["throttlingException"]),
            ("exception=error", &["error"]),
            ("exception=x, after=1", &["messageStart", "x"]),
        ] {
            assert_eq!(kinds(&chunks(fault)), expected, "{fault}");
        }
    }

    #[test]
    fn chunks_damage_is_in_third_frame() {
        let whole = chunks("");
        let flipped = chunks("flip=crc");
        let differing = |(left, right): &(&Bytes, &Bytes)| left != right;
        assert_eq!(whole.iter().zip(&flipped).filter(differing).count(), 1);
        assert_ne!(whole[2], flipped[2]);
        let cut = chunks("cut=frame");
        assert_eq!(cut.len(), 3);
        assert!(whole[2].starts_with(&cut[2]) && cut[2].len() < whole[2].len());
        assert_eq!(chunks("split=1").concat(), whole.concat());
        assert!(chunks("split=1").iter().all(|chunk| chunk.len() == 1));
    }
}
