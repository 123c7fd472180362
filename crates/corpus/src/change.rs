//! One mutation of a byte string.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A change. Its positions are relative, so that it applies to input of any length.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Flips one bit.
    Flip(Index, u8),
    /// Inserts a word.
    Insert(Index, Vec<u8>),
    /// Replaces as many bytes by a word.
    Overwrite(Index, Vec<u8>),
    /// Deletes a range.
    Delete(Index, Index),
    /// Inserts a range a second time.
    Repeat(Index, Index),
    /// Replaces the rest by the rest of another seed.
    Splice(Index, Vec<u8>, Index),
    /// Deletes the rest.
    Truncate(Index),
}

impl Change {
    /// Generates any change. Those that keep most of the input are more frequent, because an input
    /// must stay nearly valid to get past the first check of a parser.
    pub(crate) fn any(seeds: &[Vec<u8>], words: &[Vec<u8>]) -> impl Strategy<Value = Self> + use<> {
        let place = any::<Index>;
        let word = select(words.to_vec());
        let seed = select(seeds.to_vec());
        prop_oneof![
            2 => (place(), 0..8_u8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            8 => (place(), word.clone()).prop_map(|(at, word)| Self::Insert(at, word)),
            2 => (place(), word).prop_map(|(at, word)| Self::Overwrite(at, word)),
            3 => (place(), place()).prop_map(|(from, to)| Self::Delete(from, to)),
            4 => (place(), place()).prop_map(|(from, to)| Self::Repeat(from, to)),
            2 => (place(), seed, place()).prop_map(|(at, seed, from)| Self::Splice(at, seed, from)),
            1 => place().prop_map(Self::Truncate),
        ]
    }

    /// Returns `bytes` with the change made.
    pub(crate) fn made_to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let place = |index: &Index| index.index(bytes.len() + 1);
        let between = |index: &Index| between_words(&bytes, place(index));
        match self {
            Self::Flip(at, bit) => {
                let at = place(at);
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
            }
            Self::Insert(at, word) => {
                let at = between(at);
                replace(&mut bytes, at..at, word);
            }
            Self::Overwrite(at, word) => {
                let at = place(at);
                let end = bytes.len().min(at + word.len());
                replace(&mut bytes, at..end, word);
            }
            Self::Delete(from, to) => {
                let range = short_range(between(from), between(to));
                replace(&mut bytes, range, &[]);
            }
            Self::Repeat(from, to) => {
                let range = short_range(between(from), between(to));
                let copy = bytes.get(range.clone()).unwrap_or_default().to_vec();
                replace(&mut bytes, range.end..range.end, &copy);
            }
            Self::Splice(at, seed, from) => {
                let at = between(at);
                let from = between_words(seed, from.index(seed.len() + 1));
                bytes.truncate(at);
                bytes.extend_from_slice(seed.get(from..).unwrap_or_default());
            }
            Self::Truncate(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
        }
        bytes
    }
}

/// Returns the first position from `at` on that is not inside a word, because an insertion or
/// deletion there usually leaves the grammar intact.
fn between_words(bytes: &[u8], at: usize) -> usize {
    let is_letter = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_alphanumeric);
    let is_inside = |place: &usize| *place > 0 && is_letter(*place - 1) && is_letter(*place);
    (at..=bytes.len()).find(|place| !is_inside(place)).unwrap_or(bytes.len())
}

/// Replaces `range`, which is within `bytes`.
fn replace(bytes: &mut Vec<u8>, range: Range<usize>, by: &[u8]) {
    bytes.splice(range, by.iter().copied());
}

/// Returns the range between two positions, limited in length so that most of an input is kept.
fn short_range(one: usize, other: usize) -> Range<usize> {
    const LONGEST: usize = 64;
    let start = one.min(other);
    start..one.max(other).min(start + LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn made_to_keeps_the_bytes_outside_the_change(
            bytes: Vec<u8>,
            change in Change::any(&[b"seed".to_vec()], &[b"word".to_vec()]),
        ) {
            let changed = change.made_to(bytes.clone());
            let (before, after) = (bytes.len(), changed.len());
            let same = bytes.iter().zip(&changed).take_while(|(old, new)| old == new).count();
            match change {
                Change::Flip(..) => {
                    let differing = bytes.iter().zip(&changed).filter(|(old, new)| old != new);
                    prop_assert!(before == after && differing.count() <= 1);
                }
                Change::Insert(..) => prop_assert_eq!(after, before + 4),
                Change::Overwrite(..) => prop_assert!((before..=before + 4).contains(&after)),
                Change::Delete(..) => prop_assert!((before.saturating_sub(64)..=before).contains(&after)),
                Change::Repeat(..) => prop_assert!((before..=before + 64).contains(&after)),
                Change::Splice(at, ..) => {
                    let is_spliced = changed.ends_with(b"seed") || changed.len() == same;
                    prop_assert!(same >= at.index(before + 1) && is_spliced);
                }
                Change::Truncate(_) => prop_assert!(same == after && after <= before),
            }
        }
    }
}
