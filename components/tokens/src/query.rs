//! Query parameters.

use gateway::{Error, Head};

/// Reads the number in the parameter `name`, the only one the route takes.
///
/// # Errors
/// A client error that names the parameter at fault.
pub(crate) fn read_number(head: &Head, name: &'static str) -> Result<Option<u64>, Error> {
    let [value] = read_params(head, [name])?;
    value.map(|value| parse_number(name, value)).transpose()
}

/// Parses the whole number in the parameter `name`.
///
/// # Errors
/// A client error that names the parameter.
pub(crate) fn parse_number(name: &'static str, value: &str) -> Result<u64, Error> {
    value.parse().map_err(|_| invalid(name, "must be a whole number"))
}

/// Reads the values of the parameters `names`, still percent-encoded.
///
/// Any other parameter is an error: a misspelt `graceSeconds` would otherwise end the old key
/// immediately.
///
/// # Errors
/// A client error for an unknown parameter, or for one that is given twice.
pub(crate) fn read_params<'a, const N: usize>(
    head: &'a Head,
    names: [&'static str; N],
) -> Result<[Option<&'a str>; N], Error> {
    let query = head.path_with_query.split_once('?').map_or("", |(_, query)| query);
    let mut values = [None; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let slot = names.iter().zip(&mut values).find(|(known, _)| **known == name);
        match slot {
            Some((_, slot @ None)) => *slot = Some(value),
            Some((known, Some(_))) => return Err(invalid(known, "must not be given twice")),
            None => {
                let message = format!("unknown query parameter: use {}", names.join(", "));
                return Err(Error::invalid_param("query", message));
            }
        }
    }
    Ok(values)
}

/// Parses the number of entries on a page.
///
/// # Errors
/// A client error if it is not between 1 and `most`.
pub(crate) fn parse_limit(value: Option<&str>, default: u64, most: u64) -> Result<usize, Error> {
    let limit = value.map_or(Ok(default), |value| parse_number("limit", value))?;
    match usize::try_from(limit) {
        Ok(entries) if (1..=most).contains(&limit) => Ok(entries),
        _ => Err(invalid("limit", &format!("must be between 1 and {most}"))),
    }
}

/// Decodes a query value: `+` is a space, and an invalid escape is kept as it is.
pub(crate) fn decode(value: &str) -> String {
    decode_path(&value.replace('+', " "))
}

/// Decodes a part of a path; an invalid escape is kept as it is.
pub(crate) fn decode_path(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'%').then(|| {
            let mut ahead = rest.clone();
            let digits = [ahead.next()?, ahead.next()?];
            let code = u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
            rest = ahead;
            Some(code)
        });
        bytes.push(escaped.flatten().unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn invalid(name: &'static str, rule: &str) -> Error {
    Error::invalid_param(name, format!("`{name}` {rule}"))
}
