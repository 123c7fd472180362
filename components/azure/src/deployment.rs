//! Names that become parts of a URL.

use gateway::Error;

/// Characters a deployment's name may have.
const LENGTH: usize = 64;

/// The deployment a model names. A name that could change the URL is refused, not encoded: no
/// deployment has such a name.
pub(crate) fn named_by(model: Option<&str>) -> Result<&str, Error> {
    let model = model.ok_or_else(|| {
        Error::invalid_param("model", "`model` is missing: it names the deployment")
    })?;
    if is_name(model) {
        return Ok(model);
    }
    let rule = "`model` names a deployment: up to 64 letters, digits, - . and _";
    Err(Error::invalid_param("model", rule))
}

/// Whether `name` may stand in a URL as it is.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    name.len() <= LENGTH && name.bytes().all(is_plain) && name.bytes().any(|byte| byte != b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_by_refuses_what_could_change_the_url() {
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
