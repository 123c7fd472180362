//! Adjustments to JSON schemas that Bedrock would reject.
//!
//! Each reads a schema once and writes text: a tree of values would take many times its size.

pub(crate) mod grammar;
pub(crate) mod inline;
pub(crate) mod narrow;
mod references;

use std::borrow::Cow;

use gateway::Error;
use serde_json::value::RawValue;

use crate::converse::request::Json;
use crate::json::scanner::{depth, member, members, name_of};
use crate::limits::{SCHEMA_BYTES, SCHEMA_DEPTH};
use crate::translate::json_tool::JsonTool;

/// Checks that `schema`, the field `param`, is not too large.
///
/// # Errors
/// A client error that names the field.
pub(crate) fn check(schema: Option<&RawValue>, param: Cow<'static, str>) -> Result<(), Error> {
    let schema = schema.map_or("", RawValue::get);
    if schema.len() > SCHEMA_BYTES.most {
        return Err(SCHEMA_BYTES.exceeded(param));
    }
    SCHEMA_DEPTH.check(depth(schema), param)
}

/// Returns the schema of a tool's input, which must have the type of an object. None if
/// `parameters` is not a schema.
pub(crate) fn of_parameters(parameters: Option<&RawValue>) -> Option<Json<'_>> {
    let Some(given) = parameters.filter(|given| given.get() != "null") else {
        return Some(Json::from_text(r#"{"type":"object","properties":{}}"#.to_owned()));
    };
    let schema = object(given)?;
    match member(schema, "type") {
        Some(kind) if kind != "null" => Some(Json::Given(given)),
        _ => Some(object_of(schema, |name| name != "type")),
    }
}

/// Returns `schema` as the schema of a tool's input, which must be an object: anything else is
/// wrapped in one. None if it is not a schema.
pub(crate) fn of_response(given: &RawValue) -> Option<(Json<'_>, JsonTool)> {
    let schema = object(given)?;
    let kind = member(schema, "type");
    if kind == Some(r#""object""#) {
        return Some((Json::Given(given), JsonTool { is_wrapped: false }));
    }
    if kind.is_none() && member(schema, "properties").is_some() {
        return Some((object_of(schema, |_| true), JsonTool { is_wrapped: false }));
    }
    Some((wrapped(schema), JsonTool { is_wrapped: true }))
}

/// Returns the text of `schema`, which must be an object.
fn object(schema: &RawValue) -> Option<&str> {
    Some(schema.get()).filter(|schema| schema.starts_with('{'))
}

/// Creates the schema of an object from the members of `schema` that are `kept`.
fn object_of(schema: &str, kept: impl Fn(&str) -> bool) -> Json<'static> {
    let mut text = String::from(r#"{"type":"object""#);
    for (name, value) in members(schema).filter(|(name, _)| kept(&name_of(name))) {
        text.extend([",", name, ":", value]);
    }
    text.push('}');
    Json::from_text(text)
}

/// Creates the schema of an object whose member `value` has the schema `schema`. Definitions stay at
/// the top level, where references point to.
fn wrapped(schema: &str) -> Json<'static> {
    let is_definition = |name: &str| matches!(&*name_of(name), "$defs" | "definitions");
    let mut text = String::from(r#"{"type":"object","properties":{"value":{"#);
    let mut separator = "";
    for (name, value) in members(schema).filter(|(name, _)| !is_definition(name)) {
        text.extend([separator, name, ":", value]);
        separator = ",";
    }
    text.push_str(r#"}},"required":["value"]"#);
    for (name, value) in members(schema).filter(|(name, _)| is_definition(name)) {
        text.extend([",", name, ":", value]);
    }
    text.push('}');
    Json::from_text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn of_parameters_makes_the_schema_of_an_object() {
        let empty = r#"{"type":"object","properties":{}}"#;
        for (parameters, expected) in [
            (None, Some(empty)),
            (Some("null"), Some(empty)),
            (Some("{}"), Some(r#"{"type":"object"}"#)),
            (
                Some(r#"{"properties": {"a": {}}, "type": null}"#),
                Some(r#"{"type":"object","properties":{"a": {}}}"#),
            ),
            (Some(r#"{"type": "object" }"#), Some(r#"{"type": "object" }"#)),
            (Some("[]"), None),
            (Some("1"), None),
        ] {
            let found = of_parameters(parameters.map(raw));
            assert_eq!(found.as_ref().map(Json::text).as_deref(), expected, "{parameters:?}");
        }
    }

    #[test]
    fn of_response_wraps_what_is_not_an_object() {
        for (schema, expected, is_wrapped) in [
            (r#"{"type":"object"}"#, r#"{"type":"object"}"#, false),
            (r#"{"properties":{}}"#, r#"{"type":"object","properties":{}}"#, false),
            (
                r##"{"$ref":"#/$defs/A","$defs":{"A":{"type":"object"}}}"##,
                r##"{"type":"object","properties":{"value":{"$ref":"#/$defs/A"}},"required":["value"],"$defs":{"A":{"type":"object"}}}"##,
                true,
            ),
            (
                r#"{"type":"array","items":{}}"#,
                r#"{"type":"object","properties":{"value":{"type":"array","items":{}}},"required":["value"]}"#,
                true,
            ),
            (
                r#"{"type":["object","null"]}"#,
                r#"{"type":"object","properties":{"value":{"type":["object","null"]}},"required":["value"]}"#,
                true,
            ),
        ] {
            let (found, tool) = of_response(raw(schema)).unwrap();
            assert_eq!((&*found.text(), tool.is_wrapped), (expected, is_wrapped), "{schema}");
        }
        assert!(of_response(raw("true")).is_none());
    }
}
