//! Images, documents, videos and sounds: what they are, and where their bytes stand.
//!
//! Payloads of many megabytes pass through here. They stay in the request they came in, are looked
//! through once, and but for their first bytes never decoded.

mod formats;

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub(crate) use self::formats::Kind;
use self::formats::{audio_format, by_extension, by_mime, sniff};
use crate::converse::Source;

/// Something other than text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Medium<'a> {
    pub(crate) kind: Kind,
    /// Bedrock's word for it.
    pub(crate) format: &'static str,
    pub(crate) source: Source<'a>,
}

/// Why a medium cannot go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not what it should be.
    Malformed(&'static str),
    /// It is well formed, but nothing for Bedrock.
    Unsupported(&'static str),
}

/// As much base64 as tells what it is.
const HEAD: usize = 64;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const EMPTY: Refusal = Refusal::Malformed("there is no data: send it as base64");
const NOT_A_URL: Refusal =
    Refusal::Malformed("the url has no known scheme: use a data: URL or s3://");
const NOT_A_DATA_URL: Refusal =
    Refusal::Malformed("malformed data: URL: write `data:<mime type>;base64,<data>`");
const PERCENT_ENCODED: Refusal =
    Refusal::Malformed("the base64 data is percent-encoded: send it as it is");
const NOT_BASE64: Refusal =
    Refusal::Unsupported("the data: URL is not in base64: write `data:<mime type>;base64,<data>`");
const REMOTE: Refusal =
    Refusal::Unsupported("remote files are not fetched: use a data: URL or s3://");
const UNKNOWN_FORMAT: Refusal = Refusal::Unsupported(
    "unknown file format: send an image (png, jpeg, gif, webp), a document (pdf, csv, doc, docx, \
     xls, xlsx, html, txt, md), a video or a sound, and say which by a mime type or a file \
     extension",
);
const UNKNOWN_AUDIO: Refusal = Refusal::Unsupported(
    "unknown audio format: use mp3, opus, wav, aac, flac, mp4, ogg, mkv, mka, m4a, mpeg, mpga, pcm \
     or webm",
);

/// Reads what a `url` leads to; `filename` helps to tell its format.
pub(crate) fn from_url<'a>(url: &'a str, filename: Option<&str>) -> Result<Medium<'a>, Refusal> {
    let url = url.trim();
    let (scheme, rest) = url.split_at_checked(scheme_length(url)).unwrap_or(("", url));
    match scheme.to_ascii_lowercase().as_str() {
        "data:" => embedded(rest, filename),
        "s3:" => stored(url, filename),
        "http:" | "https:" => Err(REMOTE),
        _ => Err(NOT_A_URL),
    }
}

/// Reads a file's data: a URL, or base64 alone.
pub(crate) fn from_file<'a>(data: &'a str, filename: Option<&str>) -> Result<Medium<'a>, Refusal> {
    if scheme_length(data.trim()) > 0 {
        from_url(data, filename)
    } else {
        described(data, "", filename)
    }
}

/// Reads a sound in `format`.
pub(crate) fn from_audio<'a>(data: &'a str, format: &str) -> Result<Medium<'a>, Refusal> {
    let format = audio_format(format).ok_or(UNKNOWN_AUDIO)?;
    let payload = if scheme_length(data.trim()) > 0 { payload_of_url(data)? } else { data };
    Ok(Medium { kind: Kind::Audio, format, source: Source::Bytes(clean(payload)?) })
}

/// A URL's scheme with its colon, if there is one. Base64 has no colon.
fn scheme_length(url: &str) -> usize {
    url.bytes().take(8).position(|byte| byte == b':').map_or(0, |colon| colon + 1)
}

/// Splits what follows `data:` into its mime type and its payload.
fn split_data(rest: &str) -> Result<(&str, &str), Refusal> {
    let (head, payload) = rest.split_once(',').ok_or(NOT_A_DATA_URL)?;
    let (mime, parameters) = head.split_once(';').unwrap_or((head, ""));
    let mut parameters = parameters.split(';').map(str::trim);
    if !parameters.any(|parameter| parameter.eq_ignore_ascii_case("base64")) {
        return Err(NOT_BASE64);
    }
    Ok((mime.trim(), payload))
}

fn payload_of_url(url: &str) -> Result<&str, Refusal> {
    let url = url.trim();
    let (scheme, rest) = url.split_at_checked(scheme_length(url)).unwrap_or(("", url));
    if scheme.eq_ignore_ascii_case("data:") { Ok(split_data(rest)?.1) } else { Err(REMOTE) }
}

fn embedded<'a>(rest: &'a str, filename: Option<&str>) -> Result<Medium<'a>, Refusal> {
    let (mime, payload) = split_data(rest)?;
    described(payload, mime, filename)
}

/// What a payload is by its first bytes, or else by what is said of it.
fn described<'a>(
    payload: &'a str,
    mime: &str,
    filename: Option<&str>,
) -> Result<Medium<'a>, Refusal> {
    let payload = clean(payload)?;
    let format = sniff(&head(&payload))
        .or_else(|| by_mime(mime))
        .or_else(|| filename.and_then(by_extension));
    let (kind, format) = format.ok_or(UNKNOWN_FORMAT)?;
    Ok(Medium { kind, format, source: Source::Bytes(payload) })
}

/// What lies in S3, which its name alone can tell.
fn stored<'a>(uri: &'a str, filename: Option<&str>) -> Result<Medium<'a>, Refusal> {
    let format = by_extension(uri).or_else(|| filename.and_then(by_extension));
    let (kind, format) = format.ok_or(UNKNOWN_FORMAT)?;
    Ok(Medium { kind, format, source: Source::S3Location { uri: Cow::Borrowed(uri) } })
}

/// Base64 without white space, copied only if there was some.
fn clean(payload: &str) -> Result<Cow<'_, str>, Refusal> {
    match payload.trim_ascii() {
        "" => Err(EMPTY),
        plain if !has_stranger(plain.as_bytes()) => Ok(Cow::Borrowed(plain)),
        encoded if encoded.contains('%') => Err(PERCENT_ENCODED),
        spaced => Ok(spaced.split_ascii_whitespace().collect()),
    }
}

/// Whether `bytes` has white space, `%` or something else that comes before base64 in ASCII.
///
/// Looks at eight bytes at once, because at the guests' optimisation level one at a time takes ten
/// milliseconds for a large image. <https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord>
fn has_stranger(bytes: &[u8]) -> bool {
    const LEAST: u8 = b'%' + 1;
    const ONES: u64 = u64::MAX / 255;
    let is_strange = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        word.wrapping_sub(ONES * u64::from(LEAST)) & !word & (ONES * 0x80) != 0
    };
    let (words, rest) = bytes.as_chunks();
    words.iter().any(is_strange) || rest.iter().any(|byte| *byte < LEAST)
}

/// The first bytes of a payload; none if it is not base64, which is for Bedrock to say.
fn head(payload: &str) -> Vec<u8> {
    let payload = payload.as_bytes();
    LENIENT.decode(payload.get(..HEAD).unwrap_or(payload)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &str = "iVBORw0KGgoAAAANSUhEUg==";

    /// A medium as `kind format`, or why there is none.
    fn told(medium: Result<Medium<'_>, Refusal>) -> String {
        medium.map_or_else(
            |refusal| format!("{refusal:?}"),
            |medium| format!("{:?} {}", medium.kind, medium.format),
        )
    }

    #[test]
    fn formats_come_from_bytes_then_mime_then_name() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        for (mime, payload, filename, expected) in [
            ("image/jpg", "AAAA", None, "Image jpeg"),
            ("IMAGE/PNG", "AAAA", None, "Image png"),
            ("image/jpeg", PNG, None, "Image png"),
            ("", PNG, None, "Image png"),
            ("application/octet-stream", "/9j/4AAQ", None, "Image jpeg"),
            ("text/plain", "R0lGODlh", None, "Image gif"),
            ("image/png", "UklGRgAAAABXRUJQVlA4", None, "Image webp"),
            ("", "JVBERi0xLjc=", None, "Document pdf"),
            (docx, "UEsDBBQA", None, "Document docx"),
            ("application/zip", "UEsDBBQA", Some("a.xlsx"), "Document xlsx"),
            ("text/markdown;charset=utf-8", "AAAA", None, "Document md"),
            ("text/html", "AAAA", Some("x.png"), "Document html"),
            ("video/3gpp", "AAAA", None, "Video three_gp"),
            ("audio/mpeg", "AAAA", None, "Audio mp3"),
            ("image/bmp", "Qk0AAAAA", None, &format!("{UNKNOWN_FORMAT:?}")),
        ] {
            let url = format!("data:{mime};base64,{payload}");
            assert_eq!(told(from_url(&url, filename)), expected, "{url} {filename:?}");
        }
    }

    #[test]
    fn urls_lead_to_bytes_or_to_s3_or_nowhere() {
        let bytes = |text: &'static str| Ok(Source::Bytes(Cow::Borrowed(text)));
        let uri = "s3://bucket/a.PNG";
        for (url, expected) in [
            ("data:image/png;base64,AAAA", bytes("AAAA")),
            ("  DATA:image/png;name=x;BASE64,AAAA\n", bytes("AAAA")),
            ("data:image/png;base64,AA\r\n AA==", bytes("AAAA==")),
            (uri, Ok(Source::S3Location { uri: Cow::Borrowed(uri) })),
            ("s3://bucket/picture", Err(UNKNOWN_FORMAT)),
            ("https://example.com/a.png", Err(REMOTE)),
            ("HTTP://example.com/a.png", Err(REMOTE)),
            ("data:image/png;base64,", Err(EMPTY)),
            ("data:image/png;base64, \n", Err(EMPTY)),
            ("data:image/png;base64", Err(NOT_A_DATA_URL)),
            ("data:image/svg+xml,%3Csvg/%3E", Err(NOT_BASE64)),
            ("data:image/png;base64,AAA%3D", Err(PERCENT_ENCODED)),
            ("ftp://example.com/a.png", Err(NOT_A_URL)),
            ("", Err(NOT_A_URL)),
            ("iVBORw0K", Err(NOT_A_URL)),
        ] {
            assert_eq!(from_url(url, None).map(|medium| medium.source), expected, "{url}");
        }
    }

    #[test]
    fn a_payload_is_borrowed_unless_it_has_white_space() {
        for (payload, is_borrowed) in [("AAAA", true), (" AAAA\n", true), ("AA\nAA", false)] {
            let cleaned = clean(payload).unwrap();
            assert_eq!(cleaned, "AAAA", "{payload}");
            assert_eq!(matches!(cleaned, Cow::Borrowed(_)), is_borrowed, "{payload}");
        }
    }

    #[test]
    fn files_come_as_urls_or_bare() {
        for (data, filename, expected) in [
            ("AAAA", Some("a.TXT"), "Document txt"),
            ("JVBERi0xLjc=", Some("a"), "Document pdf"),
            ("data:;base64,AAAA", Some("a.md"), "Document md"),
            ("s3://bucket/key", Some("a.csv"), "Document csv"),
            ("AAAA", None, &format!("{UNKNOWN_FORMAT:?}")),
            ("", Some("a.txt"), &format!("{EMPTY:?}")),
            ("https://example.com/a.pdf", None, &format!("{REMOTE:?}")),
        ] {
            assert_eq!(told(from_file(data, filename)), expected, "{data} {filename:?}");
        }
    }

    #[test]
    fn sounds_have_formats_of_their_own() {
        for (data, format, expected) in [
            ("AAAA", "wav", "Audio wav"),
            ("AAAA", "MP3", "Audio mp3"),
            ("AAAA", "webm", "Audio webm"),
            ("AAAA", "pcm16", "Audio pcm"),
            ("AAAA", "audio/x-wav", "Audio wav"),
            ("data:audio/ogg;base64,AAAA", "ogg", "Audio ogg"),
            ("AAAA", "midi", &format!("{UNKNOWN_AUDIO:?}")),
            ("", "wav", &format!("{EMPTY:?}")),
            ("https://example.com/a.wav", "wav", &format!("{REMOTE:?}")),
        ] {
            assert_eq!(told(from_audio(data, format)), expected, "{data} {format}");
        }
    }

    #[test]
    fn strangers_are_found_wherever_they_are() {
        let plain = "AZaz09+/=-_AAAAABBBBBBBB\u{e9}\u{ff}";
        assert!(!has_stranger(plain.as_bytes()));
        for stranger in [b' ', b'\n', b'\t', b'%', 0] {
            for place in 0..plain.len() {
                let mut bytes = plain.as_bytes().to_vec();
                bytes[place] = stranger;
                assert!(has_stranger(&bytes), "{stranger} at {place}");
            }
        }
    }
}
