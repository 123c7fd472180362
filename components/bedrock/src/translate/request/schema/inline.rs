//! Schemas without references, for families whose models are not shown the definitions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::json::scanner::{Scanner, member, members, name_of};

/// Bytes by which the schemas of one request may grow when references are replaced by what they refer
/// to. A few references to references can stand for any number of bytes.
pub(crate) const GROWTH: usize = 2 * 1024 * 1024;

/// The maximum depth of an inlined schema: each level takes stack, and a guest has little.
const MAX_DEPTH: usize = 64;

/// The maximum number of definitions that are found by name.
const MAX_DEFINITIONS: usize = 4096;

/// What a reference becomes to a schema that it is a part of.
const RECURSIVE: &str = r#"{"type":"object"}"#;

/// What a reference becomes that refers to nothing, or would let the schema grow too much.
const ANYTHING: &str = "{}";

/// The keyword of a reference.
const REFERENCE: &str = "$ref";

/// The keywords of definitions, which nothing refers to any more.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// The keywords whose value maps names to schemas.
const NAMED: [&str; 4] = ["properties", "patternProperties", "dependentSchemas", "dependencies"];

/// The keywords whose value is a schema or a list of schemas.
const NESTED: &str = "items prefixItems additionalItems contains additionalProperties \
                      propertyNames anyOf oneOf allOf not if then else unevaluatedProperties \
                      unevaluatedItems";

/// Returns `schema` with each reference replaced by what it refers to, as far as `growth` suffices.
pub(crate) fn inlined<'a>(schema: &'a str, growth: &mut usize) -> Cow<'a, str> {
    // An escape may hide the keyword.
    if !schema.contains(REFERENCE) && !schema.contains("\\u") {
        return schema.into();
    }
    let definitions = DEFINITIONS.map(|keyword| {
        let defined = members(member(schema, keyword).unwrap_or_default());
        defined.take(MAX_DEFINITIONS).map(|(name, value)| (name_of(name), value)).collect()
    });
    let text = String::with_capacity(schema.len());
    let mut inliner = Inliner { root: schema, definitions, open: vec![schema], text, growth };
    inliner.schema(schema, MAX_DEPTH);
    inliner.text.into()
}

/// Copies a schema, and replaces its references.
struct Inliner<'a, 'g> {
    root: &'a str,
    /// The definitions of the root by their names, for each keyword.
    definitions: [BTreeMap<Cow<'a, str>, &'a str>; 2],
    /// What is being copied because something refers to it.
    open: Vec<&'a str>,
    text: String,
    growth: &'g mut usize,
}

/// What a reference stands for.
enum Target<'a> {
    Schema(&'a str),
    Recursive,
    Unknown,
}

impl<'a> Inliner<'a, '_> {
    /// Copies a schema or a list of schemas, at most `depth` levels deep.
    fn schema(&mut self, schema: &'a str, depth: usize) {
        match (Scanner::new(schema).peek(), depth.checked_sub(1)) {
            (Some(b'{'), Some(depth)) => self.object(schema, depth),
            (Some(b'['), Some(depth)) => self.list(schema, depth),
            (Some(b'{'), None) => self.text.push_str(ANYTHING),
            (Some(b'['), None) => self.text.push_str("[]"),
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

    /// Copies one schema, with what it refers to.
    fn object(&mut self, schema: &'a str, depth: usize) {
        let Some(mut reference) = reference_of(schema) else {
            self.text.push('{');
            members(schema).for_each(|(name, value)| self.member(name, value, depth));
            return self.text.push('}');
        };
        let opened = self.open.len();
        let mut chain = Vec::new();
        let end = loop {
            match self.target(&reference) {
                Target::Schema(next) => {
                    self.open.push(next);
                    chain.push(next);
                }
                Target::Recursive => break RECURSIVE,
                Target::Unknown => break ANYTHING,
            }
            match chain.last().copied().and_then(reference_of) {
                Some(next) => reference = next,
                None => break ANYTHING,
            }
        };
        let is_alone = members(schema).nth(1).is_none();
        if chain.is_empty() && is_alone {
            return self.text.push_str(end);
        }
        self.merge(schema, &chain, opened, depth);
    }

    /// Copies a schema with those that it refers to, of which the nearer ones take precedence.
    fn merge(&mut self, schema: &'a str, chain: &[&'a str], opened: usize, depth: usize) {
        let referred = self.open.split_off(opened);
        let (mut written, mut rest) = (BTreeSet::new(), Vec::new());
        self.text.push('{');
        for (index, part) in std::iter::once(schema).chain(chain.iter().copied()).enumerate() {
            if index == 1 {
                self.open.extend(&referred);
            }
            for (name, value) in members(part) {
                let key = name_of(name);
                if key == REFERENCE {
                    continue;
                }
                if written.insert(key.clone()) {
                    self.member(name, value, depth);
                } else if matches!(&*key, "properties" | "required") {
                    rest.push((name, value));
                }
            }
        }
        // Both sides apply, and neither replaces the other.
        if !rest.is_empty() && written.insert("allOf".into()) {
            self.separate();
            self.text.push_str(r#""allOf":["#);
            for (name, value) in rest {
                self.separate();
                self.text.push('{');
                self.member(name, value, depth);
                self.text.push('}');
            }
            self.text.push(']');
        }
        self.text.push('}');
        self.open.truncate(opened);
    }

    /// Copies one member of a schema.
    fn member(&mut self, written: &'a str, value: &'a str, depth: usize) {
        let name = name_of(written);
        if DEFINITIONS.contains(&&*name) {
            return;
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

    /// Finds what `reference` stands for, if it can be copied here.
    fn target(&mut self, reference: &str) -> Target<'a> {
        let Some(target) = self.find(reference).filter(|target| target.starts_with('{')) else {
            return Target::Unknown;
        };
        if self.open.iter().any(|open| std::ptr::eq(*open, target)) {
            return Target::Recursive;
        }
        match self.growth.checked_sub(target.len()) {
            Some(left) => {
                *self.growth = left;
                Target::Schema(target)
            }
            None => Target::Unknown,
        }
    }

    /// Follows a JSON pointer from the root.
    fn find(&mut self, reference: &str) -> Option<&'a str> {
        let pointer = decode(reference.strip_prefix('#')?)?;
        if pointer.is_empty() {
            return Some(self.root);
        }
        let mut segments = pointer.strip_prefix('/')?.split('/').map(unescape);
        let first = segments.next()?;
        let keyword = DEFINITIONS.iter().position(|keyword| *keyword == first);
        let defined = keyword.and_then(|keyword| self.definitions.get(keyword));
        let mut target = if let Some(definitions) = defined {
            definitions.get(&segments.next()?).copied()?
        } else {
            *self.growth = self.growth.checked_sub(self.root.len())?;
            member(self.root, &first)?
        };
        for segment in segments {
            *self.growth = self.growth.checked_sub(target.len())?;
            target = match segment.parse::<usize>() {
                Ok(index) if target.starts_with('[') => item(target, index)?,
                _ => member(target, &segment)?,
            };
        }
        Some(target)
    }

    /// Writes a comma before all entries but the first: no entry ends with an opening bracket.
    fn separate(&mut self) {
        if !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
    }
}

/// Returns the reference of a schema. A property may have the same name as the keyword.
fn reference_of(schema: &str) -> Option<Cow<'_, str>> {
    member(schema, REFERENCE).filter(|value| value.starts_with('"')).map(name_of)
}

/// Returns an entry of a list.
fn item(list: &str, index: usize) -> Option<&str> {
    let mut scanner = Scanner::new(list);
    scanner.skip();
    let mut items = std::iter::from_fn(|| scanner.value().filter(|item| !item.is_empty()));
    items.nth(index)
}

/// Decodes the percent-encoding of a fragment.
fn decode(fragment: &str) -> Option<Cow<'_, str>> {
    if !fragment.contains('%') {
        return Some(fragment.into());
    }
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut parts = fragment.split('%');
    bytes.extend(parts.next()?.bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Decodes the escapes of a JSON pointer.
/// <https://www.rfc-editor.org/rfc/rfc6901>
fn unescape(segment: &str) -> Cow<'_, str> {
    if segment.contains('~') {
        segment.replace("~1", "/").replace("~0", "~").into()
    } else {
        segment.into()
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
                r#"{"items":{"description":"b","type":"string"}}"#,
            ),
            (
                r##"{"anyOf":[{"$ref":"#/$defs/B"},{"type":"null"}],DEFS}"##,
                r#"{"anyOf":[{"type":"string","description":"a"},{"type":"null"}]}"#,
            ),
            (r##"{"$ref":"#/$defs/A",DEFS}"##, r#"{"type":"string","description":"a"}"#),
            (r#"{"items":{"$ref":"other.json"},DEFS}"#, r#"{"items":{}}"#),
            (
                r##"{"items":{"\u0024ref":"#/$defs/A"},DEFS}"##,
                r#"{"items":{"type":"string","description":"a"}}"#,
            ),
            (
                r##"{"properties":{"a":{"type":"string"},"b":{"$ref":"#/properties/a"}}}"##,
                r#"{"properties":{"a":{"type":"string"},"b":{"type":"string"}}}"#,
            ),
            (
                r##"{"anyOf":[{"type":"null"}],"items":{"$ref":"#/anyOf/0"},"not":{"$ref":"#"}}"##,
                r#"{"anyOf":[{"type":"null"}],"items":{"type":"null"},"not":{"type":"object"}}"#,
            ),
            (
                r##"{"items":{"$ref":"#/$defs/a~1b%20c"},"$defs":{"a/b c":{"type":"null"}}}"##,
                r#"{"items":{"type":"null"}}"#,
            ),
            (
                r##"{"items":{"$ref":"#/$defs/A","required":["b"]},"$defs":{"A":{"type":"object","required":["a"]}}}"##,
                r#"{"items":{"required":["b"],"type":"object","allOf":[{"required":["a"]}]}}"#,
            ),
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
    fn inlined_of_a_deep_schema_is_no_longer() {
        for inner in ["0,0,0,0", r#"{"a":1},[1]"#] {
            let lists = ("[".repeat(70), "]".repeat(70));
            let schema = format!(r#"{{"a":{{"$ref":""}},"anyOf":{}{inner}{}}}"#, lists.0, lists.1);
            let found = inlined(&schema, &mut GROWTH.clone());
            assert!(found.len() <= schema.len(), "{found}");
            serde_json::from_str::<serde_json::Value>(&found).unwrap();
        }
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
