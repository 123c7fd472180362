//! The input of a response: its items as messages of a chat.
//!
//! Each item becomes one message, so that an error about a message has its item.

use gateway::Error;

use super::reasoning;
use super::tools::full_name;
use crate::json::Text;
use crate::openai::request::{
    CacheControl, Content, File, Function, InputAudio, Message, Part as ChatPart, ToolCall, Url,
};

/// An item; `kind` determines which other fields are set.
#[derive(Debug, Default)]
pub(super) struct Item<'a> {
    /// May be missing for messages.
    pub(super) kind: Option<Text<'a>>,
    pub(super) role: Option<Text<'a>>,
    pub(super) content: Option<Content<'a, Part<'a>>>,
    pub(super) call_id: Option<Text<'a>>,
    pub(super) namespace: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
    pub(super) arguments: Option<Text<'a>>,
    pub(super) output: Option<Content<'a, Part<'a>>>,
    pub(super) encrypted_content: Option<Text<'a>>,
    pub(super) cache_control: Option<CacheControl<'a>>,
}

/// One part of an item's content; `kind` determines which other field is set.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    pub(super) kind: Text<'a>,
    pub(super) text: Option<Text<'a>>,
    pub(super) refusal: Option<Text<'a>>,
    pub(super) image_url: Option<Text<'a>>,
    pub(super) file_data: Option<Text<'a>>,
    pub(super) file_url: Option<Text<'a>>,
    pub(super) file_id: Option<Text<'a>>,
    pub(super) filename: Option<Text<'a>>,
    pub(super) input_audio: Option<Box<InputAudio<'a>>>,
    pub(super) cache_control: Option<CacheControl<'a>>,
}

/// Creates the message of a text without a role.
pub(super) fn user(text: Text<'_>) -> Message<'_> {
    message("user", Some(Content::Text(text)))
}

/// Creates the message of the instructions.
pub(super) fn instructions(text: Text<'_>) -> Message<'_> {
    message("system", Some(Content::Text(text)))
}

fn message<'a>(role: &'a str, content: Option<Content<'a>>) -> Message<'a> {
    Message { role: role.into(), content, ..Message::default() }
}

// === impl Item ===

impl<'a> Item<'a> {
    /// Converts item `number` into a message.
    ///
    /// # Errors
    /// A client error that names the field at fault.
    pub(super) fn into_message(self, number: usize) -> Result<Message<'a>, Error> {
        let mut message = message("assistant", None);
        message.cache_control = self.cache_control;
        match self.kind.as_deref().unwrap_or("message") {
            "message" => {
                message.role = required(self.role, number, "role")?;
                message.content = parts(self.content, number, "content")?;
            }
            "function_call" => {
                let id = required(self.call_id, number, "call_id")?;
                let name = full_name(self.namespace, required(self.name, number, "name")?);
                let arguments = self.arguments.unwrap_or_default();
                let function = Some(Function { name, arguments });
                message.tool_calls.push(ToolCall { id, function });
            }
            "function_call_output" => {
                message.role = "tool".into();
                message.tool_call_id = Some(required(self.call_id, number, "call_id")?);
                message.content = parts(self.output, number, "output")?;
            }
            // Reasoning of another provider cannot be read, and has no effect.
            "reasoning" => {
                let sealed = self.encrypted_content.as_deref();
                message.thinking_blocks.extend(sealed.and_then(reasoning::unseal));
            }
            kind => return Err(unknown(kind, number)),
        }
        Ok(message)
    }
}

/// Returns the value of a field that must be given.
fn required<'a>(value: Option<Text<'a>>, number: usize, member: &str) -> Result<Text<'a>, Error> {
    value.ok_or_else(|| {
        let param = format!("input[{number}].{member}");
        Error::invalid_param(param.clone(), format!("`{param}` is missing"))
    })
}

/// Creates the error for an item of another kind.
fn unknown(kind: &str, number: usize) -> Error {
    let why = match kind {
        "item_reference" => {
            "items are not stored: send the whole item; some clients do with `store` = false"
        }
        _ => "unknown item: use message, function_call, function_call_output or reasoning",
    };
    Error::unsupported(format!("input[{number}].type"), why)
}

// === Parts ===

/// Converts the parts in the field `member` of item `number`.
fn parts<'a>(
    content: Option<Content<'a, Part<'a>>>,
    number: usize,
    member: &str,
) -> Result<Option<Content<'a>>, Error> {
    Ok(match content {
        None => None,
        Some(Content::Text(text)) => Some(Content::Text(text)),
        Some(Content::Parts(parts)) => {
            let convert = |(index, part): (usize, Part<'a>)| {
                part.into_chat().map_err(|why| {
                    Error::unsupported(format!("input[{number}].{member}[{index}]"), why)
                })
            };
            let parts: Result<_, _> = parts.into_iter().enumerate().map(convert).collect();
            Some(Content::Parts(parts?))
        }
    })
}

impl<'a> Part<'a> {
    /// Converts this part into one of a chat, or returns why that is impossible.
    fn into_chat(self) -> Result<ChatPart<'a>, &'static str> {
        let mut part = ChatPart { cache_control: self.cache_control, ..ChatPart::default() };
        let kind = match &*self.kind {
            "input_text" | "output_text" | "reasoning_text" | "text" => {
                part.text = self.text;
                "text"
            }
            "refusal" => {
                part.refusal = self.refusal;
                "refusal"
            }
            "input_image" if self.image_url.is_none() && self.file_id.is_some() => {
                return Err("file_id is not supported: send the image inline as image_url");
            }
            "input_image" => {
                part.image_url = self.image_url.map(|url| Url { url });
                "image_url"
            }
            "input_file" => {
                let data = self.file_data.or(self.file_url);
                let file = File { data, name: self.filename, id: self.file_id };
                part.file = Some(Box::new(file));
                "file"
            }
            "input_audio" => {
                part.input_audio = self.input_audio;
                "input_audio"
            }
            _ => return Err("unknown content part: use input_text, input_image or input_file"),
        };
        part.kind = kind.into();
        Ok(part)
    }
}
