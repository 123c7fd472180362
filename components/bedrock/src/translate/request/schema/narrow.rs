//! Schemas of tools for families that accept few keywords at the top level.
//! <https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html>

use crate::json::scanner::{members, name_of};
use crate::translate::request::schema::inline::inlined;

/// The keywords that remain.
const KEPT: [&str; 3] = ["type", "properties", "required"];

/// The keywords that say nothing about the input.
const SILENT: [&str; 6] = ["$schema", "$id", "$comment", "$defs", "definitions", "title"];

/// A schema with few keywords, and a text that says what they cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Narrowed {
    pub(crate) schema: String,
    pub(crate) note: Option<String>,
}

/// Reduces the schema of an object to keywords of its own, without references. `growth` is what
/// remains for the references of this request.
pub(crate) fn narrowed(schema: &str, growth: &mut usize) -> Narrowed {
    let whole = inlined(schema, growth);
    let (mut kept, mut others) = (String::from("{"), String::new());
    let (mut description, mut has_properties) = (None, false);
    for (written, value) in members(&whole) {
        let name = name_of(written);
        if value == "null" {
            continue;
        }
        has_properties |= name == "properties";
        match &*name {
            "type" => {}
            "description" => {
                let text: Option<String> = serde_json::from_str(value).ok();
                description = text.filter(|text| !text.trim().is_empty());
            }
            "additionalProperties" if matches!(value, "true" | "false") => {}
            name if KEPT.contains(&name) => kept.extend([written, ":", value, ","]),
            name if SILENT.contains(&name) => {}
            _ => others.extend([if others.is_empty() { "" } else { "," }, written, ":", value]),
        }
    }
    if !has_properties {
        kept.push_str(r#""properties":{},"#);
    }
    kept.push_str(r#""type":"object"}"#);
    let others = (!others.is_empty())
        .then(|| format!("The input must also match this JSON schema: {{{others}}}"));
    let notes: Vec<String> = description.into_iter().chain(others).collect();
    Narrowed { schema: kept, note: (!notes.is_empty()).then(|| notes.join("\n\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::request::schema::inline::GROWTH;

    #[test]
    fn narrowed_keeps_three_keywords_and_notes_the_others() {
        for (schema, expected, note) in [
            (r#"{"type":"object"}"#, r#"{"properties":{},"type":"object"}"#, None),
            (
                r#"{"properties":null,"required":null,"description":" "}"#,
                r#"{"properties":{},"type":"object"}"#,
                None,
            ),
            (
                r##"{"$schema":"s","title":"T","type":"object","additionalProperties":false,"properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"],"$defs":{"A":{"type":"string","title":"A"}}}"##,
                r#"{"properties":{"a":{"type":"string","title":"A"}},"required":["a"],"type":"object"}"#,
                None,
            ),
            (
                r##"{"$ref":"#/definitions/T","definitions":{"T":{"type":"object","description":"d","properties":{}}}}"##,
                r#"{"properties":{},"type":"object"}"#,
                Some("d"),
            ),
            (
                r#"{"type":"object","anyOf":[{"required":["a"]}],"additionalProperties":{"type":"number"}}"#,
                r#"{"properties":{},"type":"object"}"#,
                Some(
                    r#"The input must also match this JSON schema: {"anyOf":[{"required":["a"]}],"additionalProperties":{"type":"number"}}"#,
                ),
            ),
        ] {
            let expected = Narrowed { schema: expected.to_owned(), note: note.map(str::to_owned) };
            assert_eq!(narrowed(schema, &mut GROWTH.clone()), expected, "{schema}");
        }
    }
}
