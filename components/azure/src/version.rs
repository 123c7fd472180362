//! The `api-version` that every request to Azure needs.

use gateway::http::target::Target;
use gateway::{Error, Settings};

use crate::deployment::is_name;

const PARAMETER: &str = "api-version=";

/// The version unless the operator sets one: the latest that is no preview.
const DEFAULT: &str = "2024-10-21";

/// The first version with the Responses API.
const RESPONSES: &str = "2025-03-01-preview";

/// Adds the operator's API version to `path`, unless the client names one by its date.
///
/// The SDKs of Azure's newer API send `v1` or `preview`, which the URLs of the AI Gateway do not know.
pub(crate) fn with_version(
    target: Target<'_>,
    path: &str,
    settings: &Settings,
) -> Result<String, Error> {
    let pairs: Vec<&str> = target.query.into_iter().flat_map(|query| query.split('&')).collect();
    let versions = pairs.iter().filter_map(|pair| pair.strip_prefix(PARAMETER));
    let versions: Vec<&str> = versions.collect();
    if versions.contains(&"") {
        return Err(Error::UnsafePath("it contains an empty api-version"));
    }
    if versions.iter().any(|version| version.starts_with(|first: char| first.is_ascii_digit())) {
        return Ok(target.at(path));
    }
    let version = configured(path, settings)?;
    let others = pairs.into_iter().filter(|pair| !pair.is_empty() && !pair.starts_with(PARAMETER));
    let own = format!("{PARAMETER}{version}");
    let query: Vec<&str> = others.chain([own.as_str()]).collect();
    Ok(format!("{path}?{}", query.join("&")))
}

/// Returns the operator's version, or the first one that has what `path` requests.
fn configured<'a>(path: &str, settings: &'a Settings) -> Result<&'a str, Error> {
    let version = settings.get("azure_api_version").unwrap_or(DEFAULT);
    if !is_name(version) {
        let why = "azure_api_version may contain only letters, digits, - . and _";
        return Err(Error::Configuration(why.to_owned()));
    }
    // Versions are dates, which compare as text.
    let is_too_old = is_for_responses(path) && version < RESPONSES;
    Ok(if is_too_old { RESPONSES } else { version })
}

/// Checks whether `path` is of the Responses API of a resource.
fn is_for_responses(path: &str) -> bool {
    path.split('/').nth(3) == Some("openai") && path.split('/').nth(4) == Some("responses")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versioned(query: Option<&str>, path: &str) -> Result<String, Error> {
        let settings = Settings::from_lines("azure_api_version=2024-10-21".to_owned());
        with_version(Target { version: "", path: "/x", query }, path, &settings)
    }

    #[test]
    fn with_version_keeps_the_clients_own_date() {
        for (query, expected) in [
            (None, "/p?api-version=2024-10-21"),
            (Some(""), "/p?api-version=2024-10-21"),
            (Some("a=1"), "/p?a=1&api-version=2024-10-21"),
            (Some("api-version=2025-01-01&a=1"), "/p?api-version=2025-01-01&a=1"),
            (Some("a=1&api-version=2025-01-01"), "/p?a=1&api-version=2025-01-01"),
            (Some("api-version=v1"), "/p?api-version=2024-10-21"),
            (Some("api-version=preview&a=1"), "/p?a=1&api-version=2024-10-21"),
        ] {
            assert_eq!(versioned(query, "/p").unwrap(), expected);
        }
    }

    #[test]
    fn with_version_has_a_version_with_responses() {
        for (query, expected) in [
            (None, "?api-version=2025-03-01-preview"),
            (Some("api-version=v1"), "?api-version=2025-03-01-preview"),
            (Some("api-version=2025-04-01"), "?api-version=2025-04-01"),
        ] {
            let path = "/azure-openai/r/openai/responses";
            assert_eq!(versioned(query, path).unwrap(), format!("{path}{expected}"));
        }
    }

    #[test]
    fn default_is_that_of_the_manifest() {
        let manifest = Settings::from_lines(include_str!("../../../spin.toml").to_owned());
        assert_eq!(manifest.get("azure_api_version"), Some(DEFAULT));
    }

    #[test]
    fn with_version_has_a_default() {
        let settings = Settings::from_lines("azure_api_version=\n".to_owned());
        let target = Target { version: "", path: "/x", query: None };
        let outcome = with_version(target, "/p", &settings);
        assert_eq!(outcome.unwrap(), format!("/p?api-version={DEFAULT}"));
    }

    #[test]
    fn with_version_rejects_an_empty_version() {
        let outcome = versioned(Some("a=1&api-version="), "/p");
        assert!(matches!(outcome, Err(Error::UnsafePath(_))));
    }

    #[test]
    fn with_version_reports_a_bad_setting_as_configuration_error() {
        for version in ["2024 10", "a&b=c"] {
            let settings = Settings::from_lines(format!("azure_api_version={version}"));
            let target = Target { version: "", path: "/x", query: None };
            let outcome = with_version(target, "/p", &settings);
            assert!(matches!(outcome, Err(Error::Configuration(_))), "{version}");
        }
    }
}
