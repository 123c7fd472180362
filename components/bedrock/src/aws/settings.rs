//! The operator's settings for Bedrock.

use gateway::translator::Context;
use gateway::{Error, Settings};

use gateway::models::aliases::Aliases;

/// The validated settings.
pub(crate) struct BedrockSettings<'a> {
    pub(crate) region: &'a str,
    pub(crate) credentials: Credentials<'a>,
    pub(crate) aliases: Aliases,
}

/// How requests are authenticated.
#[derive(Clone, Copy)]
pub(crate) enum Credentials<'a> {
    /// By a signature with these access keys.
    Keys { id: &'a str, secret: &'a str, session_token: Option<&'a str> },
    /// By an API key of Bedrock.
    ApiKey(&'a str),
    /// By credentials that are stored in the AI Gateway: the request contains none.
    Stored,
}

/// The component's variable that defines aliases.
const ALIASES: &str = "bedrock_model_aliases";

impl<'a> BedrockSettings<'a> {
    /// Reads the settings for the request of `context`.
    ///
    /// # Errors
    /// [`Error::Configuration`], naming the setting at fault.
    pub(crate) fn of(context: &Context<'a>) -> Result<Self, Error> {
        Self::read(context.operator.settings, &(context.model_setting)(ALIASES)?)
    }

    /// Reads and validates the settings and the variable `bedrock_model_aliases`.
    ///
    /// # Errors
    /// [`Error::Configuration`], naming the setting at fault.
    fn read(settings: &'a Settings, aliases: &str) -> Result<Self, Error> {
        let region = settings.get("aws_region").unwrap_or("us-east-1");
        if !is_region(region) {
            return Err(wrong("aws_region must be a region's name, like us-east-1"));
        }
        let credentials = Credentials::read(settings)?;
        Ok(Self { region, credentials, aliases: Aliases::parse(aliases)? })
    }
}

impl<'a> Credentials<'a> {
    /// Selects the credentials: an API key wins over access keys.
    ///
    /// Half a pair of access keys is an error: it must not silently mean stored credentials.
    fn read(settings: &'a Settings) -> Result<Self, Error> {
        if let Some(key) = settings.get("bedrock_api_key") {
            return Ok(Self::ApiKey(key));
        }
        let session_token = settings.get("aws_session_token");
        match (settings.get("aws_access_key_id"), settings.get("aws_secret_access_key")) {
            (Some(id), Some(secret)) => Ok(Self::Keys { id, secret, session_token }),
            (None, None) => Ok(Self::Stored),
            (Some(_), None) => Err(wrong(
                "aws_access_key_id is set, aws_secret_access_key is not: set both or neither",
            )),
            (None, Some(_)) => Err(wrong(
                "aws_secret_access_key is set, aws_access_key_id is not: set both or neither",
            )),
        }
    }
}

/// Checks whether `name` is safe in a host name and in a path.
fn is_region(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 32 && name.bytes().all(is_plain)
}

/// Creates a configuration error.
fn wrong(why: &str) -> Error {
    Error::Configuration(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_region_is_that_of_the_manifest() {
        let manifest = Settings::from_lines(include_str!("../../../../spin.toml").to_owned());
        let none = Settings::from_lines(String::new());
        let region = BedrockSettings::read(&none, "").unwrap().region;
        assert_eq!(manifest.get("aws_region"), Some(region));
    }

    #[test]
    fn read_names_the_setting_at_fault() {
        for (lines, aliases, expected) in [
            ("aws_region=us-east-1/x", "", "aws_region must be"),
            ("aws_access_key_id=A", "", "aws_secret_access_key is not"),
            ("aws_secret_access_key=A", "", "aws_access_key_id is not"),
            ("", "[]", "bedrock_model_aliases"),
        ] {
            let settings = Settings::from_lines(lines.to_owned());
            let outcome = BedrockSettings::read(&settings, aliases);
            let error = outcome.err().map(|error| error.to_string());
            assert!(
                error.as_deref().is_some_and(|text| text.contains(expected)),
                "{lines}: {error:?}"
            );
        }
    }

    #[test]
    fn read_prefers_an_api_key_and_accepts_no_credentials() {
        for (lines, expected) in [
            ("bedrock_api_key=k\naws_access_key_id=A\naws_secret_access_key=s", "key"),
            ("aws_access_key_id=A\naws_secret_access_key=s", "signature"),
            ("", "stored"),
        ] {
            let settings = Settings::from_lines(lines.to_owned());
            let found = match BedrockSettings::read(&settings, "").unwrap().credentials {
                Credentials::ApiKey(_) => "key",
                Credentials::Keys { .. } => "signature",
                Credentials::Stored => "stored",
            };
            assert_eq!(found, expected, "{lines}");
        }
    }
}
