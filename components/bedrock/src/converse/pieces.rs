//! Strings that are joined when they are sent, so that none of them is copied before.

use std::borrow::Cow;
use std::fmt;

use serde::ser::Serializer;

/// A string that consists of the pieces of an iterator.
struct Pieces<F>(F);

impl<'a, I: Iterator<Item = &'a str>, F: Fn() -> I> fmt::Display for Pieces<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)().try_for_each(|piece| formatter.write_str(piece))
    }
}

/// Writes `pieces` as one string.
pub(super) fn serialize_joined<S: Serializer>(
    pieces: &[Cow<'_, str>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Pieces(|| pieces.iter().map(|piece| &**piece)))
}

/// Writes `base64` without its white space.
pub(super) fn serialize_spaced<S: Serializer>(
    base64: &str,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Pieces(|| base64.split_ascii_whitespace()))
}
