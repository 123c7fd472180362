//! Generates a value that conforms to a JSON Schema, for models whose output must conform to one.

use serde_json::{Map, Value, json};

/// Maximum depth of a value, because a schema may refer to itself.
const DEPTH: u8 = 12;

/// Generates a value for a schema.
pub(crate) fn instance(schema: &Value) -> Value {
    build(schema, schema, DEPTH)
}

/// Generates the value of a subschema. `root` is the whole schema, which references point into.
fn build(schema: &Value, root: &Value, depth: u8) -> Value {
    let Some(depth) = depth.checked_sub(1) else {
        return Value::Null;
    };
    if let Some(fixed) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return fixed.clone();
    }
    if let Some(target) = schema["$ref"].as_str() {
        let target = root.pointer(target.trim_start_matches('#')).unwrap_or(&Value::Null);
        return build(target, root, depth);
    }
    // The first alternative is enough: a test needs one valid value.
    let choices = ["anyOf", "oneOf", "allOf"].iter().find_map(|name| schema[name].get(0));
    if let Some(choice) = choices {
        return build(choice, root, depth);
    }
    match kind(schema) {
        "integer" => json!(7),
        "number" => json!(7.5),
        "boolean" => json!(true),
        "null" => Value::Null,
        "array" => json!([build(&schema["items"], root, depth)]),
        "object" => object(schema, root, depth),
        _ => json!("Paris"),
    }
}

/// Generates an object with every declared property.
fn object(schema: &Value, root: &Value, depth: u8) -> Value {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let members: Map<String, Value> =
        properties.map(|(name, schema)| (name.clone(), build(schema, root, depth))).collect();
    members.into()
}

/// Returns the type, or the first of several that is not null. Without a type it is an object if
/// there are properties, and a string otherwise.
fn kind(schema: &Value) -> &str {
    let kinds = &schema["type"];
    let implied = if schema.get("properties").is_some() { "object" } else { "string" };
    let first = kinds.as_array().into_iter().flatten().find(|kind| *kind != "null");
    kinds.as_str().or_else(|| first?.as_str()).unwrap_or(implied)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::instance;

    #[test]
    fn instance_of_schema_conforms() {
        for (schema, expected) in [
            (json!({"type": "string"}), json!("Paris")),
            (json!({"type": "integer"}), json!(7)),
            (json!({"type": ["null", "number"]}), json!(7.5)),
            (json!({"enum": ["a", "b"]}), json!("a")),
            (json!({"type": "string", "const": "c"}), json!("c")),
            (json!({"type": "array", "items": {"type": "boolean"}}), json!([true])),
            (json!({"anyOf": [{"type": "null"}, {"type": "string"}]}), json!(null)),
            (json!({"type": "object"}), json!({})),
            (
                json!({"type": "object", "properties": {"at": {"$ref": "#/$defs/at"}},
                       "$defs": {"at": {"properties": {"city": {"type": "string"}}}}}),
                json!({"at": {"city": "Paris"}}),
            ),
        ] {
            assert_eq!(instance(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn instance_of_recursive_schema_is_finite() {
        let schema = json!({"type": "array", "items": {"$ref": "#"}});
        assert!(instance(&schema).is_array());
    }
}
