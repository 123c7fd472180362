//! The names of the fields in a request, and where their values are stored.

use super::{
    Allowed, CacheControl, Choice, File, Format, Function, InputAudio, JsonSchema, Message, Named,
    Part, StreamOptions, ThinkingBlock, Tool, ToolCall, ToolFunction, Url,
};
use crate::openai::slots::{Object, Slot};

impl<'a> Object<'a> for Message<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["role"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "role" => Slot::Text(&mut self.role),
            "content" => Slot::Content(&mut self.content),
            "refusal" => Slot::OptionalText(&mut self.refusal),
            "tool_calls" => Slot::List(&mut self.tool_calls),
            "tool_call_id" => Slot::OptionalText(&mut self.tool_call_id),
            "name" => Slot::OptionalText(&mut self.name),
            "function_call" => Slot::Object(&mut self.function_call),
            "thinking_blocks" => Slot::List(&mut self.thinking_blocks),
            "cache_control" => Slot::Object(&mut self.cache_control),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for Part<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["type"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "type" => Slot::Text(&mut self.kind),
            "text" => Slot::OptionalText(&mut self.text),
            "refusal" => Slot::OptionalText(&mut self.refusal),
            "image_url" => Slot::Object(&mut self.image_url),
            "video_url" => Slot::Object(&mut self.video_url),
            "input_audio" => Slot::Object(&mut self.input_audio),
            "file" => Slot::Object(&mut self.file),
            "cache_control" => Slot::Object(&mut self.cache_control),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for Url<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["url"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "url" => Slot::Text(&mut self.url),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for InputAudio<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["data", "format"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "data" => Slot::Text(&mut self.data),
            "format" => Slot::Text(&mut self.format),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for File<'a> {
    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "file_data" => Slot::OptionalText(&mut self.data),
            "filename" => Slot::OptionalText(&mut self.name),
            "file_id" => Slot::OptionalText(&mut self.id),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for CacheControl<'a> {
    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "ttl" => Slot::OptionalText(&mut self.ttl),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for ToolCall<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["id"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "id" => Slot::Text(&mut self.id),
            "function" => Slot::Object(&mut self.function),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for Function<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["name"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "name" => Slot::Text(&mut self.name),
            "arguments" => Slot::Text(&mut self.arguments),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for ThinkingBlock<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["type"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "type" => Slot::Text(&mut self.kind),
            "thinking" => Slot::OptionalText(&mut self.thinking),
            "signature" => Slot::OptionalText(&mut self.signature),
            "data" => Slot::OptionalText(&mut self.data),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for Tool<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["type"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "type" => Slot::Text(&mut self.kind),
            "function" => Slot::Object(&mut self.function),
            "cache_control" => Slot::Object(&mut self.cache_control),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for ToolFunction<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["name"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "name" => Slot::Text(&mut self.name),
            "description" => Slot::OptionalText(&mut self.description),
            "parameters" => Slot::Raw(&mut self.parameters),
            "strict" => Slot::Flag(&mut self.strict),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for JsonSchema<'a> {
    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "name" => Slot::Text(&mut self.name),
            "description" => Slot::OptionalText(&mut self.description),
            "schema" => Slot::Raw(&mut self.schema),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for Format<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["type"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "type" => Slot::Text(&mut self.kind),
            "json_schema" => Slot::Object(&mut self.json_schema),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for Choice<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["type"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "type" => Slot::Text(&mut self.kind),
            "function" => Slot::Object(&mut self.function),
            "allowed_tools" => Slot::Object(&mut self.allowed_tools),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for Named<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["name"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "name" => Slot::Text(&mut self.name),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for Allowed<'a> {
    fn required(&self) -> &'static [&'static str] {
        &["mode", "tools"]
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        Some(match name {
            "mode" => Slot::Text(&mut self.mode),
            "tools" => Slot::List(&mut self.tools),
            _ => return None,
        })
    }
}

impl<'a> Object<'a> for StreamOptions {
    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        (name == "include_usage").then_some(Slot::Flag(&mut self.include_usage))
    }
}
