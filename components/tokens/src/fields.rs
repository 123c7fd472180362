//! What an admin may say of a key, checked.

use std::time::Duration;

use gateway::json::{Members, from_bytes};
use gateway::metadata::OURS;
use gateway::team::Tag;
use gateway::{Error, Record, Scope, time};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::Act;

/// Characters a text may have.
const TEAM_ID: usize = 128;
const NAME: usize = 256;
const NOTE: usize = 1024;
const PATTERN: usize = 256;
const TAG: usize = 64;

/// Entries a list may have.
const ENTRIES: usize = 64;

/// Seconds a key may live: ten years.
const LONGEST: u64 = 10 * 365 * 24 * 60 * 60;

/// The fields of a new key, and of a change to one.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Fields {
    /// Of a new key only: it says whose the key is.
    team_id: Option<String>,
    name: Said<String>,
    limited: Said<bool>,
    disabled: Said<bool>,
    expires_at: Said<String>,
    ttl_seconds: Said<u64>,
    providers: Said<Vec<String>>,
    models: Said<Vec<String>>,
    metadata: Said<Box<RawValue>>,
    note: Said<String>,
}

/// What is said of a field.
#[derive(Default)]
enum Said<T> {
    /// Nothing: it stays as it is.
    #[default]
    Nothing,
    /// `null`: what was said before is taken back.
    Back,
    To(T),
}

impl<T> Said<T> {
    /// The field's value, where `before` was its value before.
    fn or(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => before,
            Self::Back => None,
            Self::To(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Back, Self::To))
    }
}

impl Fields {
    /// The id of the team that a new key is for.
    ///
    /// # Errors
    /// A client's error if there is none.
    pub(crate) fn team(&mut self) -> Result<String, Error> {
        let team_id = self.team_id.take().ok_or_else(|| invalid("teamId", "is missing"))?;
        check_text("teamId", &team_id, TEAM_ID)?;
        Ok(team_id)
    }

    /// Sets in `record` what is said, all of it or nothing.
    ///
    /// # Errors
    /// A client's error that names the field.
    pub(crate) fn apply(self, record: &mut Record, act: &Act<'_>) -> Result<(), Error> {
        if self.team_id.is_some() {
            return Err(invalid("teamId", "cannot be changed"));
        }
        let before = record.clone();
        let expires_at = read_end(self.expires_at, self.ttl_seconds, act)?;
        let name = self.name.or(Some(before.name)).unwrap_or(before.team_id);
        let note = self.note.or(before.note);
        let providers = self.providers.or(before.scope.providers);
        let models = self.models.or(before.scope.models);
        check_text("name", &name, NAME)?;
        note.as_ref().map_or(Ok(()), |note| check_text("note", note, NOTE))?;
        check_list("providers", providers.as_deref(), is_slug)?;
        check_list("models", models.as_deref(), is_pattern)?;
        record.tag = match self.metadata {
            Said::Nothing => before.tag,
            Said::Back => None,
            Said::To(metadata) => Some(read_tag(&metadata)?),
        };
        (record.name, record.note) = (name, note);
        record.scope = Scope { providers, models };
        record.expires_at = expires_at.or(before.expires_at);
        record.limited = self.limited.or(Some(before.limited)).unwrap_or_default();
        record.disabled = self.disabled.or(Some(before.disabled)).unwrap_or_default();
        Ok(())
    }
}

/// The end that is asked for, as a time or from now on.
fn read_end(
    expires_at: Said<String>,
    ttl_seconds: Said<u64>,
    act: &Act<'_>,
) -> Result<Said<String>, Error> {
    let now = act.context.now;
    let end = match (expires_at, ttl_seconds) {
        (Said::To(_), Said::To(_)) => {
            return Err(invalid("ttlSeconds", "must not be given together with `expiresAt`"));
        }
        (Said::To(text), _) => {
            let rule = "must be a time in UTC, like 2030-01-31T12:00:00Z";
            time::parse(&text).ok_or_else(|| invalid("expiresAt", rule))?
        }
        (_, Said::To(seconds)) if (1..=LONGEST).contains(&seconds) => {
            now + Duration::from_secs(seconds)
        }
        (_, Said::To(_)) => {
            return Err(invalid("ttlSeconds", "must be between 1 and the seconds of ten years"));
        }
        (Said::Nothing, Said::Nothing) => return Ok(Said::Nothing),
        _ => return Ok(Said::Back),
    };
    if end <= now {
        return Err(invalid("expiresAt", "must be in the future: use DELETE to end a key now"));
    }
    Ok(Said::To(time::rfc3339(end)))
}

/// Reads a body; an empty one is as good as an empty object.
///
/// # Errors
/// A client's error that says what is wrong.
pub(crate) fn read_body<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Error> {
    let wrong = |what: &str| {
        let message = format!("the body is not what /tokens/openapi.json says: {what}");
        Error::InvalidBody { message, param: None }
    };
    let body = if body.is_empty() { b"{}" } else { body };
    // An array would be read as an object whose members come without names.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(wrong("it is no object"));
    }
    from_bytes(body).map_err(|error| wrong(&problem(&error)))
}

/// What is wrong, without the values, which may be anything: they would get into the log.
fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let is_about_a_name = ["unknown field", "missing field", "duplicate field"]
        .iter()
        .any(|start| text.starts_with(start));
    if is_about_a_name {
        let name = text.split('`').nth(1).unwrap_or_default();
        let known: String = name.chars().take(TAG).filter(char::is_ascii_alphanumeric).collect();
        return format!("{} `{known}`", text.split('`').next().unwrap_or_default().trim());
    }
    format!("see line {} column {}", error.line(), error.column())
}

pub(crate) fn invalid(param: &'static str, what: &str) -> Error {
    Error::invalid_param(param, format!("`{param}` {what}"))
}

/// Texts go into logs and headers: they must be there, and be one line.
fn check_text(param: &'static str, text: &str, limit: usize) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(invalid(param, "must not be empty"));
    }
    if text.chars().count() > limit {
        return Err(invalid(param, &format!("may have at most {limit} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(param, "must not have control characters"));
    }
    Ok(())
}

fn check_list(
    param: &'static str,
    list: Option<&[String]>,
    is_right: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let list = list.unwrap_or_default();
    if list.len() > ENTRIES {
        return Err(invalid(param, &format!("may have at most {ENTRIES} entries")));
    }
    if list.iter().all(|entry| is_right(entry)) {
        return Ok(());
    }
    Err(invalid(param, "has an entry that cannot be one"))
}

/// Whether `text` may be a route prefix.
fn is_slug(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=TAG).contains(&text.len()) && text.bytes().all(is_plain)
}

fn is_pattern(text: &str) -> bool {
    check_text("models", text, PATTERN).is_ok()
}

/// Whether the JSON `value` is a boolean, or a number or string of no more than a pattern's length.
fn is_short_scalar(value: &str) -> bool {
    match value.bytes().next() {
        Some(b'"') => {
            serde_json::from_str::<String>(value).is_ok_and(|text| text.chars().count() <= PATTERN)
        }
        Some(b'{' | b'[' | b'n') => false,
        _ => value.len() <= PATTERN,
    }
}

/// Reads an object of one scalar: Cloudflare takes five entries, and four are the gateway's.
fn read_tag(metadata: &RawValue) -> Result<Tag, Error> {
    let wrong = || invalid("metadata", "must be an object of one string, number or boolean");
    let Members(members) = serde_json::from_str(metadata.get()).map_err(|_| wrong())?;
    let [(name, value)] = members.as_slice() else {
        return Err(wrong());
    };
    if !is_short_scalar(value.get()) || check_text("metadata", name, TAG).is_err() {
        return Err(wrong());
    }
    if OURS.contains(&&**name) {
        return Err(invalid("metadata", "must not be named like an entry of the gateway's own"));
    }
    Ok(Tag { name: name.to_string(), value: (*value).to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_scalar_is_counted_in_characters() {
        let string = |character: &str, count| format!("\"{}\"", character.repeat(count));
        for (value, expected) in [
            ("true".to_owned(), true),
            ("-1.5e3".to_owned(), true),
            ("9".repeat(257), false),
            (string("a", 256), true),
            (string("a", 257), false),
            (string("\\ud83d\\ude00", 256), true),
            (string("\\ud83d\\ude00", 257), false),
            ("null".to_owned(), false),
            ("[1]".to_owned(), false),
            ("{}".to_owned(), false),
        ] {
            assert_eq!(is_short_scalar(&value), expected, "{value}");
        }
    }
}
