//! The parameters of a query.

use gateway::Error;
use gateway::service::Call;

/// The number that the parameter `name` gives; no other parameter may be there.
///
/// # Errors
/// A client's error that names the parameter at fault.
pub(crate) fn number(call: &Call, name: &'static str) -> Result<Option<u64>, Error> {
    let [value] = read(call, [name])?;
    value.map(|value| parse(name, value)).transpose()
}

/// A whole number.
///
/// # Errors
/// A client's error.
pub(crate) fn parse(name: &'static str, value: &str) -> Result<u64, Error> {
    value.parse().map_err(|_| wrong(name, "must be a whole number"))
}

/// The values of the parameters `names`, and of none besides.
///
/// # Errors
/// A client's error for another parameter, or one that is given twice.
pub(crate) fn read<'a, const N: usize>(
    call: &'a Call,
    names: [&'static str; N],
) -> Result<[Option<&'a str>; N], Error> {
    let query = call.path_with_query.split_once('?').map_or("", |(_, query)| query);
    let mut values = [None; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let slot = names.iter().zip(&mut values).find(|(known, _)| **known == name);
        match slot {
            Some((_, slot @ None)) => *slot = Some(value),
            Some((known, Some(_))) => return Err(wrong(known, "is given more than once")),
            None => {
                let message = format!("an unknown parameter: use {}", names.join(", "));
                return Err(Error::invalid_param("query", message));
            }
        }
    }
    Ok(values)
}

fn wrong(name: &'static str, what: &str) -> Error {
    Error::invalid_param(name, format!("`{name}` {what}"))
}
