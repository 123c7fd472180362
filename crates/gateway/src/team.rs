//! Teams, as a request meets them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::Cause;
use crate::json::from_bytes;
use crate::key::is_same_secret;
use crate::{ApiKey, Error, KeyId, Scope, Store};

/// The version of the records that are read and written.
pub(crate) const VERSION: u32 = 1;

/// The team a key belongs to: of the key's [`Record`](crate::Record), what decides on requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    #[serde(default = "version")]
    pub(crate) v: u32,
    pub(crate) hash: String,
    /// Who a request is attributed to.
    pub team_id: String,
    /// Whether the team is held to the operator's choice of models.
    pub limited: bool,
    /// When the key ends, RFC 3339 with milliseconds, so that two of them compare as text.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Whether the key opens nothing for the time being.
    #[serde(default)]
    pub disabled: bool,
    /// What the key may be used for.
    #[serde(default)]
    pub scope: Scope,
    /// The team's own entry of `cf-aig-metadata`.
    #[serde(default)]
    pub tag: Option<Tag>,
}

/// A name and a string, number or boolean as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tag {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Box<RawValue>,
}

/// A record without a version is one of the first.
pub(crate) fn version() -> u32 {
    VERSION
}

impl Team {
    /// Finds the team of `key`, with one read of the store.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if the key opens nothing at `now`; a failing or unreadable store is
    /// never that.
    pub fn find(store: &dyn Store, key: &ApiKey, now: &str) -> Result<Self, Error> {
        let bytes = store.get(&key.id().store_key())?.ok_or(Error::InvalidKey)?;
        let team: Self = from_bytes(&bytes).map_err(|error| unreadable(&error))?;
        check_version(team.v)?;
        let is_same = is_same_secret(&team.hash, key.hash().as_str());
        if is_same && team.is_open(now) { Ok(team) } else { Err(Error::InvalidKey) }
    }

    /// Whether the key opens anything at `now`.
    pub fn is_open(&self, now: &str) -> bool {
        !self.disabled && self.expires_at.as_deref().is_none_or(|end| now < end)
    }

    /// The key's public id.
    pub fn id(&self) -> &str {
        self.hash.get(..KeyId::LENGTH).unwrap_or(&self.hash)
    }

    /// A fixed-length name for the team's part of the cache, whatever its id contains.
    pub fn cache_scope(&self) -> String {
        let digest = hex::encode(Sha256::digest(self.team_id.as_bytes()));
        digest.get(..KeyId::LENGTH).unwrap_or(&digest).to_owned()
    }
}

pub(crate) fn unreadable(error: &serde_json::Error) -> Error {
    corrupt(&format!("see its column {}", error.column()))
}

/// Refuses a record that a newer gateway has written: read as an old one, it might allow too much.
pub(crate) fn check_version(v: u32) -> Result<(), Error> {
    if v == VERSION { Ok(()) } else { Err(corrupt(&format!("its version is {v}"))) }
}

fn corrupt(what: &str) -> Error {
    Error::CorruptRecord(Cause(what.to_owned()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Record;
    use crate::store::Memory;

    const NOW: &str = "2026-06-01T00:00:00.000Z";

    pub(crate) fn key() -> ApiKey {
        ApiKey::from_random([1; 32])
    }

    pub(crate) fn record(team_id: &str) -> Record {
        Record::new(&key(), team_id.to_owned(), "2026-01-01T00:00:00.000Z".to_owned())
    }

    pub(crate) fn team(team_id: &str) -> Team {
        record(team_id).team()
    }

    pub(crate) fn limited(team_id: &str) -> Team {
        Team { limited: true, ..team(team_id) }
    }

    #[test]
    fn find_reads_what_a_record_says() {
        let store = Memory::default();
        let mut record = record("blue");
        record.scope = Scope { providers: Some(vec!["a".to_owned()]), models: None };
        record.save(&store).unwrap();
        let found = Team::find(&store, &key(), NOW).unwrap();
        assert_eq!((found.team_id.as_str(), found.id()), ("blue", key().id().as_str()));
        assert_eq!(found.scope, record.scope);
    }

    #[test]
    fn find_refuses_a_key_that_shares_only_its_id() {
        let store = Memory::default();
        let stranger = ApiKey::from_random([2; 32]);
        let record = serde_json::to_vec(&record("blue")).unwrap();
        store.set(&stranger.id().store_key(), &record).unwrap();
        assert!(matches!(Team::find(&store, &stranger, NOW), Err(Error::InvalidKey)));
    }

    #[test]
    fn find_tells_unknown_from_unreadable_from_unavailable() {
        let store = Memory::default();
        assert!(matches!(Team::find(&store, &key(), NOW), Err(Error::InvalidKey)));
        store.set(&key().id().store_key(), b"{").unwrap();
        assert!(matches!(Team::find(&store, &key(), NOW), Err(Error::CorruptRecord(_))));
        store.fail();
        assert!(matches!(Team::find(&store, &key(), NOW), Err(Error::StoreUnavailable(_))));
    }

    #[test]
    fn a_key_opens_nothing_once_it_is_over() {
        let mut record = record("blue");
        for (expires_at, disabled, expected) in [
            (None, false, true),
            (None, true, false),
            (Some("2026-06-01T00:00:00.001Z"), false, true),
            (Some("2026-06-01T00:00:00.001Z"), true, false),
            (Some(NOW), false, false),
            (Some("2026-05-31T23:59:59.999Z"), false, false),
        ] {
            record.expires_at = expires_at.map(str::to_owned);
            record.disabled = disabled;
            let store = Memory::default();
            record.save(&store).unwrap();
            let found = Team::find(&store, &key(), NOW);
            assert_eq!(found.is_ok(), expected, "{expires_at:?} {disabled}");
            assert!(expected || matches!(found, Err(Error::InvalidKey)));
        }
    }

    #[test]
    fn a_record_of_before_still_opens_and_one_of_tomorrow_is_refused() {
        let store = Memory::default();
        let hash = key().hash().as_str().to_owned();
        let members = r#""teamId":"blue","name":"n","limited":false,"createdAt":"x""#;
        let save = |version: &str| {
            let record = format!(r#"{{{version}"hash":"{hash}",{members}}}"#);
            store.set(&key().id().store_key(), record.as_bytes()).unwrap();
        };
        save("");
        assert!(Team::find(&store, &key(), NOW).unwrap().scope.is_open());
        assert!(Record::read(&store, &key().id()).unwrap().is_some());
        save(r#""v":2,"#);
        let errors = [
            Team::find(&store, &key(), NOW).unwrap_err(),
            Record::read(&store, &key().id()).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::CorruptRecord(_)));
            assert!(error.chain().contains("its version is 2"), "{}", error.chain());
        }
    }
}
