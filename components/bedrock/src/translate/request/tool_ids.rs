//! Ids of tool calls that are valid for Bedrock.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::catalog::capabilities::Family;

/// The ids used in one request.
///
/// An id depends only on the conversation up to its call, so that a longer conversation repeats it
/// and still hits the prompt cache.
#[derive(Debug)]
pub(crate) struct ToolIds<'a> {
    family: Family,
    /// The ids in use and the client's ids, each with the number of attempts to mint an id for it.
    attempts: BTreeMap<Cow<'a, str>, usize>,
}

impl<'a> ToolIds<'a> {
    /// Creates an empty set for models of `family`.
    pub(crate) fn new(family: Family) -> Self {
        Self { family, attempts: BTreeMap::new() }
    }

    /// Creates an id for the next call that has the client's `id`: the same if it is valid and
    /// unused.
    pub(crate) fn mint(&mut self, id: &Cow<'a, str>) -> Cow<'a, str> {
        let mut attempt = self.attempts.get(id).copied().unwrap_or_default();
        let minted = loop {
            let candidate = candidate(id, attempt, self.family);
            attempt += 1;
            if !self.attempts.contains_key(&candidate) {
                break candidate;
            }
        };
        self.attempts.insert(id.clone(), attempt);
        self.attempts.entry(minted.clone()).or_insert(0);
        minted
    }
}

/// Returns the id itself on the first attempt if it is valid, otherwise a hash of it.
fn candidate<'a>(id: &Cow<'a, str>, attempt: usize, family: Family) -> Cow<'a, str> {
    if attempt == 0 && is_valid(id, family) {
        return id.clone();
    }
    let length = if family == Family::Mistral { 9 } else { 32 };
    let digest = Sha256::new().chain_update(&**id).chain_update(format!("#{attempt}"));
    let mut hash = hex::encode(digest.finalize());
    hash.truncate(length);
    Cow::Owned(hash)
}

/// Checks whether `id` is valid; Mistral's models require exactly nine alphanumeric characters.
fn is_valid(id: &str, family: Family) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric();
    if family == Family::Mistral {
        return id.len() == 9 && id.bytes().all(is_plain);
    }
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| is_plain(byte) || b"_.:-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn mint(ids: &mut ToolIds<'_>, id: &str) -> String {
        ids.mint(&Cow::Owned(id.to_owned())).into_owned()
    }

    #[test]
    fn mint_keeps_valid_ids_and_hashes_others() {
        let (long, longest) = ("x".repeat(65), "x".repeat(64));
        for (id, family, stays) in [
            ("call_aB3.x:y-z", Family::Claude, true),
            (&longest, Family::Claude, true),
            (&long, Family::Claude, false),
            ("", Family::Claude, false),
            ("call 1", Family::Nova, false),
            ("ä", Family::Nova, false),
            ("abcDEF123", Family::Mistral, true),
            ("call_1234", Family::Mistral, false),
            ("abcDEF1234", Family::Mistral, false),
        ] {
            let minted = mint(&mut ToolIds::new(family), id);
            assert_eq!(minted == id, stays, "{id}");
            assert!(is_valid(&minted, family), "{id}: {minted}");
            assert_eq!(minted, mint(&mut ToolIds::new(family), id), "{id}");
        }
    }

    #[test]
    fn mint_never_returns_an_id_twice() {
        for family in [Family::Claude, Family::Mistral] {
            let mut ids = ToolIds::new(family);
            let hashed = mint(&mut ToolIds::new(family), "a b");
            let minted: BTreeSet<_> = ["a b", &hashed, "a b", "call_1", "call_1", "call_1"]
                .into_iter()
                .map(|id| mint(&mut ids, id))
                .collect();
            assert_eq!(minted.len(), 6, "{minted:?}");
        }
    }
}
