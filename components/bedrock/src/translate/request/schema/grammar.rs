//! Schemas for the grammars of models, which hold a part of JSON Schema.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>

use std::borrow::Cow;

use crate::json::scanner::{Scanner, name_of};
use crate::translate::request::schema::references::References;

/// The maximum depth of a schema that is closed: each level takes stack, and a guest has little.
const MAX_DEPTH: usize = 64;

/// The keyword that closes an object.
const ADDITIONAL: &str = "additionalProperties";

/// The keywords that no grammar holds. They become a part of the description.
const UNKNOWN: &str = "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength \
                       maxLength maxItems uniqueItems contains minContains maxContains \
                       minProperties maxProperties patternProperties propertyNames not if then else \
                       dependentRequired dependentSchemas unevaluatedItems unevaluatedProperties";

/// The formats of texts that grammars hold.
/// <https://docs.claude.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations>
const FORMATS: &str = "date-time time date duration email hostname uri ipv4 ipv6 uuid";

/// What a regular expression of a grammar cannot contain, as it is written in JSON: assertions, word
/// boundaries and references to groups.
const ASSERTIONS: [&str; 5] = ["(?=", "(?!", "(?<", r"\\b", r"\\B"];

/// Returns `schema` as a grammar holds it: no object allows additional members, which must be explicit
/// for each, and what a grammar cannot express is in the descriptions. None if an object may have
/// members that the schema does not name, if it has parts in `allOf`, if it refers to itself or to
/// something else than a definition, or if it is not a schema.
pub(crate) fn closed(schema: &str) -> Option<String> {
    if !schema.starts_with('{') {
        return None;
    }
    let closed = String::with_capacity(schema.len());
    let scanner = Scanner::new(schema);
    let mut closer =
        Closer { scanner, closed, definition: None, references: References::default() };
    closer.schema(MAX_DEPTH)?;
    (!closer.references.are_recursive()).then_some(closer.closed)
}

/// Copies a schema, and closes all objects in it.
struct Closer<'a> {
    scanner: Scanner<'a>,
    closed: String,
    /// The definition that is being copied.
    definition: Option<Cow<'a, str>>,
    references: References<'a>,
}

/// What is known about a schema when all of its members have been read.
#[derive(Default)]
struct Object<'a> {
    kind: Option<&'a str>,
    additional: Option<&'a str>,
    description: Option<&'a str>,
    has_properties: bool,
    has_alternatives: bool,
    /// The members that the grammar does not hold.
    notes: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Closer<'a> {
    /// Copies a schema or a list of schemas, at most `depth` levels deep.
    fn schema(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.scanner.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            _ => {
                let value = self.scanner.value()?;
                self.closed.push_str(value);
                Some(())
            }
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
        let mut object = Object::default();
        self.bracket('{');
        while self.scanner.peek()? != b'}' {
            self.member(&mut object, depth)?;
        }
        let is_object =
            object.kind.map_or(object.has_properties, |kind| kind.contains(r#""object""#));
        match object.additional {
            // Closed, it could only be empty.
            None if is_object && !object.has_properties => return None,
            None if is_object => self.write(ADDITIONAL, "false"),
            Some(given) if given != "false" => return None,
            _ => {}
        }
        if let Some(description) = object.described() {
            self.write("description", &description);
        }
        self.bracket('}');
        Some(())
    }

    /// Copies a member of a schema, or notes it in `object`.
    fn member(&mut self, object: &mut Object<'a>, depth: usize) -> Option<()> {
        let written = self.scanner.value()?;
        let name = name_of(written);
        match &*name {
            "properties" => {
                object.has_properties = true;
                self.name(written);
                self.named(depth)?;
            }
            "$defs" | "definitions" => {
                self.name(written);
                self.definitions(depth)?;
            }
            "$ref" => {
                let value = self.scanner.value()?;
                self.references.add(self.definition.as_ref(), &name_of(value))?;
                self.name(written);
                self.closed.push_str(value);
            }
            // A grammar has alternatives, and does not count how many of them match.
            "anyOf" | "oneOf" if !object.has_alternatives => {
                object.has_alternatives = true;
                self.name(r#""anyOf""#);
                self.schema(depth)?;
            }
            "anyOf" | "oneOf" => return None,
            // Closed, each part would forbid what the others have.
            "allOf" if !self.has_one_item()? => return None,
            "items" | "prefixItems" | "allOf" => {
                self.name(written);
                self.schema(depth)?;
            }
            "description" => object.description = Some(self.scanner.value()?),
            _ => {
                let value = self.scanner.value()?;
                if is_unknown(&name, value) {
                    object.notes.push((name, value));
                    return Some(());
                }
                match &*name {
                    "type" if value != "null" => object.kind = object.kind.or(Some(value)),
                    ADDITIONAL => object.additional = object.additional.or(Some(value)),
                    _ => {}
                }
                self.name(written);
                self.closed.push_str(value);
            }
        }
        Some(())
    }

    /// Checks whether the next value is a list of one item.
    fn has_one_item(&self) -> Option<bool> {
        let mut scanner = Scanner::new(self.scanner.clone().value()?);
        scanner.skip();
        scanner.value()?;
        Some(scanner.peek()? == b']')
    }

    /// Copies the definitions of a schema.
    fn definitions(&mut self, depth: usize) -> Option<()> {
        // References name the root's definitions only.
        let is_root = depth + 1 == MAX_DEPTH;
        self.map(depth, |closer, name| {
            if is_root {
                closer.definition = Some(name_of(name));
            }
        })?;
        self.definition.take_if(|_| is_root);
        Some(())
    }

    /// Copies a map from names to schemas.
    fn named(&mut self, depth: usize) -> Option<()> {
        self.map(depth, |_, _| ())
    }

    /// Copies a map from names to schemas, and calls `begin` with each name.
    fn map(&mut self, depth: usize, begin: impl Fn(&mut Self, &'a str)) -> Option<()> {
        if self.scanner.peek()? != b'{' {
            return None;
        }
        self.bracket('{');
        while self.scanner.peek()? != b'}' {
            let name = self.scanner.value()?;
            begin(self, name);
            self.name(name);
            self.schema(depth)?;
        }
        self.bracket('}');
        Some(())
    }

    /// Writes a member whose value is JSON.
    fn write(&mut self, name: &str, value: &str) {
        self.separate();
        self.closed.extend(["\"", name, "\":", value]);
    }

    /// Writes the name of a member, as it is written in JSON.
    fn name(&mut self, written: &str) {
        self.separate();
        self.closed.extend([written, ":"]);
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

impl Object<'_> {
    /// Returns the description with the notes, as JSON.
    fn described(&self) -> Option<Cow<'_, str>> {
        if self.notes.is_empty() {
            return self.description.map(Cow::Borrowed);
        }
        let given = self.description.and_then(|json| serde_json::from_str::<String>(json).ok());
        let notes: Vec<String> =
            self.notes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let parts: Vec<String> = given.into_iter().chain([notes.join(", ")]).collect();
        serde_json::to_string(&parts.join("\n")).ok().map(Cow::Owned)
    }
}

/// Checks whether no grammar holds the keyword `name` with this value.
fn is_unknown(name: &str, value: &str) -> bool {
    match name {
        "minItems" => !matches!(value, "0" | "1"),
        "format" => FORMATS.split(' ').all(|format| *format != *name_of(value)),
        "pattern" => {
            ASSERTIONS.iter().any(|part| value.contains(part)) || has_group_reference(value)
        }
        _ => UNKNOWN.split(' ').any(|keyword| keyword == name),
    }
}

/// Checks whether a regular expression, as it is written in JSON, refers to one of its groups.
fn has_group_reference(pattern: &str) -> bool {
    pattern
        .split(r"\\")
        .skip(1)
        .any(|rest| rest.starts_with(|first: char| matches!(first, '1'..='9')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_closes_every_object() {
        for (schema, expected) in [
            (r#"{"type":"string"}"#, Some(r#"{"type":"string"}"#)),
            (
                r#"{"type":"object","properties":{"z":{"type":"array","items":{"type":"object","properties":{}}},"a":{"anyOf":[{"type":"object","properties":{}},{"type":"null"}]}}}"#,
                Some(
                    r#"{"type":"object","properties":{"z":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":false}},"a":{"anyOf":[{"type":"object","properties":{},"additionalProperties":false},{"type":"null"}]}},"additionalProperties":false}"#,
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
            (r#"{"type":"object"}"#, None),
            (r#"{"required":["a"],"additionalProperties":true}"#, None),
            (r#"{"allOf":[{"properties":{}},{"properties":{}}]}"#, None),
            (
                r#"{"allOf":[{"properties":{}}]}"#,
                Some(r#"{"allOf":[{"properties":{},"additionalProperties":false}]}"#),
            ),
            ("[]", None),
            ("true", None),
            (&format!("{}1{}", r#"{"items":"#.repeat(100), "}".repeat(100)), None),
        ] {
            assert_eq!(closed(schema).as_deref(), expected, "{schema}");
        }
    }

    #[test]
    fn closed_of_a_large_schema_closes_each_object_once() {
        let nested = r#"{"type":"object","properties":{"a":"#.repeat(30);
        let nested = format!("{nested}{{}}{}", "}}".repeat(30));
        let schema = format!(r#"{{"anyOf":[{}]}}"#, vec![nested; 500].join(","));
        let found = closed(&schema).unwrap();
        let end = r#","additionalProperties":false"#;
        assert_eq!(found.matches(end).count(), 30 * 500);
        assert_eq!(found.replace(end, ""), schema);
        assert_eq!(closed(&found).as_ref(), Some(&found));
    }

    #[test]
    fn closed_describes_what_a_grammar_does_not_hold() {
        for (schema, expected) in [
            (
                r#"{"type":"integer","minimum":1,"description":"A \"count\".","maximum":9}"#,
                r#"{"type":"integer","description":"A \"count\".\nminimum: 1, maximum: 9"}"#,
            ),
            (
                r#"{"type":"array","items":{"type":"string","maxLength":5},"minItems":1,"maxItems":3}"#,
                r#"{"type":"array","items":{"type":"string","description":"maxLength: 5"},"minItems":1,"description":"maxItems: 3"}"#,
            ),
            (r#"{"type":"array","minItems":2}"#, r#"{"type":"array","description":"minItems: 2"}"#),
            (
                r#"{"oneOf":[{"type":"string"},{"type":"null"}]}"#,
                r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#,
            ),
            (
                r#"{"properties":{"minimum":{"type":"string"}}}"#,
                r#"{"properties":{"minimum":{"type":"string"}},"additionalProperties":false}"#,
            ),
            (r#"{"not":{"type":"null"}}"#, r#"{"description":"not: {\"type\":\"null\"}"}"#),
            (
                r#"{"anyOf":[{"format":"uuid"},{"format":"color"}]}"#,
                r#"{"anyOf":[{"format":"uuid"},{"description":"format: \"color\""}]}"#,
            ),
            (
                r#"{"anyOf":[{"pattern":"^a+$"},{"pattern":"(?=a)"}]}"#,
                r#"{"anyOf":[{"pattern":"^a+$"},{"description":"pattern: \"(?=a)\""}]}"#,
            ),
            (r#"{"pattern":"\\ba"}"#, r#"{"description":"pattern: \"\\\\ba\""}"#),
            (r#"{"pattern":"(a)\\1"}"#, r#"{"description":"pattern: \"(a)\\\\1\""}"#),
            (r#"{"pattern":"\\d"}"#, r#"{"pattern":"\\d"}"#),
        ] {
            assert_eq!(closed(schema).as_deref(), Some(expected), "{schema}");
        }
        assert_eq!(closed(r#"{"anyOf":[],"oneOf":[]}"#), None);
    }

    #[test]
    fn closed_of_a_recursive_schema_is_none() {
        let tree = |target: &str| {
            format!(
                r##"{{"$defs":{{"A":{{"anyOf":[{{"$ref":"{target}"}},{{"type":"null"}}]}},"B":{{"type":"null"}}}},"$ref":"#/$defs/A"}}"##
            )
        };
        for (target, is_held) in
            [("#/$defs/B", true), ("#/$defs/A", false), ("#", false), ("other.json", false)]
        {
            let schema = tree(target);
            let expected = is_held.then_some(&schema);
            assert_eq!(closed(&schema).as_ref(), expected, "{target}");
        }
    }
}
