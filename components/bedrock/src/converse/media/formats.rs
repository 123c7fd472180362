//! The formats that Bedrock knows, and what tells them.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Image,
    Document,
    Video,
    Audio,
}

/// A kind and Bedrock's word for the format.
pub(super) type Format = (Kind, &'static str);

/// A format by its kind, Bedrock's word for it, its mime types and the extensions of its files.
type Row = (Kind, &'static str, &'static [&'static str], &'static [&'static str]);

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

/// Formats of `input_audio` by their own names, some of which are videos' elsewhere.
const AUDIO: [&str; 15] = [
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg",
    "mpga", "pcm", "webm",
];

/// The formats that clients most often take for others, by their first bytes.
pub(super) fn sniff(head: &[u8]) -> Option<Format> {
    match head {
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

/// The format that a mime type names.
pub(super) fn by_mime(mime: &str) -> Option<Format> {
    find(|(_, _, mimes, _)| mimes.iter().any(|known| known.eq_ignore_ascii_case(mime)))
}

/// The format that the extension of a file's name or of a URL tells.
pub(super) fn by_extension(name: &str) -> Option<Format> {
    let (_, extension) = name.trim().rsplit_once('.')?;
    find(|(_, _, _, extensions)| {
        extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
    })
}

fn find(is_it: impl Fn(&Row) -> bool) -> Option<Format> {
    FORMATS.iter().find(|row| is_it(row)).map(|(kind, format, ..)| (*kind, *format))
}

/// Bedrock's word for a format that an `input_audio` names, or a mime type.
pub(super) fn audio_format(name: &str) -> Option<&'static str> {
    let is_it = |known: &&str| known.eq_ignore_ascii_case(name);
    let by_name = AUDIO.into_iter().find(is_it);
    let pcm = name.eq_ignore_ascii_case("pcm16").then_some("pcm");
    let by_mime = by_mime(name).filter(|(kind, _)| *kind == Kind::Audio);
    by_name.or(pcm).or(by_mime.map(|(_, format)| format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mime_type_and_no_extension_stands_for_two_formats() {
        let mimes: Vec<_> = FORMATS.iter().flat_map(|(_, _, mimes, _)| *mimes).collect();
        let extensions: Vec<_> = FORMATS.iter().flat_map(|(.., extensions)| *extensions).collect();
        for names in [mimes, extensions] {
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            assert_eq!(unique.len(), names.len(), "{names:?}");
        }
    }

    #[test]
    fn extensions_tell_formats() {
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
