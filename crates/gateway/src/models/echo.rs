//! Gives a response the model name that was requested, if the upstream echoes another.

use crate::http::json::quoted;

/// Replaces the value of `"model"` in a stream of bytes, wherever the stream is split into chunks.
///
/// It searches for the bytes `"model":"<sent>"`. Inside a JSON string every quote is escaped, so
/// a model's own text can never match.
///
/// ```
/// use gateway::models::echo::ModelEcho;
///
/// let mut echo = ModelEcho::new("google-ai-studio/gemini-2.5-pro", "gemini-2.5-pro");
/// let mut out = echo.push(br#"{"model":"google-ai-"#);
/// out.extend(echo.push(br#"studio/gemini-2.5-pro"}"#));
/// out.extend(echo.finish());
/// assert_eq!(out, br#"{"model":"gemini-2.5-pro"}"#);
/// ```
#[derive(Clone, Debug)]
pub struct ModelEcho {
    pattern: Vec<u8>,
    replacement: Vec<u8>,
    held: Vec<u8>,
}

impl ModelEcho {
    /// Creates an echo that replaces `sent` by `requested`.
    pub fn new(sent: &str, requested: &str) -> Self {
        let member = |name: &str| format!("\"model\":{}", quoted(name)).into_bytes();
        Self { pattern: member(sent), replacement: member(requested), held: Vec::new() }
    }

    /// Takes the next bytes and returns those that cannot be part of a match any more.
    ///
    /// What could be the start of a match is kept until more bytes decide it.
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

    /// Ends the stream and returns the bytes that were kept.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// Finds the first place in `bytes` where `pattern` is, or may start at their end.
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
        let mut echo = ModelEcho::new("google-ai-studio/g", "g");
        let mut out: Vec<u8> = chunks.iter().flat_map(|chunk| echo.push(chunk)).collect();
        out.extend(echo.finish());
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
