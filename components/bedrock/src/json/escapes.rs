//! Escapes in JSON strings.

/// Replaces the escapes in `text`, the inside of a string of valid JSON. None if an escape stands for
/// half a character.
///
/// The result is allocated once: a buffer that grows would take three times its size.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.bytes().position(|byte| byte == b'\\').unwrap_or(rest.len());
        let (plain, escape) = rest.split_at_checked(length)?;
        unescaped.push_str(plain);
        let (character, length) = match escape.as_bytes() {
            [] => break,
            [_, b'b', ..] => ('\u{8}', 2),
            [_, b'f', ..] => ('\u{c}', 2),
            [_, b'n', ..] => ('\n', 2),
            [_, b'r', ..] => ('\r', 2),
            [_, b't', ..] => ('\t', 2),
            [_, b'u', ..] => read_units(escape)?,
            [_, itself, ..] => (char::from(*itself), 2),
            [_] => return None,
        };
        unescaped.push(character);
        rest = escape.get(length..)?;
    }
    unescaped.shrink_to_fit();
    Some(unescaped)
}

/// Reads the character at the beginning of `escape`, which is `\u` with four hexadecimal digits or a
/// pair of these, and returns how many bytes it takes.
fn read_units(escape: &str) -> Option<(char, usize)> {
    let unit = |start: usize| u16::from_str_radix(escape.get(start..start + 4)?, 16).ok();
    let first = unit(2)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 6));
    }
    if escape.get(6..8)? != "\\u" {
        return None;
    }
    let character = char::decode_utf16([first, unit(8)?]).next()?.ok()?;
    Some((character, 12))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unescape_replaces_every_escape() {
        for (text, expected) in [
            ("a", Some("a")),
            (r#"\"\\\/\b\f\n\r\t"#, Some("\"\\/\u{8}\u{c}\n\r\t")),
            (r"a\u0041b\u00e4", Some("aAbä")),
            (r"\ud83d\ude00!", Some("😀!")),
            (r"\ud83d", None),
            (r"\ud83d\n", None),
            (r"\ud83d\u0041", None),
            (r"\ude00\ud83d", None),
        ] {
            assert_eq!(unescape(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn unescape_agrees_with_the_parser(text in "([a\u{e9}\u{1f600}\n\"\\\\]|\\PC){0,20}") {
            let json = serde_json::to_string(&text).unwrap();
            let inside = json.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            prop_assert_eq!(unescape(inside), Some(text));
        }
    }
}
