//! The part of a key's record that decides on requests.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::Cause;
use crate::http::json::from_bytes;
use crate::keys::api_key::is_same_secret;
use crate::limits::rules::Limits;
use crate::{ApiKey, Error, KeyId, Scope, Store};

/// The version of the records that this code reads and writes.
pub(crate) const VERSION: u32 = 1;

/// The team a key belongs to: the part of the key's [`Record`](crate::Record) that decides on
/// requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the record")]
pub struct Team {
    #[serde(default = "version")]
    pub(crate) v: u32,
    pub(crate) hash: String,
    /// The team that requests are attributed to.
    pub team_id: String,
    /// Whether the team is restricted to the operator's `limited_models`.
    pub limited: bool,
    /// When the key expires, RFC 3339 with milliseconds, so that two of them compare as text.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Whether the key is temporarily disabled: requests get 401.
    #[serde(default)]
    pub disabled: bool,
    /// What the key may be used for.
    #[serde(default)]
    pub scope: Scope,
    /// Whether the key may call operations on a provider's whole account.
    #[serde(default)]
    pub account: bool,
    /// The team's own entry in `cf-aig-metadata`.
    #[serde(default)]
    pub tag: Option<MetadataEntry>,
    /// Whether the AI Gateway may keep prompts and responses in its log.
    #[serde(default = "kept")]
    pub log_payloads: bool,
    /// Which of a provider's credentials in the AI Gateway is used.
    #[serde(default)]
    pub byok_alias: Option<String>,
    /// What the key may use.
    #[serde(default)]
    pub limits: Option<Limits>,
    /// Whether there are limits of the whole team.
    #[serde(default)]
    pub has_team_limits: bool,
    /// The id of the first key of this lineage, if that is another.
    #[serde(default)]
    pub(crate) lineage: Option<String>,
    /// The id of the key that this one replaces.
    #[serde(default)]
    pub(crate) replaces: Option<String>,
}

/// An entry of `cf-aig-metadata`: a name, and a string, number or boolean as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MetadataEntry {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Box<RawValue>,
}

/// Returns the version of a record that names none: the first releases wrote no version.
pub(crate) fn version() -> u32 {
    VERSION
}

/// Returns whether payloads are logged for a record that does not say.
pub(crate) fn kept() -> bool {
    true
}

impl Team {
    /// Finds the team of `key`, with one read of the store.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if the key is not valid at `now`. A store failure is never reported as
    /// an invalid key.
    pub fn find(store: &dyn Store, key: &ApiKey, now: &str) -> Result<Self, Error> {
        let bytes = store.get(&key.id().store_key())?.ok_or(Error::InvalidKey)?;
        let team: Self = from_bytes(&bytes).map_err(|error| unreadable(&error))?;
        check_version(team.v)?;
        team.check(key, now)?;
        Ok(team)
    }

    /// Checks that `key` is the one this team's record was written for, and that it is active at
    /// `now`. This is the one place where that is decided.
    ///
    /// The whole hash is compared, because the id by which the record was found is only half of it.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] in every other case, so that a client cannot distinguish an unknown key
    /// from an expired or disabled one.
    pub(crate) fn check(&self, key: &ApiKey, now: &str) -> Result<(), Error> {
        let is_same = is_same_secret(&self.hash, key.hash().as_str());
        if is_same && self.is_active(now) { Ok(()) } else { Err(Error::InvalidKey) }
    }

    /// Checks whether the key is neither disabled nor expired at `now`.
    pub fn is_active(&self, now: &str) -> bool {
        !self.disabled && self.expires_at.as_deref().is_none_or(|end| now < end)
    }

    /// Returns the key's public id.
    pub fn id(&self) -> &str {
        self.hash.get(..KeyId::LENGTH).unwrap_or(&self.hash)
    }

    /// Returns the team as one that is restricted to the operator's `limited_models`.
    #[must_use]
    pub fn as_limited(&self) -> Self {
        Self { limited: true, ..self.clone() }
    }

    /// Returns the id that all keys have in common that were rotated from the same first key.
    pub fn lineage(&self) -> &str {
        lineage(self.lineage.as_ref(), self.replaces.as_ref(), self.id())
    }

    /// Returns the name of the team's part of the cache.
    pub fn cache_scope(&self) -> String {
        team_hash(&self.team_id)
    }
}

/// Returns the lineage of the key `id` with these fields in its record.
pub(crate) fn lineage<'a>(
    lineage: Option<&'a String>,
    replaces: Option<&'a String>,
    id: &'a str,
) -> &'a str {
    // Records of earlier versions name no lineage: the key before is as close as it gets.
    lineage.or(replaces).map_or(id, String::as_str)
}

/// Hashes a team's id for names: of fixed length, so that no team id can imitate the name of another.
pub fn team_hash(team_id: &str) -> String {
    let digest = hex::encode(Sha256::digest(team_id.as_bytes()));
    digest.get(..KeyId::LENGTH).unwrap_or(&digest).to_owned()
}

/// Returns the error for a record that does not parse. It names only a place: the record has a hash
/// in it.
pub(crate) fn unreadable(error: &serde_json::Error) -> Error {
    corrupt(&format!("see its column {}", error.column()))
}

/// Rejects a record that a newer gateway has written: read as an older one, it might allow too much.
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
    use crate::keys::store::Memory;

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
    fn find_reads_the_record() {
        let store = Memory::default();
        let mut record = record("blue");
        record.scope = Scope { providers: Some(vec!["a".to_owned()]), models: None };
        record.save(&store).unwrap();
        let found = Team::find(&store, &key(), NOW).unwrap();
        assert_eq!((found.team_id.as_str(), found.id()), ("blue", key().id().as_str()));
        assert_eq!(found.scope, record.scope);
    }

    #[test]
    fn find_rejects_a_key_that_shares_only_its_id() {
        let store = Memory::default();
        let stranger = ApiKey::from_random([2; 32]);
        let record = serde_json::to_vec(&record("blue")).unwrap();
        store.set(&stranger.id().store_key(), &record).unwrap();
        assert!(matches!(Team::find(&store, &stranger, NOW), Err(Error::InvalidKey)));
    }

    #[test]
    fn find_distinguishes_unknown_unreadable_and_unavailable() {
        let store = Memory::default();
        assert!(matches!(Team::find(&store, &key(), NOW), Err(Error::InvalidKey)));
        store.set(&key().id().store_key(), b"{").unwrap();
        assert!(matches!(Team::find(&store, &key(), NOW), Err(Error::CorruptRecord(_))));
        store.fail();
        assert!(matches!(Team::find(&store, &key(), NOW), Err(Error::StoreUnavailable(_))));
    }

    #[test]
    fn find_rejects_a_key_that_is_not_active() {
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
    fn find_accepts_a_record_without_version_and_rejects_a_newer_one() {
        let store = Memory::default();
        let hash = key().hash().as_str().to_owned();
        let fields = r#""teamId":"blue","name":"n","limited":false,"createdAt":"x""#;
        let save = |version: &str| {
            let record = format!(r#"{{{version}"hash":"{hash}",{fields}}}"#);
            store.set(&key().id().store_key(), record.as_bytes()).unwrap();
        };
        save("");
        assert!(Team::find(&store, &key(), NOW).unwrap().scope.is_unrestricted());
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
