//! The references between the definitions of a schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The beginnings of references to definitions. No grammar follows any other.
const DEFINITIONS: [&str; 2] = ["#/$defs/", "#/definitions/"];

/// Which definition refers to which.
#[derive(Default)]
pub(super) struct References<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> References<'a> {
    /// Adds a reference to `target` in the definition `source`, or outside of all. None if it refers to
    /// something else than a definition.
    pub(super) fn add(&mut self, source: Option<&Cow<'a, str>>, target: &str) -> Option<()> {
        let name = DEFINITIONS.iter().find_map(|start| target.strip_prefix(start))?;
        if let Some(source) = source {
            self.0.push((source.clone(), name.to_owned().into()));
        }
        Some(())
    }

    /// Checks whether a definition refers to itself, perhaps by way of others.
    pub(super) fn are_recursive(&self) -> bool {
        let mut counts = BTreeMap::<&str, usize>::new();
        let mut targets = BTreeMap::<&str, Vec<&str>>::new();
        for (source, target) in &self.0 {
            targets.entry(source).or_default().push(target);
            counts.entry(source).or_default();
            *counts.entry(target).or_default() += 1;
        }
        // Takes what nothing refers to any more, until only circles are left.
        let free = counts.iter().filter(|(_, count)| **count == 0);
        let mut ready: Vec<&str> = free.map(|(name, _)| *name).collect();
        let mut taken = 0;
        while let Some(name) = ready.pop() {
            taken += 1;
            for target in targets.get(name).into_iter().flatten() {
                if let Some(count) = counts.get_mut(target) {
                    *count -= 1;
                    ready.extend((*count == 0).then_some(*target));
                }
            }
        }
        taken < counts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_recursive_finds_circles_of_any_length() {
        for (edges, expected) in [
            ("", false),
            ("a>b b>c a>c", false),
            ("a>a", true),
            ("x>a a>b b>c c>a", true),
            ("a>b a>b b>c d>c", false),
        ] {
            let mut references = References::default();
            for edge in edges.split_whitespace() {
                let (source, target) = edge.split_once('>').unwrap();
                let target = &format!("#/$defs/{target}");
                references.add(Some(&source.into()), target).unwrap();
            }
            assert_eq!(references.are_recursive(), expected, "{edges}");
        }
    }

    #[test]
    fn add_of_a_reference_to_anything_else_is_none() {
        for target in ["#", "#/properties/a", "https://example.com/a.json", ""] {
            assert!(References::default().add(None, target).is_none(), "{target}");
        }
    }
}
