//! What a request may use, before it is sent.

use crate::http::body::Body;
use crate::http::json::{Members, from_bytes};
use crate::usage::Usage;
use crate::usage::observer::BYTES_PER_TOKEN;
use crate::usage::scanner::{Place, Scanner, Visit};

/// The setting with the most output tokens that are reserved for a request.
pub const RESERVE_SETTING: &str = "reserve_output_tokens";

/// Its default.
pub const RESERVE: u64 = 2048;

/// The members of a request's root with the client's own maximum.
const MAXIMA: [&str; 3] = ["max_tokens", "max_completion_tokens", "max_output_tokens"];

/// The members whose strings are not text for the model: images, audio and files, and the names of things.
const NO_TEXT: [&[u8]; 10] = [
    b"b64_json",
    b"bytes",
    b"data",
    b"file_data",
    b"id",
    b"image_url",
    b"model",
    b"role",
    b"type",
    b"url",
];

/// The length in bytes from which such a string is an image, audio or a file, and not its address, and the
/// bytes of text that one stands for: how many tokens it has depends on the model.
const SHORT: usize = 512;
const MEDIUM: usize = 1000 * BYTES_PER_TOKEN;

/// The operations that count tokens, or that are not billed by them.
const UNBILLED: [&str; 4] = ["/count_tokens", ":countTokens", "/input_tokens", "/moderations"];

/// Checks whether the operation at `path` uses tokens.
pub fn uses_tokens(path: &str) -> bool {
    !UNBILLED.iter().any(|end| path.ends_with(end))
}

/// Checks whether the request with the JSON `body` runs after its response, which then reports no usage.
pub fn runs_in_background(body: &[u8]) -> bool {
    let members = from_bytes::<Members<'_>>(body).unwrap_or_default();
    let mut given = members.0.iter().filter(|(name, _)| name == "background");
    given.any(|(_, value)| !matches!(value.get(), "false" | "null"))
}

/// The tokens that a request may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Input tokens: a quarter of the bytes of its text.
    pub input: i64,
    /// Output tokens: the client's own maximum, or what the operator reserves if that is less.
    pub output: i64,
}

impl Estimate {
    /// Estimates a request with this `body` to `path`, with at most `reserve` output tokens.
    pub fn new(body: &Body, path: &str, reserve: i64) -> Self {
        match body {
            Body::Json(bytes, _) => Self::of_json(bytes, path, reserve),
            // Nothing says how many tokens audio or an image has.
            _ => Self { input: 0, output: reserve },
        }
    }

    /// Estimates a request whose body is the JSON `body`.
    pub fn of_json(body: &[u8], path: &str, reserve: i64) -> Self {
        let mut text = Text(0);
        Scanner::default().push(body, &mut text);
        let input = i64::try_from(text.0.div_ceil(BYTES_PER_TOKEN)).unwrap_or(i64::MAX);
        let has_output = !path.ends_with("embeddings");
        let output = if has_output { maximum(body).unwrap_or(reserve).min(reserve) } else { 0 };
        Self { input, output }
    }

    /// Returns all tokens as the usage they would be.
    pub fn usage(&self) -> Usage {
        Usage { input: self.input, output: self.output, ..Usage::default() }
    }
}

/// Returns the client's own maximum of output tokens: the largest of several.
fn maximum(body: &[u8]) -> Option<i64> {
    let members: Members<'_> = from_bytes(body).ok()?;
    let gemini = members.get("generationConfig").or_else(|| members.get("generation_config"));
    let gemini = gemini.and_then(|config| from_bytes::<Members<'_>>(config.get().as_bytes()).ok());
    let number = |members: &Members<'_>, name: &str| -> Option<i64> {
        members.get(name)?.get().parse().ok().filter(|tokens| *tokens >= 0)
    };
    let own = MAXIMA.iter().filter_map(|name| number(&members, name));
    let nested = ["maxOutputTokens", "max_output_tokens"];
    let nested = nested.iter().filter_map(|name| number(gemini.as_ref()?, name));
    own.chain(nested).max()
}

/// The bytes of a request's text.
struct Text(usize);

impl Visit for Text {
    fn string(&mut self, place: &Place, _: &[u8], length: usize) {
        let is_text = !NO_TEXT.contains(&place.name.bytes());
        self.0 += match length {
            _ if is_text => length,
            SHORT.. => MEDIUM,
            _ => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_in_background_reads_every_spelling() {
        for (body, expected) in [
            (r#"{"background":true}"#, true),
            (r#"{"background":"true"}"#, true),
            (r#"{"background":false,"background":true}"#, true),
            (r#"{"b\u0061ckground":1}"#, true),
            (r#"{"background":false}"#, false),
            (r#"{"background":null}"#, false),
            (r#"{"a":{"background":true}}"#, false),
        ] {
            assert_eq!(runs_in_background(body.as_bytes()), expected, "{body}");
        }
        assert!(uses_tokens("/v1/messages") && !uses_tokens("/v1/messages/count_tokens"));
    }

    #[test]
    fn of_json_counts_text_and_the_clients_maximum() {
        for (body, path, expected) in [
            (
                r#"{"model":"gpt-4o","messages":[{"role":"user","content":"12345"}]}"#,
                "/chat/completions",
                (2, 2048),
            ),
            (r#"{"input":["1234","5678"]}"#, "/embeddings", (2, 0)),
            (r#"{"max_tokens":10}"#, "/chat/completions", (0, 10)),
            (r#"{"max_tokens":10,"max_completion_tokens":20}"#, "/chat/completions", (0, 20)),
            (r#"{"max_output_tokens":100000}"#, "/responses", (0, 2048)),
            (r#"{"generationConfig":{"maxOutputTokens":7}}"#, "/models/g:generateContent", (0, 7)),
            (r#"{"max_tokens":null}"#, "/chat/completions", (0, 2048)),
            (r#"{"max_tokens":-5}"#, "/chat/completions", (0, 2048)),
            (
                r#"{"a":[{"image_url":{"url":"data:image/png;base64,AAAA"}},{"data":"AAAA","text":"data"}]}"#,
                "/chat/completions",
                (1, 2048),
            ),
            ("not json", "/chat/completions", (0, 2048)),
        ] {
            let estimate = Estimate::of_json(body.as_bytes(), path, 2048);
            assert_eq!((estimate.input, estimate.output), expected, "{body}");
        }
        let image = format!(
            r#"{{"image_url":{{"url":"data:{}"}},"text":"data:{}"}}"#,
            "A".repeat(5000),
            "x".repeat(95)
        );
        let estimate = Estimate::of_json(image.as_bytes(), "/chat/completions", 5);
        assert_eq!(
            (estimate.input, estimate.output),
            (1025, 5),
            "an image, and a text that begins like one"
        );
        assert_eq!(
            Estimate::new(&Body::Stream, "/audio/transcriptions", 9),
            Estimate { input: 0, output: 9 }
        );
    }
}
