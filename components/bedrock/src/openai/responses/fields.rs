//! The names of the fields in a request, and where their values are stored.

use super::input::{Item, Part};
use super::request::{Format, Reasoning, TextConfig};
use super::tools::{Choice, Tool};
use crate::openai::slots::{Object, Slot, objects};

objects! {
    Item [] {
        "type": OptionalText kind,
        "role": OptionalText role,
        "content": Content content,
        "call_id": OptionalText call_id,
        "namespace": OptionalText namespace,
        "name": OptionalText name,
        "arguments": OptionalText arguments,
        "output": Content output,
        "encrypted_content": OptionalText encrypted_content,
        "cache_control": Object cache_control,
    }
    Part ["type"] {
        "type": Text kind,
        "text": OptionalText text,
        "refusal": OptionalText refusal,
        "image_url": OptionalText image_url,
        "file_data": OptionalText file_data,
        "file_url": OptionalText file_url,
        "file_id": OptionalText file_id,
        "filename": OptionalText filename,
        "input_audio": Object input_audio,
        "cache_control": Object cache_control,
    }
    Tool ["type"] {
        "type": Text kind,
        "name": OptionalText name,
        "description": OptionalText description,
        "parameters": Raw parameters,
        "strict": Flag strict,
        "tools": List tools,
        "cache_control": Object cache_control,
    }
    Choice ["type"] {
        "type": Text kind,
        "name": OptionalText name,
        "mode": OptionalText mode,
        "tools": List tools,
    }
    TextConfig [] {
        "format": Object format,
    }
    Format ["type"] {
        "type": Text kind,
        "name": Text name,
        "description": OptionalText description,
        "schema": Raw schema,
    }
    Reasoning [] {
        "effort": OptionalText effort,
    }
}
