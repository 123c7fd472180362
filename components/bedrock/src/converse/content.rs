//! Parts of a message made blocks.

use gateway::Error;

use crate::converse::documents::Titles;
use crate::converse::media::{self, Kind, Medium, Refusal};
use crate::converse::{Block, Document, Media, cache};
use crate::model::Model;
use crate::openai::{CacheControl, Content, File, InputAudio, Part, Url};

/// Whose message a part belongs to, which decides what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    System,
    User,
    Assistant,
    Tool,
}

/// A block, and whether what stands up to it may be cached.
pub(crate) type Marked<'a> = (Block<'a>, Option<&'a CacheControl<'a>>);

/// The blocks of one message as they are gathered: nothing blank, cache points behind their block.
#[derive(Debug)]
pub(crate) struct Passage<'a, 'm> {
    pub(crate) blocks: Vec<Block<'a>>,
    model: &'m Model,
}

/// Reads the content of message `number`.
///
/// # Errors
/// A client's error that names the part at fault.
pub(crate) fn read<'a>(
    content: &'a Content<'a>,
    number: usize,
    speaker: Speaker,
    titles: &mut Titles,
) -> Result<Vec<Marked<'a>>, Error> {
    match content {
        Content::Text(text) => Ok(vec![(Block::text(&**text), None)]),
        Content::Parts(parts) => parts
            .iter()
            .enumerate()
            .map(|(index, part)| Ok((block(part, number, index, speaker, titles)?, mark(part))))
            .collect(),
    }
}

// === impl Passage ===

impl<'a, 'm> Passage<'a, 'm> {
    pub(crate) fn new(model: &'m Model) -> Self {
        Self { blocks: Vec::new(), model }
    }

    /// Adds `block` unless it is blank, and a cache point if it is marked.
    pub(crate) fn say(&mut self, block: Block<'a>, mark: Option<&CacheControl<'a>>) {
        if !block.is_blank() {
            self.blocks.push(block);
        }
        self.mark(mark);
    }

    pub(crate) fn say_all(&mut self, marked: Vec<Marked<'a>>) {
        for (block, mark) in marked {
            self.say(block, mark);
        }
    }

    /// Adds a cache point, if there is something to cache and no point behind it yet.
    pub(crate) fn mark(&mut self, mark: Option<&CacheControl<'a>>) {
        // Bedrock takes no point behind another, and none behind reasoning.
        let is_due = self.blocks.last().is_some_and(|block| {
            !cache::is_point(block) && !matches!(block, Block::ReasoningContent(_))
        });
        let point = mark.and_then(|mark| cache::point(mark, self.model));
        self.blocks.extend(point.filter(|_| is_due).map(Block::CachePoint));
    }
}

// === Parts ===

fn mark<'a>(part: &'a Part<'a>) -> Option<&'a CacheControl<'a>> {
    part.cache_control.as_ref()
}

fn block<'a>(
    part: &'a Part<'a>,
    number: usize,
    index: usize,
    speaker: Speaker,
    titles: &mut Titles,
) -> Result<Block<'a>, Error> {
    let block = match &*part.kind {
        "text" => text(part.text.as_deref()),
        "refusal" => text(part.refusal.as_deref()),
        "image_url" | "video_url" | "input_audio" | "file" => {
            medium(part, speaker).map(|medium| media_block(medium, part.file.as_ref(), titles))
        }
        _ => Err(Refusal::Unsupported(
            "unknown content part: use text, image_url, input_audio, video_url or file",
        )),
    };
    block.map_err(|refusal| {
        let param = format!("messages[{number}].content[{index}]");
        match refusal {
            Refusal::Malformed(message) => Error::invalid_param(param, message),
            Refusal::Unsupported(message) => Error::unsupported(param, message),
        }
    })
}

fn text(text: Option<&str>) -> Result<Block<'_>, Refusal> {
    text.map(Block::text).ok_or(Refusal::Malformed("the part has no text: give it one"))
}

fn medium<'a>(part: &'a Part<'a>, speaker: Speaker) -> Result<Medium<'a>, Refusal> {
    if matches!(speaker, Speaker::System | Speaker::Assistant) {
        return Err(Refusal::Unsupported(
            "only messages of users and tools can have files: send it in one of those",
        ));
    }
    let url = |url: &'a Option<Url<'a>>| Some(media::from_url(&url.as_ref()?.url, None));
    let audio = |audio: &'a InputAudio<'a>| media::from_audio(&audio.data, &audio.format);
    let medium = match &*part.kind {
        "image_url" => url(&part.image_url),
        "video_url" => url(&part.video_url),
        "input_audio" => part.input_audio.as_ref().map(audio),
        _ => part.file.as_ref().map(file_data),
    };
    medium.unwrap_or(Err(Refusal::Malformed("the part lacks the member that its type names")))
}

fn file_data<'a>(file: &'a File<'a>) -> Result<Medium<'a>, Refusal> {
    match (&file.data, &file.id) {
        (Some(data), _) => media::from_file(data, file.name.as_deref()),
        (None, Some(_)) => {
            Err(Refusal::Unsupported("files are not kept here: send file_data, not file_id"))
        }
        (None, None) => Err(Refusal::Malformed("the file has no file_data")),
    }
}

fn media_block<'a>(medium: Medium<'a>, file: Option<&File<'_>>, titles: &mut Titles) -> Block<'a> {
    let Medium { kind, format, source } = medium;
    match kind {
        Kind::Image => Block::Image(Media { format, source }),
        Kind::Video => Block::Video(Media { format, source }),
        Kind::Audio => Block::Audio(Media { format, source }),
        Kind::Document => {
            let name = titles.name(file.and_then(|file| file.name.as_deref()));
            Block::Document(Document { format, name, source })
        }
    }
}

/// The texts of `blocks` as one, and what is not text.
pub(crate) fn split_text(blocks: Vec<Block<'_>>) -> (String, Vec<Block<'_>>) {
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    for block in blocks {
        match block {
            Block::Text(text) => texts.push(text),
            other => others.push(other),
        }
    }
    (texts.join("\n"), others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::Message;
    use serde_json::{Value, json};

    /// The blocks of a message with these parts, or the param and message of the error.
    fn convert(parts: &Value, speaker: Speaker) -> Result<Value, (String, String)> {
        let text = json!({"role": "user", "content": parts}).to_string();
        let message: Message<'_> = serde_json::from_str(&text).unwrap();
        let content = message.content.as_ref().unwrap();
        match read(content, 2, speaker, &mut Titles::default()) {
            Ok(marked) => {
                let blocks: Vec<_> = marked.into_iter().map(|(block, _)| block).collect();
                Ok(serde_json::to_value(blocks).unwrap())
            }
            Err(error) => Err((error.param().unwrap().to_owned(), error.to_string())),
        }
    }

    #[test]
    fn parts_become_blocks() {
        let data = |mime| format!("data:{mime};base64,AAAA");
        let bytes = json!({"bytes": "AAAA"});
        for (part, expected) in [
            (json!({"type": "text", "text": "a"}), json!({"text": "a"})),
            (json!({"type": "refusal", "refusal": "no"}), json!({"text": "no"})),
            (
                json!({"type": "image_url", "image_url": {"url": data("image/jpg"), "detail": "low"}}),
                json!({"image": {"format": "jpeg", "source": bytes}}),
            ),
            (
                json!({"type": "image_url", "image_url": {"url": "s3://bucket/a.webp"}}),
                json!({"image": {
                    "format": "webp", "source": {"s3Location": {"uri": "s3://bucket/a.webp"}},
                }}),
            ),
            (
                json!({"type": "video_url", "video_url": {"url": data("video/3gpp")}}),
                json!({"video": {"format": "three_gp", "source": bytes}}),
            ),
            (
                json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}),
                json!({"audio": {"format": "mp3", "source": bytes}}),
            ),
            (
                json!({"type": "file", "file": {"file_data": "AAAA", "filename": "my report.md"}}),
                json!({"document": {"format": "md", "name": "my report", "source": bytes}}),
            ),
            (
                json!({"type": "file", "file": {"file_data": data("image/png")}}),
                json!({"image": {"format": "png", "source": bytes}}),
            ),
        ] {
            assert_eq!(convert(&json!([part]), Speaker::User), Ok(json!([expected])), "{part}");
        }
    }

    #[test]
    fn refused_parts_are_named() {
        let image =
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
        let remote =
            json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}});
        for (part, speaker, expected) in [
            (&image, Speaker::System, "only messages of users and tools"),
            (&image, Speaker::Assistant, "only messages of users and tools"),
            (&remote, Speaker::User, "use a data: URL or s3://"),
            (&json!({"type": "file", "file": {"file_id": "f"}}), Speaker::User, "send file_data"),
            (&json!({"type": "file", "file": {}}), Speaker::User, "no file_data"),
            (&json!({"type": "file"}), Speaker::User, "lacks the member"),
            (&json!({"type": "text"}), Speaker::User, "no text"),
            (&json!({"type": "tool_use"}), Speaker::User, "unknown content part"),
        ] {
            let (param, message) =
                convert(&json!([{"type": "text", "text": "a"}, part]), speaker).unwrap_err();
            assert_eq!(param, "messages[2].content[1]", "{part}");
            assert!(message.contains(expected), "{part}: {message}");
        }
    }

    #[test]
    fn an_image_may_go_with_a_tool_result() {
        let image = json!([{"type": "image_url", "image_url": {"url": "s3://b/a.png"}}]);
        assert!(convert(&image, Speaker::Tool).is_ok());
    }
}
