//! The fields of a key that the admin may set, validated.

use std::time::Duration;

use gateway::ai_gateway::metadata::check_entry;
use gateway::http::json::{Members, from_bytes};
use gateway::keys::team::MetadataEntry;
use gateway::keys::time;
use gateway::{Error, Record, Scope};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::team_ids::is_visible;
use crate::{Action, limits};

// Maximum lengths of texts, in characters. openapi.json documents the same numbers.
const MAX_TEAM_ID: usize = 128;
const MAX_NAME: usize = 256;
const MAX_NOTE: usize = 1024;
const MAX_PATTERN: usize = 256;
const MAX_SLUG: usize = 64;
const MAX_ENTRY_NAME: usize = 64;

/// The maximum number of entries in a list.
const MAX_ENTRIES: usize = 64;

/// The longest lifetime of a key: ten years.
const MAX_TTL_SECONDS: u64 = 10 * 365 * 24 * 60 * 60;

/// The fields of a request that creates or updates a key.
///
/// An unknown field is an error: a misspelt `expiresAt` would otherwise create a key that never
/// expires.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Fields {
    /// Only for a new key: a key never changes its team.
    team_id: Option<String>,
    name: Patch<String>,
    limited: Patch<bool>,
    disabled: Patch<bool>,
    account: Patch<bool>,
    expires_at: Patch<String>,
    ttl_seconds: Patch<u64>,
    providers: Patch<Vec<String>>,
    models: Patch<Vec<String>>,
    metadata: Patch<Box<RawValue>>,
    limits: Patch<Box<RawValue>>,
    log_payloads: Patch<bool>,
    byok_alias: Patch<String>,
    note: Patch<String>,
}

/// The change to one field.
#[derive(Default)]
enum Patch<T> {
    /// The field is absent: keep its value.
    #[default]
    Keep,
    /// The field is `null`: clear it.
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// Applies the change to the field's `current` value.
    fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    // Only called for a field that is present, so `None` is `null`. `Keep` is the default.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}

impl Fields {
    /// Takes the id of the team that a new key is for.
    ///
    /// # Errors
    /// A client error if it is missing or invalid.
    pub(crate) fn take_team_id(&mut self) -> Result<String, Error> {
        let team_id = self.team_id.take().ok_or_else(|| invalid("teamId", "is missing"))?;
        check_team_id(&team_id).map(|()| team_id)
    }

    /// Applies all changes to `record`, or none.
    ///
    /// # Errors
    /// A client error that names the field.
    pub(crate) fn apply(self, record: &mut Record, action: &Action<'_>) -> Result<(), Error> {
        // Still here only in an update: a creation takes it first.
        if self.team_id.is_some() {
            return Err(invalid("teamId", "cannot be changed"));
        }
        let before = record.clone();
        let expires_at = read_expiry(self.expires_at, self.ttl_seconds, action)?;
        // A name is always there, so clearing it falls back to the team's id.
        let name = self.name.apply(Some(before.name)).unwrap_or(before.team_id);
        let note = self.note.apply(before.note);
        let providers = self.providers.apply(before.scope.providers);
        let models = self.models.apply(before.scope.models);
        check_text("name", &name, MAX_NAME)?;
        note.as_ref().map_or(Ok(()), |note| check_text("note", note, MAX_NOTE))?;
        let byok_alias = self.byok_alias.apply(before.byok_alias);
        if !byok_alias.as_deref().is_none_or(is_alias) {
            return Err(invalid("byokAlias", "must be 1 to 64 letters, digits, `-` or `_`"));
        }
        check_list("providers", providers.as_deref(), is_slug, "a route prefix, like `openai`")?;
        check_list("models", models.as_deref(), is_pattern, "a pattern of 1 to 256 characters")?;
        let limits = match self.limits {
            Patch::Keep => before.limits,
            Patch::Clear => None,
            Patch::Set(limits) => limits::read(&limits)?,
        };
        // The last check belongs to the first assignment, so a failure leaves `record` unchanged.
        record.tag = match self.metadata {
            Patch::Keep => before.tag,
            Patch::Clear => None,
            Patch::Set(metadata) => Some(read_metadata(&metadata)?),
        };
        (record.name, record.note, record.limits) = (name, note, limits);
        record.scope = Scope { providers, models };
        record.expires_at = expires_at.apply(before.expires_at);
        record.limited = self.limited.apply(Some(before.limited)).unwrap_or_default();
        record.byok_alias = byok_alias;
        record.log_payloads = self.log_payloads.apply(Some(before.log_payloads)).unwrap_or(true);
        record.account = self.account.apply(Some(before.account)).unwrap_or_default();
        record.disabled = self.disabled.apply(Some(before.disabled)).unwrap_or_default();
        Ok(())
    }
}

/// Checks the id of a team.
///
/// # Errors
/// A client error that says what is wrong.
pub(crate) fn check_team_id(team_id: &str) -> Result<(), Error> {
    check_text("teamId", team_id, MAX_TEAM_ID)?;
    if is_visible(team_id) {
        return Ok(());
    }
    Err(invalid("teamId", "must not have a space at an end, or an invisible character"))
}

/// Reads the expiry, given as a time or as a lifetime.
fn read_expiry(
    expires_at: Patch<String>,
    ttl_seconds: Patch<u64>,
    action: &Action<'_>,
) -> Result<Patch<String>, Error> {
    let now = action.context.now;
    let end = match (expires_at, ttl_seconds) {
        (Patch::Set(_), Patch::Set(_)) => {
            return Err(invalid("ttlSeconds", "cannot be combined with `expiresAt`"));
        }
        (Patch::Set(text), _) => {
            let rule = "must be a time in UTC, like 2030-01-31T12:00:00Z";
            time::parse(&text).ok_or_else(|| invalid("expiresAt", rule))?
        }
        (_, Patch::Set(seconds)) if (1..=MAX_TTL_SECONDS).contains(&seconds) => {
            now + Duration::from_secs(seconds)
        }
        (_, Patch::Set(_)) => {
            let rule = format!("must be between 1 and {MAX_TTL_SECONDS} (ten years)");
            return Err(invalid("ttlSeconds", &rule));
        }
        (Patch::Keep, Patch::Keep) => return Ok(Patch::Keep),
        _ => return Ok(Patch::Clear),
    };
    if end <= now {
        return Err(invalid("expiresAt", "must be in the future: use DELETE to revoke a key now"));
    }
    // Normalised: expiries are compared as texts, with one another and with the time of a request.
    Ok(Patch::Set(time::rfc3339(end)))
}

/// Reads a JSON body; an empty one is equivalent to an empty object.
///
/// # Errors
/// A client error that says what is wrong.
pub(crate) fn read_body<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Error> {
    let invalid = |problem: &str| {
        let message = format!("invalid body, see /tokens/openapi.json: {problem}");
        Error::InvalidBody { message, param: None }
    };
    let body = if body.is_empty() { b"{}" } else { body };
    // Serde would also read an array, taking its entries as the fields in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(invalid("not a JSON object"));
    }
    from_bytes(body).map_err(|error| invalid(&describe(&error)))
}

/// Describes a JSON error without the values in it: the message is logged, and they may be anything.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let names_a_field = ["unknown field", "missing field", "duplicate field"]
        .iter()
        .any(|start| text.starts_with(start));
    if names_a_field {
        let name = text.split('`').nth(1).unwrap_or_default();
        // An unknown name is also the client's choice: shortened, and without special characters.
        let name: String =
            name.chars().take(MAX_ENTRY_NAME).filter(char::is_ascii_alphanumeric).collect();
        return format!("{} `{name}`", text.split('`').next().unwrap_or_default().trim());
    }
    format!("error at line {} column {}", error.line(), error.column())
}

fn invalid(param: &'static str, rule: &str) -> Error {
    Error::invalid_param(param, format!("`{param}` {rule}"))
}

/// Checks a text that goes into logs and headers: it must not be blank, and must be one line.
fn check_text(param: &'static str, text: &str, max_length: usize) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(invalid(param, "must not be empty"));
    }
    if text.chars().count() > max_length {
        return Err(invalid(param, &format!("must be at most {max_length} characters long")));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(param, "must not contain control characters"));
    }
    Ok(())
}

/// Checks the length of a list, and that each entry is a valid `what`.
fn check_list(
    param: &'static str,
    list: Option<&[String]>,
    is_valid: impl Fn(&str) -> bool,
    what: &str,
) -> Result<(), Error> {
    let list = list.unwrap_or_default();
    if list.len() > MAX_ENTRIES {
        return Err(invalid(param, &format!("must have at most {MAX_ENTRIES} entries")));
    }
    if list.iter().all(|entry| is_valid(entry)) {
        return Ok(());
    }
    Err(invalid(param, &format!("has an invalid entry: each must be {what}")))
}

/// Checks whether `text` has the form of a route prefix. Whether the provider exists is not known
/// here: only spin.toml lists providers.
fn is_slug(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_SLUG).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Checks whether `text` can name a credential in the AI Gateway.
fn is_alias(text: &str) -> bool {
    (1..=MAX_SLUG).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_pattern(text: &str) -> bool {
    check_text("models", text, MAX_PATTERN).is_ok()
}

/// Reads the team's metadata entry: Cloudflare accepts five, and the gateway uses four of them.
fn read_metadata(metadata: &RawValue) -> Result<MetadataEntry, Error> {
    let wrong_form =
        || invalid("metadata", "must be an object with one entry, a string, number or boolean");
    let Members(members) = serde_json::from_str(metadata.get()).map_err(|_| wrong_form())?;
    let [(name, value)] = members.as_slice() else {
        return Err(wrong_form());
    };
    check_entry(name, value).map_err(|rule| invalid("metadata", rule))?;
    Ok(MetadataEntry { name: name.to_string(), value: (*value).to_owned() })
}
