//! Giving a response the model name the client asked for, where the upstream echoes another.

/// Replaces the value of `"model"` in a stream of bytes, wherever the stream is split.
///
/// It looks for `"model":"<sent>"` as it stands. Inside a JSON string every quote is escaped, so
/// text that a model says can never match.
#[derive(Clone, Debug)]
pub struct Rename {
    pattern: Vec<u8>,
    replacement: Vec<u8>,
    held: Vec<u8>,
}

impl Rename {
    /// Replaces `sent` by `asked`.
    pub fn new(sent: &str, asked: &str) -> Self {
        let member = |name: &str| {
            // A string always prints as JSON.
            let value = serde_json::to_string(name).unwrap_or_default();
            format!("\"model\":{value}").into_bytes()
        };
        Self { pattern: member(sent), replacement: member(asked), held: Vec::new() }
    }

    /// Takes the next bytes and returns those that are certain by now.
    ///
    /// What could be the start of a match is held back until it is decided.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut pending = std::mem::take(&mut self.held);
        pending.extend_from_slice(bytes);
        let mut out = Vec::with_capacity(pending.len());
        let mut rest = pending.as_slice();
        while let Some(start) = find_start(rest, &self.pattern) {
            let (before, candidate) = rest.split_at(start);
            out.extend_from_slice(before);
            let Some(after) = candidate.strip_prefix(self.pattern.as_slice()) else {
                self.held = candidate.to_vec();
                return out;
            };
            out.extend_from_slice(&self.replacement);
            rest = after;
        }
        out.extend_from_slice(rest);
        out
    }

    /// Ends the stream and returns what was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// Where `pattern` stands in `bytes`, or may start at their end.
fn find_start(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    let quotes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'"');
    quotes.map(|(start, _)| start).find(|start| {
        let tail = bytes.get(*start..).unwrap_or_default();
        tail.starts_with(pattern) || pattern.starts_with(tail)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn renamed(chunks: &[&[u8]]) -> String {
        let mut rename = Rename::new("google-ai-studio/g", "g");
        let mut out: Vec<u8> = chunks.iter().flat_map(|chunk| rename.push(chunk)).collect();
        out.extend(rename.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn push_replaces_the_member_and_nothing_else() {
        for (given, expected) in [
            (r#"{"model":"google-ai-studio/g"}"#, r#"{"model":"g"}"#),
            (r#"{"model":"google-ai-studio/g2"}"#, r#"{"model":"google-ai-studio/g2"}"#),
            (
                r#"{"a":"\"model\":\"google-ai-studio/g\""}"#,
                r#"{"a":"\"model\":\"google-ai-studio/g\""}"#,
            ),
            (r#"data: {"model":"goo"#, r#"data: {"model":"goo"#),
            ("", ""),
        ] {
            assert_eq!(renamed(&[given.as_bytes()]), expected);
        }
    }

    proptest! {
        #[test]
        fn the_result_does_not_depend_on_the_splits(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    r#"{"model":"google-ai-studio/g"}"#, r#""mod"#, r#""model":"goo"#, "\"", "x",
                ]),
                0..6,
            ),
            size in 1_usize..9,
        ) {
            let text = parts.concat();
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            prop_assert_eq!(renamed(&chunks), renamed(&[text.as_bytes()]));
        }
    }
}
