//! Images, documents, videos and sounds: their format and where their bytes are.
//!
//! Payloads can have many megabytes. They stay in the request that they were received in, are
//! scanned once, and only their first bytes are ever decoded.

mod formats;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub(crate) use self::formats::Kind;
use self::formats::{audio_format, by_extension, by_mime, sniff};
use crate::converse::request::Source;

/// A file of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Medium<'a> {
    pub(crate) kind: Kind,
    /// Bedrock's name for the format.
    pub(crate) format: &'static str,
    pub(crate) source: Source<'a>,
}

/// Why a file cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is malformed.
    Malformed(&'static str),
    /// It is well formed, but Bedrock does not support it.
    Unsupported(&'static str),
}

/// Characters of base64 that are enough to detect the format.
const SNIFFED: usize = 64;

/// Decodes what Bedrock accepts as well: padding is optional, and trailing bits are ignored.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The refusal of a payload without data.
const EMPTY: Refusal = Refusal::Malformed("the data is empty: send it as base64");
/// The refusal of text that is not a URL of a known scheme.
const NOT_A_URL: Refusal =
    Refusal::Malformed("the url has no known scheme: use a data: URL or s3://");
/// The refusal of a `data:` URL without a comma.
const NOT_A_DATA_URL: Refusal =
    Refusal::Malformed("malformed data: URL: write `data:<mime type>;base64,<data>`");
/// The refusal of base64 that would have to be decoded twice.
const PERCENT_ENCODED: Refusal =
    Refusal::Malformed("the base64 data is percent-encoded: send it unencoded");
/// The refusal of a `data:` URL in another encoding.
const NOT_BASE64: Refusal =
    Refusal::Unsupported("the data: URL is not in base64: write `data:<mime type>;base64,<data>`");
/// The refusal of a remote file: a component may call no host but the AI Gateway's.
const REMOTE: Refusal =
    Refusal::Unsupported("remote files are not fetched: use a data: URL or s3://");
/// The refusal of a file whose format cannot be detected.
const UNKNOWN_FORMAT: Refusal = Refusal::Unsupported(
    "unknown file format: send an image (png, jpeg, gif, webp), a document (pdf, csv, doc, docx, \
     xls, xlsx, html, txt, md), a video or a sound, and give its mime type or file extension",
);
/// The refusal of a sound whose format is unknown.
const UNKNOWN_AUDIO: Refusal = Refusal::Unsupported(
    "unknown audio format: use mp3, opus, wav, aac, flac, mp4, ogg, mkv, mka, m4a, mpeg, mpga, pcm \
     or webm",
);

/// Reads the file at `url`; `filename` helps to detect its format.
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

/// Reads the data of a file: a URL, or plain base64.
pub(crate) fn from_file<'a>(data: &'a str, filename: Option<&str>) -> Result<Medium<'a>, Refusal> {
    if scheme_length(data.trim()) > 0 {
        from_url(data, filename)
    } else {
        described(data, "", filename)
    }
}

/// Reads a sound in the format `format`.
pub(crate) fn from_audio<'a>(data: &'a str, format: &str) -> Result<Medium<'a>, Refusal> {
    let format = audio_format(format).ok_or(UNKNOWN_AUDIO)?;
    let payload = if scheme_length(data.trim()) > 0 { payload_of_url(data)? } else { data };
    Ok(Medium { kind: Kind::Audio, format, source: base64(payload)? })
}

/// Returns the length of a URL's scheme with its colon; 0 for base64, which has no colon.
fn scheme_length(url: &str) -> usize {
    // No known scheme is longer, and a payload of many megabytes must not be searched for a colon.
    url.bytes().take(8).position(|byte| byte == b':').map_or(0, |colon| colon + 1)
}

/// Splits what follows `data:` into its mime type and its payload.
fn split_data(rest: &str) -> Result<(&str, &str), Refusal> {
    let (media_type, payload) = rest.split_once(',').ok_or(NOT_A_DATA_URL)?;
    let (mime, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
    let mut parameters = parameters.split(';').map(str::trim);
    if !parameters.any(|parameter| parameter.eq_ignore_ascii_case("base64")) {
        return Err(NOT_BASE64);
    }
    Ok((mime.trim(), payload))
}

/// Returns the payload of a `data:` URL.
fn payload_of_url(url: &str) -> Result<&str, Refusal> {
    let url = url.trim();
    let (scheme, rest) = url.split_at_checked(scheme_length(url)).unwrap_or(("", url));
    if scheme.eq_ignore_ascii_case("data:") { Ok(split_data(rest)?.1) } else { Err(REMOTE) }
}

/// Reads what follows `data:`.
fn embedded<'a>(rest: &'a str, filename: Option<&str>) -> Result<Medium<'a>, Refusal> {
    let (mime, payload) = split_data(rest)?;
    described(payload, mime, filename)
}

/// Detects the format of a payload: by its first bytes, otherwise by its mime type or file name.
///
/// The bytes come first, because clients often declare another type than they send.
fn described<'a>(
    payload: &'a str,
    mime: &str,
    filename: Option<&str>,
) -> Result<Medium<'a>, Refusal> {
    let source = base64(payload)?;
    let format = sniff(&first_bytes(payload))
        .or_else(|| by_mime(mime))
        .or_else(|| filename.and_then(by_extension));
    let (kind, format) = format.ok_or(UNKNOWN_FORMAT)?;
    Ok(Medium { kind, format, source })
}

/// Reads a file in S3, whose format only its name can show.
fn stored<'a>(uri: &'a str, filename: Option<&str>) -> Result<Medium<'a>, Refusal> {
    let format = by_extension(uri).or_else(|| filename.and_then(by_extension));
    let (kind, format) = format.ok_or(UNKNOWN_FORMAT)?;
    Ok(Medium { kind, format, source: Source::S3Location { uri } })
}

/// Reads base64. White space in it is left out when it is sent, so that it is not copied before.
fn base64(payload: &str) -> Result<Source<'_>, Refusal> {
    match payload.trim_ascii() {
        "" => Err(EMPTY),
        plain if !has_invalid_byte(plain.as_bytes()) => Ok(Source::Bytes(plain)),
        encoded if encoded.contains('%') => Err(PERCENT_ENCODED),
        spaced => Ok(Source::Spaced(spaced)),
    }
}

/// Checks whether `bytes` has white space, `%` or another byte that precedes base64 in ASCII.
///
/// Checks eight bytes at a time, because at the guests' optimisation level one at a time takes ten
/// milliseconds for a large image.
/// <https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord>
fn has_invalid_byte(bytes: &[u8]) -> bool {
    const LEAST: u8 = b'%' + 1;
    const ONES: u64 = u64::MAX / 255;
    let is_invalid = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        word.wrapping_sub(ONES * u64::from(LEAST)) & !word & (ONES * 0x80) != 0
    };
    let (words, rest) = bytes.as_chunks();
    words.iter().any(is_invalid) || rest.iter().any(|byte| *byte < LEAST)
}

/// Decodes the first bytes of a payload; none if it is not base64, which Bedrock reports itself.
fn first_bytes(payload: &str) -> Vec<u8> {
    let bytes = payload.bytes().filter(|byte| !byte.is_ascii_whitespace());
    LENIENT.decode(bytes.take(SNIFFED).collect::<Vec<_>>()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &str = "iVBORw0KGgoAAAANSUhEUg==";

    /// Formats a medium as `kind format`, or the refusal.
    fn described_as(medium: Result<Medium<'_>, Refusal>) -> String {
        medium.map_or_else(
            |refusal| format!("{refusal:?}"),
            |medium| format!("{:?} {}", medium.kind, medium.format),
        )
    }

    #[test]
    fn from_url_detects_by_bytes_then_mime_type_then_name() {
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
            assert_eq!(described_as(from_url(&url, filename)), expected, "{url} {filename:?}");
        }
    }

    #[test]
    fn from_url_accepts_data_and_s3_only() {
        let bytes = |text: &'static str| Ok(Source::Bytes(text));
        let uri = "s3://bucket/a.PNG";
        for (url, expected) in [
            ("data:image/png;base64,AAAA", bytes("AAAA")),
            ("  DATA:image/png;name=x;BASE64,AAAA\n", bytes("AAAA")),
            ("data:image/png;base64,AA\r\n AA==", Ok(Source::Spaced("AA\r\n AA=="))),
            (uri, Ok(Source::S3Location { uri })),
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
    fn base64_with_white_space_is_sent_without() {
        for payload in ["AAAA", " AAAA\n", "AA\nAA", "A A\r\nA\tA"] {
            let source = serde_json::to_value(base64(payload).unwrap()).unwrap();
            assert_eq!(source, serde_json::json!({"bytes": "AAAA"}), "{payload}");
        }
    }

    #[test]
    fn from_file_accepts_urls_and_base64() {
        for (data, filename, expected) in [
            ("AAAA", Some("a.TXT"), "Document txt"),
            ("JVBERi0xLjc=", Some("a"), "Document pdf"),
            ("data:;base64,AAAA", Some("a.md"), "Document md"),
            ("s3://bucket/key", Some("a.csv"), "Document csv"),
            ("AAAA", None, &format!("{UNKNOWN_FORMAT:?}")),
            ("", Some("a.txt"), &format!("{EMPTY:?}")),
            ("https://example.com/a.pdf", None, &format!("{REMOTE:?}")),
        ] {
            assert_eq!(described_as(from_file(data, filename)), expected, "{data} {filename:?}");
        }
    }

    #[test]
    fn from_audio_reads_the_formats_of_input_audio() {
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
            assert_eq!(described_as(from_audio(data, format)), expected, "{data} {format}");
        }
    }

    #[test]
    fn has_invalid_byte_finds_one_at_any_place() {
        let plain = "AZaz09+/=-_AAAAABBBBBBBB\u{e9}\u{ff}";
        assert!(!has_invalid_byte(plain.as_bytes()));
        for invalid in [b' ', b'\n', b'\t', b'%', 0] {
            for place in 0..plain.len() {
                let mut bytes = plain.as_bytes().to_vec();
                bytes[place] = invalid;
                assert!(has_invalid_byte(&bytes), "{invalid} at {place}");
            }
        }
    }
}
