//! Takes the chunk with the usage out of a stream, for a client that did not ask for it: clients that read
//! `choices[0]` break on it.

use crate::http::bytes::find;
use crate::http::json::{Members, from_bytes};

/// The longest event that may be the chunk with the usage, in bytes. A longer one is not held back.
const LONGEST: usize = 16 * 1024;

/// A filter for one stream of chat completions or completions.
///
/// ```
/// use gateway::usage::chunk::UsageChunkFilter;
///
/// let mut filter = UsageChunkFilter::default();
/// let mut out = filter.push(b"data: {\"choices\":[{}]}\n\ndata: {\"choices\":[],\"us");
/// out.extend(filter.push(b"age\":{\"prompt_tokens\":1}}\n\ndata: [DONE]\n\n"));
/// out.extend(filter.finish());
/// assert_eq!(out, b"data: {\"choices\":[{}]}\n\ndata: [DONE]\n\n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct UsageChunkFilter {
    /// The bytes of the event that has not ended.
    held: Vec<u8>,
    /// Where its last line starts.
    line: usize,
    /// Whether its bytes are passed on as they arrive, because it is too long.
    is_passing: bool,
}

impl UsageChunkFilter {
    /// Takes the next bytes and returns the events that are complete, except for the one with the usage.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.held.len() + bytes.len());
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.held.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.end_line(&mut out);
            }
            if self.held.len() > LONGEST {
                self.is_passing = true;
            }
            if self.is_passing {
                self.pass(&mut out);
            }
        }
        out
    }

    /// Ends a line. An empty one ends the event.
    fn end_line(&mut self, out: &mut Vec<u8>) {
        let line = self.held.get(self.line..).unwrap_or_default();
        let has_ended = line.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if !has_ended {
            self.line = self.held.len();
            return;
        }
        if self.is_passing || !is_usage_chunk(&self.held) {
            out.append(&mut self.held);
        }
        self.held.clear();
        (self.line, self.is_passing) = (0, false);
    }

    /// Passes on what is held.
    fn pass(&mut self, out: &mut Vec<u8>) {
        self.line = self.line.saturating_sub(self.held.len());
        out.append(&mut self.held);
    }

    /// Ends the stream and returns the bytes that were held back.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// Checks whether `event` is the chunk with the usage: it has no choices.
fn is_usage_chunk(event: &[u8]) -> bool {
    // Most chunks have neither, and are not parsed.
    if find(event, b"\"usage\"").is_none() || find(event, b"[]").is_none() {
        return false;
    }
    let mut lines = event.split(|byte| *byte == b'\n');
    lines.any(|line| line.strip_prefix(b"data:").is_some_and(is_without_choices))
}

fn is_without_choices(json: &[u8]) -> bool {
    let Ok(members) = from_bytes::<Members<'_>>(json) else { return false };
    let is = |name, start| members.get(name).is_some_and(|value| value.get().starts_with(start));
    is("usage", '{') && members.get("choices").is_some_and(|choices| choices.get() == "[]")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USAGE: &str = "data: {\"id\":\"a\",\"choices\":[],\"usage\":{\"prompt_tokens\":9}}\n\n";

    /// Events that must pass unchanged.
    const OTHERS: [&str; 9] = [
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":null}\n\n",
        "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n",
        "data: {\"choices\":[],\"usage\":null}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"[] \\\"usage\\\"\"}}],\"usage\":{\"a\":1}}\n\n",
        "data: [DONE]\n\n",
        ": comment with \"usage\" and []\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{}}]}\r\n\r\n",
        "data: broken \"usage\" []\n\n",
        "\n",
    ];

    fn filtered(text: &str, size: usize) -> String {
        let mut filter = UsageChunkFilter::default();
        let mut out: Vec<u8> =
            text.as_bytes().chunks(size).flat_map(|chunk| filter.push(chunk)).collect();
        out.extend(filter.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn push_takes_out_only_the_chunk_with_the_usage() {
        for usage in [USAGE.to_owned(), USAGE.replace('\n', "\r\n"), USAGE.replace(' ', "")] {
            for other in OTHERS {
                let text = format!("{other}{usage}{other}");
                assert_eq!(
                    filtered(&text, text.len()),
                    format!("{other}{other}"),
                    "{usage}{other}"
                );
            }
        }
    }

    #[test]
    fn push_does_not_hold_back_a_long_event() {
        let mut filter = UsageChunkFilter::default();
        let start = format!("data: {{\"choices\":[],\"usage\":{{\"a\":\"{}", "x".repeat(LONGEST));
        assert_eq!(filter.push(start.as_bytes()).len(), start.len());
        assert_eq!(filter.push(b"y\"}}\n").len(), 5);
        let out = filter.push(format!("\n{USAGE}data: [DONE]\n\n").as_bytes());
        assert_eq!(String::from_utf8(out).unwrap(), "\ndata: [DONE]\n\n");
    }

    proptest! {
        #[test]
        fn the_result_does_not_depend_on_the_splits(
            picks in prop::collection::vec(0..=OTHERS.len(), 0..8),
            size in 1_usize..60,
        ) {
            let events = picks.iter().map(|pick| OTHERS.get(*pick).copied().unwrap_or(USAGE));
            let text: String = events.clone().collect();
            let expected: String = events.filter(|event| *event != USAGE).collect();
            prop_assert_eq!(filtered(&text, size), expected);
        }
    }
}
