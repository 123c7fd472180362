//! Finds the usage in a response while it passes to the client.

use crate::usage::Usage;
use crate::usage::report::Report;
use crate::usage::scanner::{Place, Scanner, Visit};

/// Bytes of text per token, where tokens are estimated. <https://platform.openai.com/tokenizer>
pub const BYTES_PER_TOKEN: usize = 4;

/// The members of a root object that may hold the usage of a message, next to the root itself: Anthropic's
/// `message_start`, OpenAI's `response.completed`, Workers AI's envelope and Gemini's interactions.
const ENVELOPES: [&[u8]; 4] = [START, b"response", b"result", b"interaction"];

/// The one of them whose usage is that of the start of a message.
const START: &[u8] = b"message";

/// The members with the model's own text: content, reasoning, and arguments of calls.
const TEXTS: [&[u8]; 10] = [
    b"arguments",
    b"content",
    b"delta",
    b"partial_json",
    b"reasoning",
    b"reasoning_content",
    b"refusal",
    b"response",
    b"text",
    b"thinking",
];

/// The members that say why the model stopped: OpenAI's, Anthropic's and Google's.
const REASONS: [&[u8]; 3] = [b"finish_reason", b"stop_reason", b"finishReason"];

/// An observer of one response.
#[derive(Debug, Default)]
pub struct Observer {
    scanner: Scanner,
    /// Whether the last line of an event stream has no bytes so far.
    is_line_empty: bool,
    found: Found,
    /// Bytes of text in the parts that are complete.
    text: usize,
    has_read: bool,
}

/// What was found in the part that is being read.
#[derive(Debug, Default)]
struct Found {
    report: Report,
    /// Whether more than the start of a message is reported.
    is_final: bool,
    text: usize,
    /// Why the model stopped.
    reason: Option<String>,
    /// Whether the part's type says that its text is no new one: the last events of a response repeat it.
    repeats: bool,
}

impl Visit for Found {
    fn string(&mut self, place: &Place, start: &[u8], length: usize) {
        let name = place.name.bytes();
        if place.depth == 1 && name == b"type" {
            self.repeats = !adds_text(start);
        } else if TEXTS.contains(&name) {
            self.text += length;
        } else if REASONS.contains(&name) {
            self.reason = std::str::from_utf8(start).ok().map(ToOwned::to_owned);
        }
    }

    fn wants(&self, place: &Place) -> bool {
        let name = place.name.bytes();
        match place.depth {
            1 => name == b"usage" || name == b"usageMetadata",
            2 => name == b"usage" && ENVELOPES.contains(&place.root_name.bytes()),
            _ => false,
        }
    }

    fn object(&mut self, place: &Place, json: &[u8]) {
        self.is_final |= place.root_name.bytes() != START;
        self.report.merge(json);
    }
}

/// Checks whether an event of this type adds text: those of Anthropic and of OpenAI's responses are called
/// `…delta`. A whole message adds its text, too.
fn adds_text(kind: &[u8]) -> bool {
    kind.ends_with(b"delta") || kind == b"message"
}

/// Checks whether compact JSON has a member with usage, or one that says why the model stopped.
fn may_report(json: &[u8]) -> bool {
    let mut parts = json.split(|byte| *byte == b':');
    let mut before = parts.next().unwrap_or_default();
    parts.any(|part| {
        let name = std::mem::replace(&mut before, part);
        name.ends_with(b"usage\"") && part.starts_with(b"{")
            || name.ends_with(b"_reason\"") && part.starts_with(b"\"")
    })
}

impl Observer {
    /// Takes the next bytes of the response.
    pub fn push(&mut self, bytes: &[u8]) {
        self.has_read = true;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.scanner.push(line, &mut self.found);
            self.end_line(line);
        }
    }

    /// Takes the next whole events, for what the log shows of them. Most report neither usage nor why the
    /// model stopped: finding that out takes a small part of the time that reading them takes.
    pub fn push_events(&mut self, events: &[u8]) {
        if may_report(events) {
            self.push(events);
        }
    }

    /// Ends an event at an empty line. A blank line inside of JSON ends nothing.
    fn end_line(&mut self, line: &[u8]) {
        let is_blank = line.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        let has_ended = line.ends_with(b"\n");
        if has_ended && is_blank && self.is_line_empty {
            self.end_part();
            // Whatever a broken event has left open does not reach into the next one.
            self.scanner.reset();
        }
        self.is_line_empty = has_ended || self.is_line_empty && is_blank;
    }

    /// Counts the text of a complete part.
    fn end_part(&mut self) {
        let text = std::mem::take(&mut self.found.text);
        if !std::mem::take(&mut self.found.repeats) {
            self.text += text;
        }
    }

    /// Checks whether the response was of a form that is read.
    pub fn has_read(&self) -> bool {
        self.has_read
    }

    /// Returns why the model stopped, in the provider's word, if the response says so.
    pub fn finish_reason(&self) -> Option<String> {
        self.found.reason.clone()
    }

    /// Returns the usage that the response reports, if it does.
    pub fn reported(&self) -> Option<Usage> {
        let report = &self.found.report;
        report.input().or(report.output()).map(|_| report.or(0, 0))
    }

    /// Returns an estimate of the output tokens seen so far.
    pub fn seen(&self) -> i64 {
        let current = if self.found.repeats { 0 } else { self.found.text };
        i64::try_from((self.text + current).div_ceil(BYTES_PER_TOKEN)).unwrap_or(i64::MAX)
    }

    /// Returns the usage of a response that is complete, or was broken off, for a request with an
    /// estimated `input`. Returns nothing if the response neither reports usage nor has text.
    pub fn usage(&self, is_complete: bool, input: i64) -> Option<Usage> {
        let report = &self.found.report;
        let seen = self.seen();
        if report.input().is_none() && report.output().is_none() && seen == 0 {
            return None;
        }
        let is_whole = is_complete && self.found.is_final;
        let usage = report.or(input, if is_whole { 0 } else { seen });
        // What was reported before a break, or at the start, is only a part.
        let output = if is_whole { usage.output } else { usage.output.max(seen) };
        Some(Usage { output, ..usage })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHAT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"12345678\"}}],\"usage\":null}\n\n\
        : comment\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12}}\n\n\
        data: [DONE]\n\n";
    const MESSAGE: &str = "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":{\"input_tokens\":14,\"output_tokens\":1}}}\r\n\r\n\
        event: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"1234\"}}\r\n\r\n\
        event: message_delta\r\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":12}}\r\n\r\n";
    const RESPONSE: &str = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"12345678\"}\n\n\
        event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"text\":\"12345678\"}\n\n\
        event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"tools\":[{\"properties\":{\"usage\":{\"input_tokens\":1}}}],\"output\":[{\"text\":\"12345678\"}],\"usage\":{\"input_tokens\":9,\"output_tokens\":12}}}\n\n";
    const GEMINI: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"1234\"}]}}],\"usageMetadata\":{\"promptTokenCount\":8}}\n\n\
        data: {\"candidates\":[],\"usageMetadata\":{\"promptTokenCount\":8,\"candidatesTokenCount\":5}}\n\n";
    const ARRAY: &str = "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"1234\"}]}}],\"usageMetadata\":{\"promptTokenCount\":8,\"candidatesTokenCount\":5}}]";
    const WHOLE: &str = "{\n\n\"choices\":[{\"message\":{\"content\":\"1234\"}}],\n\n\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12}}";

    fn observed(text: &str, size: usize) -> Observer {
        let mut observer = Observer::default();
        text.as_bytes().chunks(size.max(1)).for_each(|chunk| observer.push(chunk));
        observer
    }

    fn usage(text: &str, is_complete: bool) -> Option<(i64, i64)> {
        let usage = observed(text, usize::MAX).usage(is_complete, 100)?;
        Some((usage.input, usage.output))
    }

    #[test]
    fn usage_is_what_a_complete_response_reports() {
        for (text, expected) in [
            (CHAT, (9, 12)),
            (MESSAGE, (14, 12)),
            (RESPONSE, (9, 12)),
            (GEMINI, (8, 5)),
            (ARRAY, (8, 5)),
            (WHOLE, (9, 12)),
            (r#"{"data":[],"usage":{"prompt_tokens":5,"total_tokens":5}}"#, (5, 0)),
            (
                r#"{"result":{"response":"x","usage":{"prompt_tokens":5,"completion_tokens":1}}}"#,
                (5, 1),
            ),
        ] {
            assert_eq!(usage(text, true), Some(expected), "{text}");
        }
    }

    #[test]
    fn push_events_finds_the_reports_that_push_finds() {
        let reason = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
        for text in [CHAT, MESSAGE, RESPONSE, &format!("{reason}{CHAT}"), WHOLE] {
            let mut observer = Observer::default();
            text.split_inclusive("\n\n").for_each(|event| observer.push_events(event.as_bytes()));
            let expected = observed(text, usize::MAX);
            assert!(expected.reported().is_some(), "{text}");
            assert_eq!(observer.reported(), expected.reported(), "{text}");
            assert_eq!(observer.finish_reason(), expected.finish_reason(), "{text}");
        }
        let mut unread = Observer::default();
        unread.push_events(b"data: {\"choices\":[{\"finish_reason\":null}],\"usage\":null}\n\n");
        assert!(!unread.has_read());
    }

    #[test]
    fn usage_of_a_broken_response_is_what_was_seen() {
        let before = |text: &str, end: &str| text[..text.find(end).unwrap()].to_owned();
        for (text, expected) in [
            (before(CHAT, "data: {\"choices\":[]"), (100, 2)),
            (before(MESSAGE, "event: content"), (14, 1)),
            (before(RESPONSE, "event: response.output_text.done"), (100, 2)),
            (before(RESPONSE, "event: response.completed"), (100, 2)),
            (before(GEMINI, "data: {\"candidates\":[],"), (8, 1)),
        ] {
            assert_eq!(usage(&text, false), Some(expected), "{text}");
        }
        assert_eq!(
            usage("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n", false),
            None
        );
        // A stream without a report that ends as it should.
        assert_eq!(usage(&before(CHAT, "data: {\"choices\":[]"), true), Some((100, 2)));
        assert_eq!(usage(r#"{"object":"list","data":[]}"#, true), None);
        // A provider may end a stream early without breaking it.
        let overloaded = before(MESSAGE, "event: message_delta")
            + "event: error\ndata: {\"type\":\"error\"}\n\n";
        assert_eq!(usage(&overloaded.replace("1234", &"x".repeat(400)), true), Some((14, 100)));
    }

    proptest! {
        #[test]
        fn usage_does_not_depend_on_the_splits(size in 1_usize..40) {
            for text in [CHAT, MESSAGE, RESPONSE, GEMINI, ARRAY, WHOLE] {
                let (pieces, whole) = (observed(text, size), observed(text, usize::MAX));
                prop_assert_eq!(pieces.usage(true, 1), whole.usage(true, 1));
                prop_assert_eq!(pieces.seen(), whole.seen());
            }
        }
    }
}
