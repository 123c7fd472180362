//! `cf-aig-metadata`: the team that a request is attributed to.
//!
//! Cloudflare keeps the first five entries of a flat JSON object, and silently drops all of them if
//! one is `null` or an object, so what a client adds is checked here.
//! <https://developers.cloudflare.com/ai-gateway/configuration/custom-metadata/>

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::value::{RawValue, to_raw_value};

use crate::http::json::{Members, from_bytes};
use crate::{Error, Team};

const HEADER: &str = "cf-aig-metadata";

/// The gateway's own names. A client's values for them are replaced.
pub const OURS: [&str; 4] = ["team_id", "model", "original_model", "key_id"];

/// How many entries a client may add: the gateway uses four of Cloudflare's five.
const CLIENT_ENTRIES: usize = 1;

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
    let mut text = String::from("{");
    for (name, value) in ours {
        if let Some(value) = value.and_then(|value| to_raw_value(value).ok()) {
            push_entry(&mut text, name, &value);
        }
    }
    if let Some((name, value)) = own.or(client) {
        push_entry(&mut text, &name, value);
    }
    text.push('}');
    Ok(to_ascii(&text))
}

fn push_entry(text: &mut String, name: &str, value: &RawValue) {
    let separator = if text.len() > 1 { "," } else { "" };
    // Neither writing to a string nor serialising one can fail.
    if let Ok(name) = to_raw_value(name) {
        let _ = write!(text, "{separator}{name}:{value}");
    }
}

/// A name and its value.
type Entry<'a> = (Cow<'a, str>, &'a RawValue);

/// Returns the client's entry that is not one of the gateway's. There is no room for it if the key
/// has an entry of its own.
fn client_entry<'a>(value: &'a [u8], own: Option<&Entry<'_>>) -> Result<Option<Entry<'a>>, Error> {
    let refuse = |message| Err(Error::invalid_header(HEADER, message));
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
    let is_scalar = |value: &RawValue| !value.get().starts_with(['{', '[', 'n']);
    if !entries.iter().all(|(_, value)| is_scalar(value)) {
        return refuse("`cf-aig-metadata` values must be strings, numbers or booleans");
    }
    Ok(entries.pop())
}

/// Escapes what a header value should not contain, as JSON allows in strings.
fn to_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && !character.is_ascii_control() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
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
        for client in ["", "1", "[]", "x=1", r#"{"a":1,"b":2}"#, r#"{"a":null}"#, r#"{"a":[1]}"#] {
            let outcome = merged(client);
            assert!(matches!(outcome, Err(Error::InvalidHeader { .. })), "{client}");
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
