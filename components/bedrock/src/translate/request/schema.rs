//! Adjustments to JSON schemas that Bedrock would reject.

use serde_json::value::RawValue;

use crate::converse::request::{Fields, Json};
use crate::json::Members;
use crate::translate::json_tool::JsonTool;

/// Returns the schema of a tool's input, which must have the type of an object. None if
/// `parameters` is not a schema.
pub(crate) fn of_parameters<'a>(parameters: Option<&'a RawValue>) -> Option<Json<'a>> {
    let Some(given) = parameters.filter(|given| given.get() != "null") else {
        return Some(Json::from_text(r#"{"type":"object","properties":{}}"#.to_owned()));
    };
    let members: Members<'a> = serde_json::from_str(given.get()).ok()?;
    match members.get("type").map(RawValue::get) {
        Some(kind) if kind != "null" => Some(Json::Given(given)),
        _ => Some(object_of(members, |name| name != "type")),
    }
}

/// Returns `schema` as the schema of a tool's input, which must be an object: anything else is
/// wrapped in one. None if it is not a schema.
pub(crate) fn of_response(schema: &RawValue) -> Option<(Json<'_>, JsonTool)> {
    let members: Members<'_> = serde_json::from_str(schema.get()).ok()?;
    let kind = members.get("type").map(RawValue::get);
    if kind == Some(r#""object""#) {
        return Some((Json::Given(schema), JsonTool { is_wrapped: false }));
    }
    if kind.is_none() && members.get("properties").is_some() {
        return Some((object_of(members, |_| true), JsonTool { is_wrapped: false }));
    }
    Some((wrapped(members), JsonTool { is_wrapped: true }))
}

/// Returns `schema` as JSON text in which no object allows additional members: Bedrock requires
/// that to be explicit for each. None if the schema allows them somewhere, or is not a schema.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
pub(crate) fn closed(schema: &RawValue) -> Option<String> {
    let is_object = schema.get().starts_with('{');
    is_object.then(|| close(schema, MAX_DEPTH)).flatten().map(|closed| closed.as_str().to_owned())
}

/// Creates the schema of an object from the members that are `kept`.
fn object_of(members: Members<'_>, kept: impl Fn(&str) -> bool) -> Json<'_> {
    let mut fields = Fields::default();
    fields.set("type", Json::of(&"object"));
    let kept = members.0.into_iter().filter(|(name, _)| kept(name));
    fields.0.extend(kept.map(|(name, value)| (name, Json::Given(value))));
    Json::of(&fields)
}

/// Creates the schema of an object whose member `value` has the schema `members`. Definitions stay
/// at the top level, where references point to.
fn wrapped(members: Members<'_>) -> Json<'static> {
    let is_definition = |name: &str| matches!(name, "$defs" | "definitions");
    let (definitions, value): (Vec<_>, Vec<_>) =
        members.0.into_iter().partition(|(name, _)| is_definition(name));
    let given = |members: Vec<(_, _)>| {
        Fields(members.into_iter().map(|(name, value)| (name, Json::Given(value))).collect())
    };
    let mut fields = Fields::default();
    fields.set("type", Json::of(&"object"));
    fields.set("properties", Json::of(&Fields(vec![("value".into(), Json::of(&given(value)))])));
    fields.set("required", Json::of(&["value"]));
    fields.0.extend(given(definitions).0);
    Json::of(&fields)
}

/// The maximum depth of a schema: each level takes stack, and a guest has little.
const MAX_DEPTH: usize = 64;

/// Closes `schema` and all schemas in it, at most `depth` levels deep.
fn close(schema: &RawValue, depth: usize) -> Option<Json<'_>> {
    let depth = depth.checked_sub(1)?;
    match schema.get().as_bytes().first() {
        Some(b'{') => close_object(serde_json::from_str(schema.get()).ok()?, depth),
        Some(b'[') => {
            let schemas: Vec<&RawValue> = serde_json::from_str(schema.get()).ok()?;
            let closed: Option<Vec<_>> = schemas.into_iter().map(|one| close(one, depth)).collect();
            Some(Json::of(&closed?))
        }
        _ => Some(Json::Given(schema)),
    }
}

/// Closes one schema. None if it is an object's and allows additional members.
fn close_object(members: Members<'_>, depth: usize) -> Option<Json<'_>> {
    let is_object = match members.get("type").map(RawValue::get) {
        Some(kind) => kind.contains(r#""object""#),
        None => members.get("properties").is_some(),
    };
    let is_open = members.get(ADDITIONAL).is_some_and(|value| value.get() != "false");
    if is_object && is_open {
        return None;
    }
    let mut fields = Fields::default();
    for (name, value) in members.0 {
        let closed = match &*name {
            "properties" | "$defs" | "definitions" => close_named(value, depth)?,
            "items" | "prefixItems" | "anyOf" | "oneOf" | "allOf" => close(value, depth)?,
            _ => Json::Given(value),
        };
        fields.0.push((name, closed));
    }
    if is_object {
        fields.set(ADDITIONAL, Json::of(&false));
    }
    Some(Json::of(&fields))
}

/// The keyword that closes an object.
const ADDITIONAL: &str = "additionalProperties";

/// Closes each schema of a map from names to schemas.
fn close_named(named: &RawValue, depth: usize) -> Option<Json<'_>> {
    let Members(members) = serde_json::from_str(named.get()).ok()?;
    let close = |(name, value)| Some((name, close(value, depth)?));
    let closed: Option<Vec<_>> = members.into_iter().map(close).collect();
    Some(Json::of(&Fields(closed?)))
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
            assert_eq!(found.as_ref().map(Json::as_str), expected, "{parameters:?}");
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
            assert_eq!((found.as_str(), tool.is_wrapped), (expected, is_wrapped), "{schema}");
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
}
