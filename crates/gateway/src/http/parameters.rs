//! The parameters of a header's value, `value; name=value; name="value"`.
//!
//! Parsers disagree on unusual parameters. A decision based on one reading could be circumvented by
//! another, so everything that could be read in two ways is rejected.

use crate::http::bytes::find;

/// Why a parameter is rejected.
pub(crate) type Reason = &'static str;

/// Splits a header's value into its parts: the value itself, then `name=value` for each parameter.
pub(crate) fn parts(value: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let parts = value.split(move |character| {
        is_quoted ^= character == '"';
        character == ';' && !is_quoted
    });
    parts.map(str::trim)
}

/// Returns the parameter `name` of a header's value, without its quotes.
///
/// # Errors
/// The reason, for a parameter that is repeated, escaped, badly quoted or encoded (`name*`).
pub(crate) fn parameter<'a>(value: &'a str, name: &str) -> Result<Option<&'a str>, Reason> {
    check_quotes(value)?;
    let mut found = None;
    for (given, value) in parts(value).skip(1).filter_map(|part| part.split_once('=')) {
        let given = given.trim();
        // RFC 2231 has `name*`, `name*0` and `name*0*`.
        let is_encoded = |(plain, _): (&str, &str)| plain.eq_ignore_ascii_case(name);
        if given.split_once('*').is_some_and(is_encoded) {
            return Err("a parameter is encoded");
        }
        if given.eq_ignore_ascii_case(name) && found.replace(value.trim()).is_some() {
            return Err("a parameter is given twice");
        }
    }
    found.map(unquoted).transpose()
}

/// Checks whether the content type `value` says that a text is UTF-8, or does not say what it is.
pub(crate) fn is_utf8(value: &str) -> Result<bool, Reason> {
    let charset = parameter(value, "charset")?.unwrap_or("utf-8");
    Ok(charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8"))
}

/// Rejects an escaped quote: parsers disagree on whether it ends the string, so what follows may or may
/// not be a parameter.
fn check_quotes(value: &str) -> Result<(), Reason> {
    if find(value.as_bytes(), b"\\\"").is_some() { Err("a quote is escaped") } else { Ok(()) }
}

/// Strips the quotes of a parameter's value.
fn unquoted(value: &str) -> Result<&str, Reason> {
    let inner = value.strip_prefix('"').and_then(|open| open.strip_suffix('"')).unwrap_or(value);
    if inner.contains(['"', '\\']) { Err("badly quoted parameter") } else { Ok(inner) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_finds_one_reading_or_none() {
        for (value, expected) in [
            ("application/json", Ok(None)),
            ("application/json; charset=utf-8", Ok(Some("utf-8"))),
            ("a/b;x=\"; charset=y\" ; Charset = \"UTF-8\"", Ok(Some("UTF-8"))),
            ("charset=x", Ok(None)),
            ("a/b; charset=x; charset=x", Err("a parameter is given twice")),
            ("a/b; charset*=x", Err("a parameter is encoded")),
            ("a/b; charset*0=x", Err("a parameter is encoded")),
            ("a/b; x=\"\\\"; charset=x", Err("a quote is escaped")),
            ("a/b; charset=\"x", Err("badly quoted parameter")),
        ] {
            assert_eq!(parameter(value, "charset"), expected, "{value}");
        }
    }
}
