//! Helpers for bytes that the standard library lacks, or has only at the price of a larger guest.

use std::ops::Range;

/// Finds the first place of `needle` in `haystack`.
///
/// Plain on purpose: the standard library's string search adds kilobytes to each component.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Checks whether `text` holds only ASCII letters, digits and the bytes of `others`, so that it can
/// stand in a URL as it is.
pub fn is_alphanumeric_or(others: &[u8], text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

/// Checks whether `text` is `length` lower-case hex digits.
pub fn is_lower_hex(text: &str, length: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == length && text.bytes().all(is_digit)
}

/// Returns the span of `part` in `whole`, of which it must be a slice: the distance between the two
/// is its offset.
pub fn span_of(part: &str, whole: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    start..start.saturating_add(part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_returns_the_first_place() {
        for (haystack, needle, expected) in [
            ("abcab", "ab", Some(0)),
            ("abcab", "b", Some(1)),
            ("ab", "abc", None),
            ("", "", Some(0)),
        ] {
            assert_eq!(
                find(haystack.as_bytes(), needle.as_bytes()),
                expected,
                "{haystack} {needle}"
            );
        }
    }

    #[test]
    fn is_lower_hex_wants_the_length_and_lower_case() {
        for (text, expected) in [("0af9", true), ("0af", false), ("0AF9", false), ("0agf", false)] {
            assert_eq!(is_lower_hex(text, 4), expected, "{text}");
        }
    }

    #[test]
    fn span_of_is_where_a_slice_was_cut_from() {
        let whole = "abcdef";
        assert_eq!(span_of(&whole[2..4], whole.as_bytes()), 2..4);
    }
}
