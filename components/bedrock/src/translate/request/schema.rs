//! Adjustments to JSON schemas that Bedrock would reject.
//!
//! Each reads a schema once and writes text: a tree of values would take many times its size.

pub(crate) mod inline;
pub(crate) mod narrow;

use std::borrow::Cow;

use gateway::Error;
use serde_json::value::RawValue;

use crate::converse::request::Json;
use crate::json::scanner::{Scanner, depth, member, members, name_of};
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

/// Returns `schema` as JSON text in which no object allows additional members: Bedrock requires
/// that to be explicit for each. None if the schema allows them somewhere, or is not a schema.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
pub(crate) fn closed(schema: &RawValue) -> Option<String> {
    let schema = object(schema)?;
    let closed = String::with_capacity(schema.len());
    let mut closer = Closer { scanner: Scanner::new(schema), closed };
    closer.schema(MAX_DEPTH)?;
    Some(closer.closed)
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

/// The maximum depth of a schema that is closed: each level takes stack, and a guest has little.
const MAX_DEPTH: usize = 64;

/// The keyword that closes an object.
const ADDITIONAL: &str = "additionalProperties";

/// Copies a schema, and closes all objects in it.
struct Closer<'a> {
    scanner: Scanner<'a>,
    closed: String,
}

impl<'a> Closer<'a> {
    /// Copies a schema or a list of schemas, at most `depth` levels deep.
    fn schema(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.scanner.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            _ => self.value().map(drop),
        }
    }

    /// Copies a list of schemas.
    fn list(&mut self, depth: usize) -> Option<()> {
        self.bracket('[');
        while self.scanner.peek()? != b']' {
            self.separate();
            self.schema(depth)?;
        }
        self.bracket(']');
        Some(())
    }

    /// Copies one schema. None if it is an object's and allows additional members.
    fn object(&mut self, depth: usize) -> Option<()> {
        let (mut kind, mut additional, mut has_properties) = (None, None, false);
        self.bracket('{');
        while self.scanner.peek()? != b'}' {
            match &*self.name()? {
                "properties" => {
                    has_properties = true;
                    self.named(depth)?;
                }
                "$defs" | "definitions" => self.named(depth)?,
                "items" | "prefixItems" | "anyOf" | "oneOf" | "allOf" => self.schema(depth)?,
                "type" => kind = kind.or(Some(self.value()?)),
                ADDITIONAL => additional = additional.or(Some(self.value()?)),
                _ => drop(self.value()?),
            }
        }
        let is_object = kind.map_or(has_properties, |kind| kind.contains(r#""object""#));
        match additional {
            None if is_object => {
                self.separate();
                self.closed.push_str(r#""additionalProperties":false"#);
            }
            Some(given) if is_object && given != "false" => return None,
            _ => {}
        }
        self.bracket('}');
        Some(())
    }

    /// Copies a map from names to schemas.
    fn named(&mut self, depth: usize) -> Option<()> {
        if self.scanner.peek()? != b'{' {
            return None;
        }
        self.bracket('{');
        while self.scanner.peek()? != b'}' {
            self.name()?;
            self.schema(depth)?;
        }
        self.bracket('}');
        Some(())
    }

    /// Copies the name of a member, and returns it.
    fn name(&mut self) -> Option<Cow<'a, str>> {
        self.separate();
        let name = self.value()?;
        self.closed.push(':');
        Some(name_of(name))
    }

    /// Copies a value as it is, and returns it.
    fn value(&mut self) -> Option<&'a str> {
        let value = self.scanner.value()?;
        self.closed.push_str(value);
        Some(value)
    }

    /// Copies a bracket.
    fn bracket(&mut self, bracket: char) {
        self.scanner.skip();
        self.closed.push(bracket);
    }

    /// Writes a comma before all entries but the first: no entry ends with an opening bracket.
    fn separate(&mut self) {
        if !self.closed.ends_with(['{', '[']) {
            self.closed.push(',');
        }
    }
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

    #[test]
    fn closed_closes_every_object() {
        for (schema, expected) in [
            (r#"{"type":"string"}"#, Some(r#"{"type":"string"}"#)),
            (
                r#"{"type":"object","properties":{"z":{"type":"array","items":{"type":"object"}},"a":{"anyOf":[{"type":"object"},{"type":"null"}]}}}"#,
                Some(
                    r#"{"type":"object","properties":{"z":{"type":"array","items":{"type":"object","additionalProperties":false}},"a":{"anyOf":[{"type":"object","additionalProperties":false},{"type":"null"}]}},"additionalProperties":false}"#,
                ),
            ),
            (
                r#"{"$defs":{"A":{"properties":{}}},"default":{"type":"object"}}"#,
                Some(
                    r#"{"$defs":{"A":{"properties":{},"additionalProperties":false}},"default":{"type":"object"}}"#,
                ),
            ),
            (
                r#"{"type":"object","additionalProperties":false}"#,
                Some(r#"{"type":"object","additionalProperties":false}"#),
            ),
            (r#"{"type":"object","additionalProperties":{"type":"string"}}"#, None),
            (r#"{"items":{"type":["object","null"],"additionalProperties":true}}"#, None),
            ("[]", None),
            ("true", None),
            (&format!("{}1{}", r#"{"items":"#.repeat(100), "}".repeat(100)), None),
        ] {
            assert_eq!(closed(raw(schema)).as_deref(), expected, "{schema}");
        }
    }

    #[test]
    fn closed_of_a_large_schema_closes_each_object_once() {
        let nested = r#"{"type":"object","properties":{"a":"#.repeat(30);
        let nested = format!("{nested}{{}}{}", "}}".repeat(30));
        let schema = format!(r#"{{"anyOf":[{}]}}"#, vec![nested; 500].join(","));
        let found = closed(raw(&schema)).unwrap();
        let end = r#","additionalProperties":false"#;
        assert_eq!(found.matches(end).count(), 30 * 500);
        assert_eq!(found.replace(end, ""), schema);
        assert_eq!(closed(raw(&found)).as_ref(), Some(&found));
    }
}
