//! Ids of tool calls as Bedrock takes them.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::model::Family;

/// The ids given out in one request.
///
/// They depend on the conversation up to their call alone, so that a longer conversation repeats
/// them and the prompt cache is met.
#[derive(Debug)]
pub(crate) struct Ids<'a> {
    family: Family,
    /// The ids that are taken, and the client's, each with the attempts made to mint one for it.
    attempts: BTreeMap<Cow<'a, str>, usize>,
}

impl<'a> Ids<'a> {
    pub(crate) fn new(family: Family) -> Self {
        Self { family, attempts: BTreeMap::new() }
    }

    /// An id for one more call that its client knows as `id`: the same where it is valid and new.
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

/// The id itself at first, if it may stand, and a hash of it otherwise.
fn candidate<'a>(id: &Cow<'a, str>, attempt: usize, family: Family) -> Cow<'a, str> {
    if attempt == 0 && is_valid(id, family) {
        return id.clone();
    }
    let length = if family == Family::Mistral { 9 } else { 32 };
    let mut hash = hex::encode(Sha256::digest(format!("{id}#{attempt}")));
    hash.truncate(length);
    Cow::Owned(hash)
}

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

    fn mint(ids: &mut Ids<'_>, id: &str) -> String {
        ids.mint(&Cow::Owned(id.to_owned())).into_owned()
    }

    #[test]
    fn valid_ids_stay_and_others_are_hashed() {
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
            let minted = mint(&mut Ids::new(family), id);
            assert_eq!(minted == id, stays, "{id}");
            assert!(is_valid(&minted, family), "{id}: {minted}");
            assert_eq!(minted, mint(&mut Ids::new(family), id), "{id}");
        }
    }

    #[test]
    fn no_id_is_given_out_twice() {
        for family in [Family::Claude, Family::Mistral] {
            let mut ids = Ids::new(family);
            let hashed = mint(&mut Ids::new(family), "a b");
            let minted: BTreeSet<_> = ["a b", &hashed, "a b", "call_1", "call_1", "call_1"]
                .into_iter()
                .map(|id| mint(&mut ids, id))
                .collect();
            assert_eq!(minted.len(), 6, "{minted:?}");
        }
    }
}
