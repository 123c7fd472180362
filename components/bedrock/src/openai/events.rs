//! The chunks of a stream, written as server-sent events.

use crate::openai::completion::{Chunk, ChunkChoice, ChunkUsage, Delta, Extras, Role, Usage};

/// The writer of a stream, with the fields that all its chunks have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChunkWriter {
    pub(crate) id: String,
    pub(crate) created: u64,
    pub(crate) model: String,
    /// Whether the client asks for usage, which adds a field to every chunk.
    pub(crate) include_usage: bool,
}

impl ChunkWriter {
    /// Writes the chunk that opens the message.
    pub(crate) fn open(&self, out: &mut Vec<u8>) {
        let role = Some(Role::Assistant);
        self.add(Delta { role, content: Some(""), ..Delta::default() }, out);
    }

    /// Writes a chunk that adds `delta` to the message.
    pub(crate) fn add(&self, delta: Delta<'_>, out: &mut Vec<u8>) {
        self.choice(delta, None, Extras::default(), out);
    }

    /// Writes the chunk with the finish reason.
    pub(crate) fn close(&self, reason: &'static str, extras: Extras<'_>, out: &mut Vec<u8>) {
        self.choice(Delta::default(), Some(reason), extras, out);
    }

    /// Writes the chunk with the usage, if the client asks for it.
    pub(crate) fn usage(&self, usage: Usage, extras: Extras<'_>, out: &mut Vec<u8>) {
        if self.include_usage {
            self.chunk(&[], Some(ChunkUsage::Now(usage)), extras, out);
        }
    }

    /// Writes the end of a complete stream. A stream that failed must not have it.
    pub(crate) fn done(out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// Writes a chunk with a choice.
    fn choice(
        &self,
        delta: Delta<'_>,
        finish_reason: Option<&'static str>,
        extras: Extras<'_>,
        out: &mut Vec<u8>,
    ) {
        let choice = ChunkChoice { index: 0, delta, logprobs: None, finish_reason };
        self.chunk(&[choice], self.include_usage.then_some(ChunkUsage::Later), extras, out);
    }

    /// Writes a chunk.
    fn chunk(
        &self,
        choices: &[ChunkChoice<'_>],
        usage: Option<ChunkUsage>,
        extras: Extras<'_>,
        out: &mut Vec<u8>,
    ) {
        let object = "chat.completion.chunk";
        let (id, created, model) = (&*self.id, self.created, &*self.model);
        let chunk = Chunk { id, object, created, model, choices, usage, extras };
        // Neither serialising the gateway's own types nor writing to a vector can fail.
        write_data(|out| serde_json::to_writer(out, &chunk).unwrap_or_default(), out);
    }
}

/// Writes what `write` appends as the data of an event, and ends the event.
pub(crate) fn write_data(write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    let start = out.len();
    write(out);
    join_lines(out.get_mut(start..).unwrap_or_default());
    out.extend_from_slice(b"\n\n");
}

/// Makes `json` a single line, which an event's data must be: JSON that is passed through may
/// contain line breaks, though never inside a string.
fn join_lines(json: &mut [u8]) {
    for byte in json {
        if matches!(*byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(include_usage: bool) -> ChunkWriter {
        let (id, model) = ("chatcmpl-1".to_owned(), "m".to_owned());
        ChunkWriter { id, created: 7, model, include_usage }
    }

    fn written(include_usage: bool) -> Vec<String> {
        let events = writer(include_usage);
        let mut out = Vec::new();
        events.open(&mut out);
        events.add(Delta { content: Some("a\nb"), ..Delta::default() }, &mut out);
        events.close("stop", Extras::default(), &mut out);
        events.usage(Usage::default(), Extras::default(), &mut out);
        ChunkWriter::done(&mut out);
        let text = String::from_utf8(out).unwrap();
        text.split_terminator("\n\n").map(str::to_owned).collect()
    }

    #[test]
    fn chunks_without_include_usage_have_no_usage() {
        assert_eq!(
            written(false),
            [
                r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}"#,
                r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{"content":"a\nb"},"logprobs":null,"finish_reason":null}]}"#,
                r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}"#,
                "data: [DONE]",
            ]
        );
    }

    #[test]
    fn close_with_line_breaks_in_json_writes_one_line() {
        let events = writer(false);
        let fields = serde_json::from_str("{\r\n  \"a\": 1\n}").unwrap();
        let extras = Extras { additional_model_response_fields: fields, ..Extras::default() };
        let mut out = Vec::new();
        events.close("stop", extras, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.ends_with("\"additional_model_response_fields\":{    \"a\": 1 }}\n\n"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn chunks_with_include_usage_have_null_until_the_end() {
        let events = written(true);
        assert_eq!(events.len(), 5);
        for event in &events[..3] {
            assert!(event.ends_with(r#","usage":null}"#), "{event}");
        }
        assert!(events[3].contains(r#""choices":[],"usage":{"prompt_tokens":0,"#), "{events:?}");
    }
}
