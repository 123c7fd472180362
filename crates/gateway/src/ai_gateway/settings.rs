//! The operator's settings, raw and checked.
//!
//! `spin.toml` gives a component all its settings in one variable of `name=value` lines, because
//! reading a variable is a host call, and every request would make one per setting (docs/adr/0008-few-variables.md).

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::Error;
use crate::http::bytes::{is_alphanumeric_or, span_of};
use crate::http::target::check_path;

/// The settings of one component, as the operator wrote them. Empty means not set.
///
/// ```
/// use gateway::Settings;
///
/// let settings = Settings::from_lines("aws_region=eu-west-1\nopenai_api_key=".to_owned());
/// assert_eq!(settings.get("aws_region"), Some("eu-west-1"));
/// assert_eq!(settings.get("openai_api_key"), None);
/// let error = settings.require("openai_api_key").unwrap_err();
/// assert_eq!(error.to_string(), "gateway configuration: openai_api_key is not set");
/// ```
#[derive(Clone)]
pub struct Settings {
    text: String,
    /// The spans of names and values in the text.
    entries: Vec<(Range<usize>, Range<usize>)>,
}

/// Cloudflare AI Gateway, as every provider component needs it: checked settings.
#[derive(Clone, PartialEq, Eq)]
pub struct AiGateway<'a> {
    /// Whether the connection uses TLS.
    pub is_tls: bool,
    /// Host and port.
    pub authority: &'a str,
    /// Base path: empty, or starting with `/` and not ending with one.
    pub base_path: String,
    /// The token for `cf-aig-authorization`.
    pub token: &'a str,
    /// How long the AI Gateway may take.
    pub timeouts: Timeouts,
    /// The maximum length of a request's body that is read whole, in bytes.
    pub max_body: u64,
    /// The maximum length of a request's body that is streamed, in bytes.
    pub max_upload: u64,
}

/// How long the AI Gateway may take for each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To accept a connection.
    pub connect: Duration,
    /// To send the first byte of its response.
    pub first_byte: Duration,
    /// To send the next bytes of its response.
    pub between_bytes: Duration,
}

// === impl Settings ===

impl Settings {
    /// Parses `name=value` lines. A value that is empty is not set.
    pub fn from_lines(lines: String) -> Self {
        let place = |part: &str| span_of(part, lines.as_bytes());
        let pairs = lines.lines().filter_map(|line| line.trim().split_once('='));
        let entries = pairs.map(|(name, value)| (place(name), place(value.trim()))).collect();
        Self { entries, text: lines }
    }

    /// Returns the value of `name`, unless it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let given = self.entries.iter().filter(|(given, _)| {
            given.len() == name.len() && self.text.get(given.clone()) == Some(name)
        });
        given.filter_map(|(_, value)| self.text.get(value.clone())).find(|value| !value.is_empty())
    }

    /// Returns the value of `name`, which must be set.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming the setting.
    pub fn require(&self, name: &str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::Configuration(format!("{name} is not set")))
    }

    /// Reads and checks what every provider component needs.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming the setting that is missing or wrong.
    pub fn ai_gateway(&self) -> Result<AiGateway<'_>, Error> {
        let (is_tls, authority, base_path) = self.base()?;
        let token = self.require("ai_gateway_token")?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("ai_gateway_token", "must be visible ASCII"));
        }
        let timeouts = Timeouts {
            connect: self.seconds("connect_timeout", 10)?,
            first_byte: self.seconds("first_byte_timeout", 600)?,
            between_bytes: self.seconds("between_bytes_timeout", 600)?,
        };
        let (max_body, max_upload) = self.body_limits()?;
        Ok(AiGateway { is_tls, authority, base_path, token, timeouts, max_body, max_upload })
    }

    /// Returns the most bytes of a body that is read whole, and of an upload.
    ///
    /// # Errors
    /// [`Error::Configuration`] naming the setting that is wrong.
    pub fn body_limits(&self) -> Result<(u64, u64), Error> {
        let max_body = self.number("max_body_bytes", 32 * 1024 * 1024)?;
        let max_upload = self.number("max_upload_bytes", 512 * 1024 * 1024)?;
        Ok((max_body, max_upload))
    }

    /// Reads the origin and the base path: of `ai_gateway_url`, or of the account's and the gateway's
    /// id at `ai_gateway_host`.
    ///
    /// Only the component that checks the settings has `ai_gateway_host`. For any other, Spin denies
    /// requests to another origin.
    fn base(&self) -> Result<(bool, &str, String), Error> {
        let (host, url) = (self.get("ai_gateway_host"), self.get("ai_gateway_url"));
        if let (None, Some(url)) = (host, url) {
            let (is_tls, authority, path) = split_url(url).ok_or_else(wrong_url)?;
            return Ok((is_tls, authority, plain(path)?));
        }
        let host = host.unwrap_or(DEFAULT_HOST);
        let (is_tls, authority, rest) =
            split_url(host).ok_or_else(|| wrong("ai_gateway_host", "must be an http(s) origin"))?;
        if !matches!(rest, "" | "/") {
            return Err(wrong("ai_gateway_host", "must not have a path"));
        }
        let Some(url) = url else {
            return Ok((is_tls, authority, self.base_path()?));
        };
        let (url_tls, url_authority, path) = split_url(url).ok_or_else(wrong_url)?;
        let is_same_origin = is_tls == url_tls
            && with_port(is_tls, authority).eq_ignore_ascii_case(&with_port(is_tls, url_authority));
        if !is_same_origin {
            return Err(wrong(
                "ai_gateway_url",
                "must be at ai_gateway_host, the only host the app may call",
            ));
        }
        Ok((is_tls, authority, plain(path)?))
    }

    fn base_path(&self) -> Result<String, Error> {
        let id = |name| {
            let value = self.get(name).ok_or_else(|| {
                Error::Configuration(format!(
                    "set ai_gateway_url, or ai_gateway_account_id and ai_gateway_id: {name} is not set"
                ))
            })?;
            if is_alphanumeric_or(b"-_", value) {
                return Ok(value);
            }
            Err(wrong(name, "may contain only letters, digits, - and _"))
        };
        Ok(format!("/v1/{}/{}", id("ai_gateway_account_id")?, id("ai_gateway_id")?))
    }

    /// Reads a duration in seconds, at least one.
    fn seconds(&self, name: &'static str, default: u64) -> Result<Duration, Error> {
        self.number(name, default).map(Duration::from_secs)
    }

    /// Reads a number, at least one.
    ///
    /// # Errors
    /// [`Error::Configuration`] for anything else.
    pub(crate) fn number(&self, name: &'static str, default: u64) -> Result<u64, Error> {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        match value.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(wrong(name, "must be a whole number above 0")),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Settings(redacted)")
    }
}

impl fmt::Debug for AiGateway<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AiGateway")
            .field("authority", &self.authority)
            .field("base_path", &self.base_path)
            .finish_non_exhaustive()
    }
}

/// The origin of Cloudflare's AI Gateways.
const DEFAULT_HOST: &str = "https://gateway.ai.cloudflare.com";

fn wrong_url() -> Error {
    wrong("ai_gateway_url", "must be an http(s) URL")
}

/// Returns the path of `ai_gateway_url` without a slash at its end.
fn plain(path: &str) -> Result<String, Error> {
    let path = path.trim_end_matches('/');
    if check_path(path).is_err() || path.contains('?') {
        return Err(wrong("ai_gateway_url", "must have a plain path and no query"));
    }
    Ok(path.to_owned())
}

fn wrong(name: &str, rule: &str) -> Error {
    Error::Configuration(format!("{name} {rule}"))
}

/// Splits a URL into whether it is TLS, its authority, and the rest.
fn split_url(url: &str) -> Option<(bool, &str, &str)> {
    let (is_tls, rest) = match url.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, url.strip_prefix("http://")?),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = (rest.get(..end)?, rest.get(end..)?);
    let is_valid = !authority.contains('@') && authority.parse::<http::uri::Authority>().is_ok();
    is_valid.then_some((is_tls, authority, path))
}

fn with_port(is_tls: bool, authority: &str) -> String {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    let default = if is_tls { ":443" } else { ":80" };
    format!("{authority}{}", if has_port { "" } else { default })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &str = "ai_gateway_host=https://gateway.ai.cloudflare.com\n\
        ai_gateway_account_id=acc\nai_gateway_id=gw\nai_gateway_token=t0ken\n";

    fn gateway(lines: &str) -> Result<(bool, String, String), String> {
        let settings = Settings::from_lines(lines.to_owned());
        let gateway = settings.ai_gateway().map_err(|error| error.to_string())?;
        Ok((gateway.is_tls, gateway.authority.to_owned(), gateway.base_path))
    }

    #[test]
    fn get_treats_empty_as_not_set() {
        let settings = Settings::from_lines("a=1\n b = x=y \nc=\nd\n".to_owned());
        for (name, expected) in
            [("a", Some("1")), ("b", None), ("c", None), ("d", None), ("e", None)]
        {
            assert_eq!(settings.get(name), expected, "{name}");
        }
        assert_eq!(Settings::from_lines("k= x=y ".to_owned()).get("k"), Some("x=y"));
    }

    #[test]
    fn defaults_are_those_of_the_manifest() {
        let manifest = include_str!("../../../../spin.toml");
        assert!(
            manifest.contains(&format!(r#"ai_gateway_host = {{ default = "{DEFAULT_HOST}" }}"#))
        );
        let with_manifest = Settings::from_lines(format!("{COMPLETE}{manifest}"));
        let without = Settings::from_lines(COMPLETE.to_owned());
        for name in ["connect_timeout", "first_byte_timeout", "between_bytes_timeout"] {
            assert!(with_manifest.get(name).is_some(), "{name}");
        }
        let (declared, own) = (with_manifest.ai_gateway().unwrap(), without.ai_gateway().unwrap());
        assert_eq!(declared.timeouts, own.timeouts);
        assert_eq!((declared.max_body, declared.max_upload), (own.max_body, own.max_upload));
    }

    #[test]
    fn ai_gateway_takes_ids_or_a_url() {
        let by_ids = gateway(COMPLETE).unwrap();
        let host = "gateway.ai.cloudflare.com".to_owned();
        assert_eq!(by_ids, (true, host.clone(), "/v1/acc/gw".to_owned()));
        let url = "ai_gateway_url=https://Gateway.ai.cloudflare.com:443/v1/x/y/\n";
        assert_eq!(
            gateway(&format!("{COMPLETE}{url}")).unwrap(),
            (true, host, "/v1/x/y".to_owned())
        );
        let without_host = COMPLETE.replace("ai_gateway_host", "other");
        let path = "/v1/acc/gw".to_owned();
        let host = "gateway.ai.cloudflare.com".to_owned();
        assert_eq!(gateway(&without_host).unwrap(), (true, host, path));
        let url = "ai_gateway_url=http://h:9/v1/x\nai_gateway_token=t";
        assert_eq!(gateway(url).unwrap(), (false, "h:9".to_owned(), "/v1/x".to_owned()));
        let local = "ai_gateway_host=http://127.0.0.1:9\nai_gateway_url=http://127.0.0.1:9/\n\
            ai_gateway_token=t";
        assert_eq!(gateway(local).unwrap(), (false, "127.0.0.1:9".to_owned(), String::new()));
    }

    #[test]
    fn ai_gateway_names_the_setting_at_fault() {
        let host = "ai_gateway_host=https://h\nai_gateway_token=t\n";
        for (lines, expected) in [
            (String::new(), "ai_gateway_account_id is not set"),
            (host.replace("https://h", "h"), "ai_gateway_host must be an http(s) origin"),
            (host.replace("//h", "//h/v1"), "ai_gateway_host must not have a path"),
            (host.to_owned(), "ai_gateway_account_id is not set"),
            (format!("{host}ai_gateway_account_id=a"), "ai_gateway_id is not set"),
            (format!("{host}ai_gateway_account_id=a/.."), "ai_gateway_account_id may contain only"),
            (format!("{host}ai_gateway_url=ftp://h/"), "ai_gateway_url must be an http(s) URL"),
            (format!("{host}ai_gateway_url=http://h/"), "ai_gateway_url must be at"),
            (format!("{host}ai_gateway_url=https://h.evil/"), "ai_gateway_url must be at"),
            (format!("{host}ai_gateway_url=https://h:444/"), "ai_gateway_url must be at"),
            (format!("{host}ai_gateway_url=https://u@h/"), "ai_gateway_url must be an http(s) URL"),
            (format!("{host}ai_gateway_url=https://h/a/../b"), "ai_gateway_url must have a plain"),
            (format!("{host}ai_gateway_url=https://h/a?b"), "ai_gateway_url must have a plain"),
            (COMPLETE.replace("t0ken", ""), "ai_gateway_token is not set"),
            (COMPLETE.replace("t0ken", "t 1"), "ai_gateway_token must be visible"),
            (format!("{COMPLETE}connect_timeout=0"), "connect_timeout must be"),
            (format!("{COMPLETE}max_body_bytes=1MB"), "max_body_bytes must be"),
        ] {
            let error = gateway(&lines).unwrap_err();
            assert!(error.contains(expected), "{lines}: {error}");
        }
    }

    #[test]
    fn ai_gateway_has_defaults_for_time_and_size() {
        let settings = Settings::from_lines(format!("{COMPLETE}first_byte_timeout=5"));
        let gateway = settings.ai_gateway().unwrap();
        let seconds = Duration::from_secs;
        let expected =
            Timeouts { connect: seconds(10), first_byte: seconds(5), between_bytes: seconds(600) };
        assert_eq!((gateway.timeouts, gateway.max_body), (expected, 33_554_432));
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings = Settings::from_lines(COMPLETE.to_owned());
        let text = format!("{settings:?} {:?}", settings.ai_gateway().unwrap());
        assert!(!text.contains("t0ken"), "{text}");
    }
}
