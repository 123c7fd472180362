//! The file formats that Bedrock supports, and how to detect them.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>

/// What kind of block a file becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Image,
    Document,
    Video,
    Audio,
}

/// A kind and Bedrock's name for the format.
pub(super) type Format = (Kind, &'static str);

/// A format: its kind, Bedrock's name for it, its mime types and its file extensions.
type Row = (Kind, &'static str, &'static [&'static str], &'static [&'static str]);

/// All formats of files. No mime type and no extension is listed twice.
const FORMATS: [Row; 32] = [
    (Kind::Image, "png", &["image/png", "image/x-png"], &["png"]),
    (Kind::Image, "jpeg", &["image/jpeg", "image/jpg", "image/pjpeg"], &["jpg", "jpeg"]),
    (Kind::Image, "gif", &["image/gif"], &["gif"]),
    (Kind::Image, "webp", &["image/webp"], &["webp"]),
    (Kind::Document, "pdf", &["application/pdf", "application/x-pdf"], &["pdf"]),
    (Kind::Document, "csv", &["text/csv", "application/csv"], &["csv"]),
    (Kind::Document, "doc", &["application/msword"], &["doc"]),
    (
        Kind::Document,
        "docx",
        &["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
        &["docx"],
    ),
    (Kind::Document, "xls", &["application/vnd.ms-excel"], &["xls"]),
    (
        Kind::Document,
        "xlsx",
        &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
        &["xlsx"],
    ),
    (Kind::Document, "html", &["text/html"], &["html", "htm"]),
    (Kind::Document, "txt", &["text/plain"], &["txt"]),
    (Kind::Document, "md", &["text/markdown", "text/x-markdown"], &["md", "markdown"]),
    (Kind::Video, "mkv", &["video/x-matroska"], &["mkv"]),
    (Kind::Video, "mov", &["video/quicktime"], &["mov"]),
    (Kind::Video, "mp4", &["video/mp4"], &["mp4"]),
    (Kind::Video, "webm", &["video/webm"], &["webm"]),
    (Kind::Video, "flv", &["video/x-flv"], &["flv"]),
    (Kind::Video, "mpeg", &["video/mpeg"], &["mpeg"]),
    (Kind::Video, "mpg", &["video/mpg"], &["mpg"]),
    (Kind::Video, "wmv", &["video/x-ms-wmv", "video/wmv"], &["wmv"]),
    (Kind::Video, "three_gp", &["video/3gpp", "video/3gp"], &["3gp", "three_gp"]),
    (Kind::Audio, "mp3", &["audio/mpeg", "audio/mp3"], &["mp3"]),
    (Kind::Audio, "wav", &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"], &["wav"]),
    (Kind::Audio, "flac", &["audio/flac", "audio/x-flac"], &["flac"]),
    (Kind::Audio, "ogg", &["audio/ogg"], &["ogg"]),
    (Kind::Audio, "aac", &["audio/aac"], &["aac"]),
    (Kind::Audio, "opus", &["audio/opus"], &["opus"]),
    (Kind::Audio, "m4a", &["audio/m4a", "audio/x-m4a"], &["m4a"]),
    (Kind::Audio, "mka", &["audio/x-matroska"], &["mka"]),
    (Kind::Audio, "webm", &["audio/webm"], &[]),
    (Kind::Audio, "mp4", &["audio/mp4"], &[]),
];

/// Format names of `input_audio`; some of them are video formats in [`FORMATS`].
const AUDIO: [&str; 15] = [
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg",
    "mpga", "pcm", "webm",
];

/// Detects the formats that clients most often declare wrongly, by their first bytes.
pub(super) fn sniff(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some((Kind::Image, "png")),
        [0xFF, 0xD8, 0xFF, ..] => Some((Kind::Image, "jpeg")),
        [b'G', b'I', b'F', b'8', ..] => Some((Kind::Image, "gif")),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            Some((Kind::Image, "webp"))
        }
        [b'%', b'P', b'D', b'F', b'-', ..] => Some((Kind::Document, "pdf")),
        _ => None,
    }
}

/// Returns the format that a mime type names.
pub(super) fn by_mime(mime: &str) -> Option<Format> {
    find(|(_, _, mimes, _)| mimes.iter().any(|known| known.eq_ignore_ascii_case(mime)))
}

/// Returns the format that the extension of a file name or URL names.
pub(super) fn by_extension(name: &str) -> Option<Format> {
    let (_, extension) = name.trim().rsplit_once('.')?;
    find(|(_, _, _, extensions)| {
        extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
    })
}

/// Finds the first format whose row matches.
fn find(matches_row: impl Fn(&Row) -> bool) -> Option<Format> {
    FORMATS.iter().find(|row| matches_row(row)).map(|(kind, format, ..)| (*kind, *format))
}

/// Returns Bedrock's name for the format of an `input_audio`, given by name or by mime type.
pub(super) fn audio_format(name: &str) -> Option<&'static str> {
    let matches_row = |known: &&str| known.eq_ignore_ascii_case(name);
    let by_name = AUDIO.into_iter().find(matches_row);
    let pcm = name.eq_ignore_ascii_case("pcm16").then_some("pcm");
    let by_mime = by_mime(name).filter(|(kind, _)| *kind == Kind::Audio);
    by_name.or(pcm).or(by_mime.map(|(_, format)| format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_distinct_mime_types_and_extensions() {
        let mimes: Vec<_> = FORMATS.iter().flat_map(|(_, _, mimes, _)| *mimes).collect();
        let extensions: Vec<_> = FORMATS.iter().flat_map(|(.., extensions)| *extensions).collect();
        for names in [mimes, extensions] {
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(unique.len(), names.len(), "{names:?}");
        }
    }

    #[test]
    fn by_extension_finds_the_format() {
        for (name, expected) in [
            ("a.HTM", Some((Kind::Document, "html"))),
            ("s3://bucket/a.b/c.jpg", Some((Kind::Image, "jpeg"))),
            ("clip.3gp", Some((Kind::Video, "three_gp"))),
            ("song.m4a", Some((Kind::Audio, "m4a"))),
            ("pdf", None),
            ("a.exe", None),
        ] {
            assert_eq!(by_extension(name), expected, "{name}");
        }
    }
}
