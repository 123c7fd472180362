//! Schemas without references, for families whose models are not shown the definitions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::json::scanner::{Scanner, member, members, name_of};

/// Bytes by which the schemas of one request may grow when references are replaced by what they refer
/// to. A few references to references can stand for any number of bytes.
pub(crate) const GROWTH: usize = 2 * 1024 * 1024;

/// The maximum depth of an inlined schema: each level takes stack, and a guest has little.
const MAX_DEPTH: usize = 64;

/// What a reference becomes that cannot be replaced: it is part of itself, refers to nothing, or would
/// let the schema grow too much.
const OPEN: &str = r#"{"type":"object"}"#;

/// The keyword of a reference.
const REFERENCE: &str = "$ref";

/// The keywords of definitions, which nothing refers to any more.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// The keywords whose value maps names to schemas.
const NAMED: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];

/// The keywords whose value is a schema or a list of schemas.
const NESTED: &str = "items prefixItems additionalItems contains additionalProperties \
                      propertyNames anyOf oneOf allOf not if then else unevaluatedProperties";

/// Returns `schema` with each reference replaced by what it refers to, as far as `growth` suffices.
pub(crate) fn inlined(schema: &str, growth: &mut usize) -> String {
    let definitions = DEFINITIONS.into_iter().flat_map(|keyword| {
        let defined = member(schema, keyword).unwrap_or_default();
        members(defined).map(move |(name, value)| (format!("#/{keyword}/{}", name_of(name)), value))
    });
    let definitions = definitions.collect();
    let text = String::with_capacity(schema.len());
    let mut inliner = Inliner { definitions, open: Vec::new(), text, growth };
    inliner.schema(schema, MAX_DEPTH);
    inliner.text
}

/// Copies a schema, and replaces its references.
struct Inliner<'a, 'g> {
    /// The definitions of the schema by the references to them.
    definitions: BTreeMap<String, &'a str>,
    /// The definitions that are being copied.
    open: Vec<&'a str>,
    text: String,
    growth: &'g mut usize,
}

impl<'a> Inliner<'a, '_> {
    /// Copies a schema or a list of schemas, at most `depth` levels deep.
    fn schema(&mut self, schema: &'a str, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return self.text.push_str(OPEN) };
        match Scanner::new(schema).peek() {
            Some(b'{') => self.object(schema, depth),
            Some(b'[') => self.list(schema, depth),
            _ => self.text.push_str(schema),
        }
    }

    /// Copies a list of schemas.
    fn list(&mut self, list: &'a str, depth: usize) {
        let mut scanner = Scanner::new(list);
        scanner.skip();
        self.text.push('[');
        while scanner.peek().is_some_and(|byte| byte != b']') {
            let Some(schema) = scanner.value() else { break };
            self.separate();
            self.schema(schema, depth);
        }
        self.text.push(']');
    }

    /// Copies one schema.
    fn object(&mut self, schema: &'a str, depth: usize) {
        let reference = member(schema, REFERENCE).filter(|value| value.starts_with('"'));
        let Some(reference) = reference else {
            self.text.push('{');
            self.members(schema, |_| true, depth);
            return self.text.push('}');
        };
        let is_alone = members(schema).nth(1).is_none();
        match self.resolve(&name_of(reference)) {
            None if is_alone => self.text.push_str(OPEN),
            None => {
                self.text.push('{');
                self.members(schema, |name| name != REFERENCE, depth);
                self.text.push('}');
            }
            Some(target) => {
                self.open.push(target);
                self.text.push('{');
                // What is written next to a reference takes precedence.
                let own: Vec<Cow<'a, str>> =
                    members(schema).take(MAX_DEPTH).map(|(name, _)| name_of(name)).collect();
                self.merge(target, &own, depth);
                self.members(schema, |name| name != REFERENCE, depth);
                self.text.push('}');
                self.open.pop();
            }
        }
    }

    /// Copies the members of the definition `target` that are not its user's `own`.
    fn merge(&mut self, target: &'a str, own: &[Cow<'a, str>], depth: usize) {
        let is_new = |name: &str| name != REFERENCE && !own.iter().any(|own| own == name);
        let next = member(target, REFERENCE).filter(|value| value.starts_with('"'));
        if let Some(depth) = depth.checked_sub(1)
            && let Some(next) = next.and_then(|next| self.resolve(&name_of(next)))
        {
            self.open.push(next);
            let nearer = members(target).take(MAX_DEPTH).map(|(name, _)| name_of(name));
            let own: Vec<_> = own.iter().cloned().chain(nearer).collect();
            self.merge(next, &own, depth);
            self.open.pop();
        }
        self.members(target, is_new, depth);
    }

    /// Copies the members of a schema whose names are `kept`.
    fn members(&mut self, schema: &'a str, kept: impl Fn(&str) -> bool, depth: usize) {
        for (written, value) in members(schema) {
            let name = name_of(written);
            if DEFINITIONS.contains(&&*name) || !kept(&name) {
                continue;
            }
            self.separate();
            self.text.extend([written, ":"]);
            if NAMED.contains(&&*name) {
                self.named(value, depth);
            } else if NESTED.split(' ').any(|keyword| keyword == name) {
                self.schema(value, depth);
            } else {
                self.text.push_str(value);
            }
        }
    }

    /// Copies a map from names to schemas.
    fn named(&mut self, map: &'a str, depth: usize) {
        if !map.starts_with('{') {
            return self.text.push_str(map);
        }
        self.text.push('{');
        for (name, schema) in members(map) {
            self.separate();
            self.text.extend([name, ":"]);
            self.schema(schema, depth);
        }
        self.text.push('}');
    }

    /// Returns the definition that `reference` names, if it can be copied here.
    fn resolve(&mut self, reference: &str) -> Option<&'a str> {
        let target = *self.definitions.get(reference)?;
        let is_part_of_itself = self.open.iter().any(|open| std::ptr::eq(*open, target));
        if is_part_of_itself || !target.starts_with('{') {
            return None;
        }
        *self.growth = self.growth.checked_sub(target.len())?;
        Some(target)
    }

    /// Writes a comma before all entries but the first: no entry ends with an opening bracket.
    fn separate(&mut self) {
        if !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inlined_replaces_references() {
        let defs =
            r##""$defs":{"A":{"type":"string","description":"a"},"B":{"$ref":"#/$defs/A"}}"##;
        for (schema, expected) in [
            (r#"{"type":"string"}"#, r#"{"type":"string"}"#),
            (
                r##"{"properties":{"a":{"$ref":"#/$defs/A"},"$ref":{"type":"number"}},DEFS}"##,
                r#"{"properties":{"a":{"type":"string","description":"a"},"$ref":{"type":"number"}}}"#,
            ),
            (
                r##"{"items":{"description":"b","$ref":"#/$defs/A"},DEFS}"##,
                r#"{"items":{"type":"string","description":"b"}}"#,
            ),
            (
                r##"{"anyOf":[{"$ref":"#/$defs/B"},{"type":"null"}],DEFS}"##,
                r#"{"anyOf":[{"type":"string","description":"a"},{"type":"null"}]}"#,
            ),
            (r##"{"$ref":"#/$defs/A",DEFS}"##, r#"{"type":"string","description":"a"}"#),
            (r#"{"items":{"$ref":"other.json"},DEFS}"#, r#"{"items":{"type":"object"}}"#),
            (r##"{"default":{"$ref":"#/$defs/A"},DEFS}"##, r##"{"default":{"$ref":"#/$defs/A"}}"##),
        ] {
            let schema = schema.replace("DEFS", defs);
            assert_eq!(inlined(&schema, &mut GROWTH.clone()), expected, "{schema}");
        }
    }

    #[test]
    fn inlined_ends_where_a_definition_is_part_of_itself() {
        let schema = r##"{"$ref":"#/$defs/Node","$defs":{"Node":{"type":"object","properties":{"next":{"$ref":"#/$defs/Node"}}},"Loop":{"$ref":"#/$defs/Loop"}}}"##;
        let expected = r#"{"type":"object","properties":{"next":{"type":"object"}}}"#;
        assert_eq!(inlined(schema, &mut GROWTH.clone()), expected);
        let schema = schema.replace("#/$defs/Node\",", "#/$defs/Loop\",");
        assert_eq!(inlined(&schema, &mut GROWTH.clone()), "{}");
    }

    #[test]
    fn inlined_grows_by_no_more_than_it_may() {
        let level = |level: usize| {
            let next = format!(r##"{{"$ref":"#/$defs/{}"}}"##, level + 1);
            format!(r#""{level}":{{"anyOf":[{next},{next},{next},{next}]}}"#)
        };
        let levels: Vec<String> = (0..40).map(level).collect();
        let schema = format!(r##"{{"$ref":"#/$defs/0","$defs":{{{}}}}}"##, levels.join(","));
        let mut growth = 100_000;
        let found = inlined(&schema, &mut growth);
        assert!(found.len() < 300_000 && growth < 1000, "{} {growth}", found.len());
        serde_json::from_str::<serde_json::Value>(&found).unwrap();
    }
}
