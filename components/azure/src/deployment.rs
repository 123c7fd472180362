//! Names that become parts of a URL.

use gateway::Error;
use gateway::http::bytes::is_alphanumeric_or;

/// The maximum length of a deployment's name.
const LENGTH: usize = 64;

/// Returns the deployment that a model names. A name that could change the URL is rejected rather than
/// encoded: no deployment has such a name.
pub(crate) fn named_by(model: Option<&str>) -> Result<&str, Error> {
    let model = model.ok_or_else(|| {
        Error::invalid_param("model", "`model` is missing: it names the deployment")
    })?;
    if is_name(model) {
        return Ok(model);
    }
    let rule = "`model` must name a deployment: at most 64 letters, digits, - . and _";
    Err(Error::invalid_param("model", rule))
}

/// Checks whether `name` can be part of a URL as it is.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= LENGTH
        && is_alphanumeric_or(b"-._", name)
        && name.bytes().any(|byte| byte != b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_by_rejects_what_could_change_the_url() {
        let long = "x".repeat(65);
        for model in [
            "", ".", "..", "a/b", "a/../b", "a%2fb", "a?b", "a#b", "a b", "gpt-4ö", "a\\b", "a:b",
            &long,
        ] {
            assert!(named_by(Some(model)).is_err(), "{model}");
        }
        for model in ["gpt-4o", "gpt-35-turbo_2", "v1.5", "..a"] {
            assert_eq!(named_by(Some(model)).unwrap(), model);
        }
        assert!(named_by(None).is_err());
    }
}
