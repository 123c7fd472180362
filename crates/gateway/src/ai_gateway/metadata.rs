//! `cf-aig-metadata`: the team that a request is attributed to.
//!
//! Cloudflare keeps the first five entries of a flat JSON object, and silently drops all of them if
//! one is `null` or an object, so what a client adds is checked here.
//! <https://developers.cloudflare.com/ai-gateway/configuration/custom-metadata/>

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::http::json::{Members, Text, from_bytes, push_ascii, to_ascii};
use crate::{Error, Team};

const HEADER: &str = "cf-aig-metadata";

/// The gateway's own names. A client's values for them are replaced.
pub const OURS: [&str; 4] = ["team_id", "model", "original_model", "key_id"];

/// How many entries a client may add: the gateway uses four of Cloudflare's five.
const CLIENT_ENTRIES: usize = 1;

/// The maximum length of an entry's name and of a string, in characters.
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 256;

/// The maximum length of a number, in digits.
const MAX_NUMBER: usize = 32;

/// The two models of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Models<'a> {
    /// The one the client requested.
    pub original: Option<&'a str>,
    /// The one requested from the provider.
    pub sent: Option<&'a str>,
}

/// Merges the gateway's entries with the key's own one, or with the client's.
///
/// # Errors
/// [`Error::InvalidHeader`] if the client's value would make Cloudflare drop entries.
pub fn merge(team: &Team, models: Models<'_>, client: Option<&[u8]>) -> Result<String, Error> {
    let own = team.tag.as_ref().map(|entry| (Cow::Borrowed(entry.name.as_str()), &*entry.value));
    let client = client.map(|value| client_entry(value, own.as_ref())).transpose()?.flatten();
    let ours = [
        ("team_id", Some(team.team_id.as_str())),
        ("key_id", Some(team.id())),
        ("model", models.sent),
        ("original_model", models.original),
    ];
    let mut text = String::new();
    for (name, value) in ours {
        if let Some(value) = value {
            push_name(&mut text, name);
            push_ascii(&mut text, value);
        }
    }
    if let Some((name, value)) = own.or(client) {
        push_name(&mut text, &name);
        text.push_str(&to_ascii(value.get()));
    }
    text.push('}');
    Ok(text)
}

/// Appends the name of the next entry.
fn push_name(text: &mut String, name: &str) {
    text.push(if text.is_empty() { '{' } else { ',' });
    push_ascii(text, name);
    text.push(':');
}

/// A name and its value.
type Entry<'a> = (Cow<'a, str>, &'a RawValue);

/// Returns the client's entry that is not one of the gateway's. There is no room for it if the key
/// has an entry of its own.
fn client_entry<'a>(value: &'a [u8], own: Option<&Entry<'_>>) -> Result<Option<Entry<'a>>, Error> {
    let refuse = |message: &str| Err(Error::invalid_header(HEADER, message));
    let Ok(Members(mut entries)) = from_bytes(value) else {
        return refuse("`cf-aig-metadata` must be a flat JSON object");
    };
    entries.retain(|(name, _)| !OURS.contains(&&**name) && own.is_none_or(|(own, _)| own != name));
    if own.is_some() && !entries.is_empty() {
        return refuse(
            "`cf-aig-metadata` cannot add an entry: this key already sets the fifth and last one",
        );
    }
    if entries.len() > CLIENT_ENTRIES {
        return refuse(
            "`cf-aig-metadata` may contain one entry: the gateway uses four of Cloudflare's five",
        );
    }
    let rule = entries.first().and_then(|(name, value)| check_entry(name, value).err());
    match rule {
        Some(rule) => refuse(&format!("an entry of `cf-aig-metadata` {rule}")),
        None => Ok(entries.pop()),
    }
}

/// Checks an entry that is sent next to the gateway's own.
///
/// # Errors
/// The rule that it breaks, as the end of a sentence.
pub fn check_entry(name: &str, value: &RawValue) -> Result<(), &'static str> {
    // A log may be searched without regard to case.
    if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        return Err(
            "must not use a name of the gateway's own: team_id, model, original_model, key_id",
        );
    }
    if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control)
    {
        return Err("must have a name of 1 to 64 characters");
    }
    if is_short_scalar(value.get()) {
        return Ok(());
    }
    Err("must be a string of at most 256 characters, a number of at most 32 digits, or a boolean")
}

/// Checks whether the JSON `value` is a boolean, or a string or number that is not too long.
fn is_short_scalar(value: &str) -> bool {
    match value.bytes().next() {
        // Parsed, because a lone surrogate is valid JSON but no text.
        Some(b'"') => serde_json::from_str::<Text<'_>>(value)
            .is_ok_and(|text| text.chars().count() <= MAX_VALUE),
        Some(b't' | b'f') => true,
        Some(b'{' | b'[' | b'n') | None => false,
        Some(_) => is_short_number(value),
    }
}

/// Checks whether a number is in the range of JavaScript's: one outside of it is read as infinite, which
/// is written as `null`.
fn is_short_number(value: &str) -> bool {
    let exponent = value.split_once(['e', 'E']).map_or("", |(_, exponent)| exponent);
    value.len() <= MAX_NUMBER && exponent.trim_start_matches(['+', '-', '0']).len() <= 2
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::keys::team::tests::team;

    const MODELS: Models<'_> = Models { original: Some("a"), sent: Some("b") };

    fn merged(client: &str) -> Result<Value, Error> {
        let text = merge(&team("blue"), MODELS, Some(client.as_bytes()))?;
        Ok(serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn merge_attributes_to_the_team() {
        let team = team("blue");
        let text = merge(&team, MODELS, None).unwrap();
        let expected = serde_json::json!({
            "team_id": "blue", "key_id": team.id(), "model": "b", "original_model": "a",
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        let text = merge(&team, Models::default(), None).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap().as_object().unwrap().len(), 2);
    }

    #[test]
    fn merge_adds_one_scalar_of_the_clients() {
        for (client, expected) in
            [(r#"{"run":"x"}"#, "\"x\""), (r#"{"run":7.5}"#, "7.5"), (r#"{"run":true}"#, "true")]
        {
            assert_eq!(merged(client).unwrap()["run"].to_string(), expected, "{client}");
        }
    }

    #[test]
    fn merge_keeps_its_own_entries() {
        let value = merged(r#"{"team_id":"red","key_id":null,"model":{},"run":1}"#).unwrap();
        assert_eq!((&value["team_id"], &value["model"]), (&"blue".into(), &"b".into()));
        assert_eq!(value.as_object().unwrap().len(), 5);
    }

    #[test]
    fn merge_rejects_what_would_lose_entries() {
        for client in [
            "",
            "1",
            "[]",
            "x=1",
            r#"{"a":1,"b":2}"#,
            r#"{"a":null}"#,
            r#"{"a":[1]}"#,
            r#"{"Key_Id":1}"#,
            r#"{"\ud800":1}"#,
            r#"{"a":1e999}"#,
        ] {
            let outcome = merged(client);
            assert!(matches!(outcome, Err(Error::InvalidHeader { .. })), "{client}");
        }
    }

    #[test]
    fn check_entry_accepts_short_scalars() {
        let string = |character: &str, count| format!("\"{}\"", character.repeat(count));
        for (value, expected) in [
            ("true".to_owned(), true),
            ("-1.5e3".to_owned(), true),
            ("1E+99".to_owned(), true),
            ("1e-0099".to_owned(), true),
            ("1e999".to_owned(), false),
            ("-1e400".to_owned(), false),
            ("9".repeat(32), true),
            ("9".repeat(33), false),
            (string("a", 256), true),
            (string("a", 257), false),
            (string("\\ud83d\\ude00", 256), true),
            (string("\\ud83d\\ude00", 257), false),
            ("\"\\ud800\"".to_owned(), false),
            ("\"\\udc00x\"".to_owned(), false),
            ("null".to_owned(), false),
            ("[1]".to_owned(), false),
            ("{}".to_owned(), false),
        ] {
            let value: &RawValue = serde_json::from_str(&value).unwrap();
            assert_eq!(check_entry("run", value).is_ok(), expected, "{value}");
        }
    }

    #[test]
    fn check_entry_rejects_a_name_like_the_gateways() {
        let value: &RawValue = serde_json::from_str("1").unwrap();
        let long = "x".repeat(65);
        for (name, expected) in [
            ("run", true),
            ("Team_ID", false),
            ("MODEL", false),
            ("key_id", false),
            ("", false),
            (" ", false),
            ("a\n", false),
            (&long, false),
        ] {
            assert_eq!(check_entry(name, value).is_ok(), expected, "{name}");
        }
    }

    #[test]
    fn merge_returns_a_legal_header_value() {
        let text = merge(&team("bläu🦀\u{7f}\n"), Models::default(), None).unwrap();
        assert!(text.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["team_id"], "bläu🦀\u{7f}\n");
    }
}
