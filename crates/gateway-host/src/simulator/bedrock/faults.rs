//! Bedrock's own failures on demand; [`crate::simulator::faults`] has the table of all.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::json;

use crate::simulator::bedrock::exception::Exception;
use crate::simulator::bedrock::frames::Frame;
use crate::simulator::faults::pairs;

/// What is to go wrong, or to be otherwise.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
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
    /// Reads the header; what it does not know it ignores.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut fault = Self::default();
        for (name, value) in pairs(headers) {
            fault.set(name, value);
        }
        fault
    }

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

    /// Fails an answer that is no stream.
    pub(crate) fn check_whole(&self) -> Result<(), Exception> {
        match self.exception.as_deref() {
            None => Ok(()),
            Some("error") => Err(Exception::new("InternalServerException", MESSAGE)),
            Some(name) => Err(Exception::of_stream(name, MESSAGE)),
        }
    }

    /// The chunks of a stream, one frame each, with all that goes wrong in them.
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
        self.damage(&mut chunks);
        if self.is_split {
            let byte =
                |chunk: &Bytes| chunk.chunks(1).map(Bytes::copy_from_slice).collect::<Vec<_>>();
            chunks = chunks.iter().flat_map(byte).collect();
        }
        chunks
    }

    /// Harms the third frame, in its checksum or by ending in its middle.
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

/// What every failure on demand says.
const MESSAGE: &str = "simulated failure";

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

    /// The first header of each frame.
    fn kinds(chunks: &[Bytes]) -> Vec<String> {
        chunks.iter().map(|chunk| decode(chunk).0[0].1.clone()).collect()
    }

    #[test]
    fn chunks_faults_change_the_frames() {
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
    fn chunks_damage_is_in_the_third_frame() {
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
