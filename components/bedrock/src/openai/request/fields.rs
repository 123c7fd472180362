//! The names of the fields in a request, and where their values are stored.

use super::{
    Allowed, CacheControl, Choice, File, Format, Function, InputAudio, JsonSchema, Message, Named,
    Part, StreamOptions, ThinkingBlock, Tool, ToolCall, ToolFunction, Url,
};
use crate::openai::slots::{Object, Slot, objects};

objects! {
    Message ["role"] {
        "role": Text role,
        "content": Content content,
        "refusal": OptionalText refusal,
        "tool_calls": List tool_calls,
        "tool_call_id": OptionalText tool_call_id,
        "name": OptionalText name,
        "function_call": Object function_call,
        "thinking_blocks": List thinking_blocks,
        "cache_control": Object cache_control,
    }
    Part ["type"] {
        "type": Text kind,
        "text": OptionalText text,
        "refusal": OptionalText refusal,
        "image_url": Object image_url,
        "video_url": Object video_url,
        "input_audio": Object input_audio,
        "file": Object file,
        "cache_control": Object cache_control,
    }
    Url ["url"] {
        "url": Text url,
    }
    InputAudio ["data", "format"] {
        "data": Text data,
        "format": Text format,
    }
    File [] {
        "file_data": OptionalText data,
        "filename": OptionalText name,
        "file_id": OptionalText id,
    }
    CacheControl [] {
        "ttl": OptionalText ttl,
    }
    ToolCall ["id"] {
        "id": Text id,
        "function": Object function,
    }
    Function ["name"] {
        "name": Text name,
        "arguments": Text arguments,
    }
    ThinkingBlock ["type"] {
        "type": Text kind,
        "thinking": OptionalText thinking,
        "signature": OptionalText signature,
        "data": OptionalText data,
    }
    Tool ["type"] {
        "type": Text kind,
        "function": Object function,
        "cache_control": Object cache_control,
    }
    ToolFunction ["name"] {
        "name": Text name,
        "description": OptionalText description,
        "parameters": Raw parameters,
        "strict": Flag strict,
    }
    JsonSchema [] {
        "name": Text name,
        "description": OptionalText description,
        "schema": Raw schema,
    }
    Format ["type"] {
        "type": Text kind,
        "json_schema": Object json_schema,
    }
    Choice ["type"] {
        "type": Text kind,
        "function": Object function,
        "allowed_tools": Object allowed_tools,
    }
    Named ["name"] {
        "name": Text name,
    }
    Allowed ["mode", "tools"] {
        "mode": Text mode,
        "tools": List tools,
    }
}

impl<'a> Object<'a> for StreamOptions {
    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        (name == "include_usage").then_some(Slot::Flag(&mut self.include_usage))
    }
}
