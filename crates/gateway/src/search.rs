//! Finding bytes in bytes.

/// Where `needle` first stands in `haystack`.
///
/// Plain on purpose: the standard library's search of strings would add kilobytes to each component.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    haystack.windows(needle.len()).position(|window| window == needle)
}
