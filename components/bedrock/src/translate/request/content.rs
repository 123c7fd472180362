//! The translation of content parts into blocks.

use std::borrow::Cow;

use gateway::Error;

use crate::catalog::model::Model;
use crate::converse::request::{Block, Document, Media};
use crate::openai::request::{CacheControl, Content, File, InputAudio, Part, Url};
use crate::translate::request::documents::Titles;
use crate::translate::request::media::{Kind, Medium, Refusal};
use crate::translate::request::{cache, media};

/// The author of a message, which determines the parts that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    System,
    User,
    Assistant,
    Tool,
}

/// A block, and the client's mark if everything up to it may be cached.
pub(crate) type Marked<'a> = (Block<'a>, Option<&'a CacheControl<'a>>);

/// The blocks of one message: none of them blank, each cache point behind its block.
#[derive(Debug)]
pub(crate) struct Blocks<'a, 'm> {
    pub(crate) list: Vec<Block<'a>>,
    model: &'m Model,
}

/// Reads the content of message `number`.
///
/// # Errors
/// A client error that names the part at fault.
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

// === impl Blocks ===

impl<'a, 'm> Blocks<'a, 'm> {
    /// Creates an empty list for a request to `model`.
    pub(crate) fn new(model: &'m Model) -> Self {
        Self { list: Vec::new(), model }
    }

    /// Adds `block` unless it is blank, and a cache point if it is marked.
    pub(crate) fn push(&mut self, block: Block<'a>, mark: Option<&CacheControl<'a>>) {
        if !block.is_blank() {
            self.list.push(block);
        }
        self.mark(mark);
    }

    /// Adds all blocks of `marked`.
    pub(crate) fn extend(&mut self, marked: Vec<Marked<'a>>) {
        for (block, mark) in marked {
            self.push(block, mark);
        }
    }

    /// Adds a cache point, unless there is nothing to cache or a point already.
    pub(crate) fn mark(&mut self, mark: Option<&CacheControl<'a>>) {
        // Bedrock rejects a point behind another point, and a point behind reasoning.
        let is_due = self.list.last().is_some_and(|block| {
            !cache::is_point(block) && !matches!(block, Block::ReasoningContent(_))
        });
        let point = mark.and_then(|mark| cache::point(mark, self.model));
        self.list.extend(point.filter(|_| is_due).map(Block::CachePoint));
    }
}

// === Parts ===

/// Returns the cache mark of `part`.
fn mark<'a>(part: &'a Part<'a>) -> Option<&'a CacheControl<'a>> {
    part.cache_control.as_ref()
}

/// Translates part `index` of message `number`.
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
            medium(part, speaker).map(|medium| media_block(medium, part.file.as_deref(), titles))
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

/// Translates the text of a part.
fn text(text: Option<&str>) -> Result<Block<'_>, Refusal> {
    text.map(Block::text)
        .ok_or(Refusal::Malformed("the part has no text: set the field that its `type` names"))
}

/// Reads the file of a part, which only messages of users and tools can contain.
fn medium<'a>(part: &'a Part<'a>, speaker: Speaker) -> Result<Medium<'a>, Refusal> {
    if matches!(speaker, Speaker::System | Speaker::Assistant) {
        return Err(Refusal::Unsupported(
            "only user and tool messages can contain files: move the file there",
        ));
    }
    let url = |url: &'a Option<Url<'a>>| Some(media::from_url(&url.as_ref()?.url, None));
    let audio = |audio: &'a InputAudio<'a>| media::from_audio(&audio.data, &audio.format);
    let medium = match &*part.kind {
        "image_url" => url(&part.image_url),
        "video_url" => url(&part.video_url),
        "input_audio" => part.input_audio.as_deref().map(audio),
        _ => part.file.as_deref().map(file_data),
    };
    medium.unwrap_or(Err(Refusal::Malformed("the part is missing the field its `type` requires")))
}

/// Reads the data of a `file` part.
fn file_data<'a>(file: &'a File<'a>) -> Result<Medium<'a>, Refusal> {
    match (&file.data, &file.id) {
        (Some(data), _) => media::from_file(data, file.name.as_deref()),
        (None, Some(_)) => {
            Err(Refusal::Unsupported("file_id is not supported: send the file inline as file_data"))
        }
        (None, None) => {
            Err(Refusal::Malformed("the file has no file_data: send the file as base64"))
        }
    }
}

/// Creates the block for `medium`. A document gets a name that is unique in the request.
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

/// Splits `blocks` into their texts and the blocks that are not text.
pub(crate) fn split_text(blocks: Vec<Block<'_>>) -> (Vec<Cow<'_, str>>, Vec<Block<'_>>) {
    let (mut texts, mut others) = (Vec::new(), Vec::new());
    for block in blocks {
        match block {
            Block::Text(text) => texts.push(text),
            other => others.push(other),
        }
    }
    (texts, others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::request::sample::message;
    use serde_json::{Value, json};

    /// Returns the blocks of a message with these parts, or the param and message of the error.
    fn convert(parts: &Value, speaker: Speaker) -> Result<Value, (String, String)> {
        let text = json!([{"role": "user", "content": parts}]).to_string();
        let message = message(&text);
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
    fn read_with_parts_makes_blocks() {
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
    fn read_with_a_bad_part_names_it() {
        let image =
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
        let remote =
            json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}});
        for (part, speaker, expected) in [
            (&image, Speaker::System, "only user and tool messages"),
            (&image, Speaker::Assistant, "only user and tool messages"),
            (&remote, Speaker::User, "use a data: URL or s3://"),
            (
                &json!({"type": "file", "file": {"file_id": "f"}}),
                Speaker::User,
                "inline as file_data",
            ),
            (&json!({"type": "file", "file": {}}), Speaker::User, "no file_data"),
            (&json!({"type": "file"}), Speaker::User, "is missing the field"),
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
    fn read_with_an_image_of_a_tool_is_accepted() {
        let image = json!([{"type": "image_url", "image_url": {"url": "s3://b/a.png"}}]);
        assert!(convert(&image, Speaker::Tool).is_ok());
    }
}
