//! The `api-version` that every request to Azure needs.

use gateway::http::target::Target;
use gateway::{Error, Settings};

use crate::deployment::is_name;

/// Adds the operator's API version, unless the client names one.
pub(crate) fn with_version<'a>(
    target: Target<'a>,
    path: &str,
    settings: &Settings,
) -> Result<String, Error> {
    let own = |query: &'a str| query.split('&').find_map(|pair| pair.strip_prefix("api-version="));
    match target.query.and_then(own) {
        Some("") => return Err(Error::UnsafePath("it contains an empty api-version")),
        Some(_) => return Ok(target.at(path)),
        None => {}
    }
    let version = settings.require("azure_api_version")?;
    if !is_name(version) {
        let why = "azure_api_version may contain only letters, digits, - . and _";
        return Err(Error::Configuration(why.to_owned()));
    }
    let separator = if target.query.is_some_and(|query| !query.is_empty()) { "&" } else { "" };
    let query = target.query.unwrap_or_default();
    Ok(format!("{path}?{query}{separator}api-version={version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_version_keeps_the_clients_own() {
        let settings = Settings::from_lines("azure_api_version=2024-10-21".to_owned());
        for (query, expected) in [
            (None, "/p?api-version=2024-10-21"),
            (Some(""), "/p?api-version=2024-10-21"),
            (Some("a=1"), "/p?a=1&api-version=2024-10-21"),
            (Some("api-version=x&a=1"), "/p?api-version=x&a=1"),
            (Some("a=1&api-version=x"), "/p?a=1&api-version=x"),
        ] {
            let target = Target { path: "/x", query };
            assert_eq!(with_version(target, "/p", &settings).unwrap(), expected);
        }
    }

    #[test]
    fn with_version_rejects_an_empty_version() {
        let settings = Settings::from_lines("azure_api_version=2024-10-21".to_owned());
        let target = Target { path: "/x", query: Some("a=1&api-version=") };
        assert!(matches!(with_version(target, "/p", &settings), Err(Error::UnsafePath(_))));
    }

    #[test]
    fn with_version_reports_a_bad_setting_as_configuration_error() {
        for version in ["2024 10", "a&b=c", ""] {
            let settings = Settings::from_lines(format!("azure_api_version={version}"));
            let outcome = with_version(Target { path: "/x", query: None }, "/p", &settings);
            assert!(matches!(outcome, Err(Error::Configuration(_))), "{version}");
        }
    }
}
