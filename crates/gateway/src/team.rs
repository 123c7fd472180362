//! Teams, as their keys are stored.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Cause;
use crate::json::from_bytes;
use crate::key::is_same_secret;
use crate::{ApiKey, Error, KeyId, Store};

/// The team a key belongs to: the value under `key:<id>` in the store.
///
/// JSON in camel case, without the key: the hash in it opens nothing by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    hash: String,
    /// Who a request is attributed to.
    pub team_id: String,
    /// The team's name, for people.
    pub name: String,
    /// Whether the team is held to the operator's choice of models.
    pub limited: bool,
    /// When the first key of this team info was made, RFC 3339.
    pub created_at: String,
}

impl Team {
    /// The record of `key` for a team.
    pub fn new(
        key: &ApiKey,
        team_id: String,
        name: String,
        limited: bool,
        created_at: String,
    ) -> Self {
        Self { hash: key.hash().as_str().to_owned(), team_id, name, limited, created_at }
    }

    /// The same team under a new key.
    #[must_use]
    pub fn with_key(&self, key: &ApiKey) -> Self {
        Self { hash: key.hash().as_str().to_owned(), ..self.clone() }
    }

    /// Finds the team of `key`, with one read of the store.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if the key opens nothing; a failing or unreadable store is never that.
    pub fn find(store: &dyn Store, key: &ApiKey) -> Result<Self, Error> {
        let bytes = store.get(&key.id().store_key())?.ok_or(Error::InvalidKey)?;
        let team: Self = from_bytes(&bytes)
            .map_err(|error| corrupt(&format!("see its column {}", error.column())))?;
        if is_same_secret(&team.hash, key.hash().as_str()) {
            return Ok(team);
        }
        Err(Error::InvalidKey)
    }

    /// Writes the record where [`Team::find`] looks for it.
    pub fn save(&self, store: &dyn Store, id: &KeyId) -> Result<(), Error> {
        let bytes = serde_json::to_vec(self).map_err(|_| corrupt("it does not print"))?;
        store.set(&id.store_key(), &bytes)
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

fn corrupt(what: &str) -> Error {
    Error::CorruptRecord(Cause(what.to_owned()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::Memory;

    pub(crate) fn key() -> ApiKey {
        ApiKey::from_random([1; 32])
    }

    pub(crate) fn team(team_id: &str) -> Team {
        let created_at = "2026-01-01T00:00:00.000Z".to_owned();
        Team::new(&key(), team_id.to_owned(), "Name".to_owned(), false, created_at)
    }

    pub(crate) fn limited(team_id: &str) -> Team {
        Team { limited: true, ..team(team_id) }
    }

    #[test]
    fn find_reads_what_save_wrote() {
        let store = Memory::default();
        team("blue").save(&store, &key().id()).unwrap();
        let found = Team::find(&store, &key()).unwrap();
        assert_eq!((found.team_id.as_str(), found.id()), ("blue", key().id().as_str()));
    }

    #[test]
    fn the_stored_record_does_not_hold_the_key() {
        let store = Memory::default();
        team("blue").save(&store, &key().id()).unwrap();
        let stored = store.get(&key().id().store_key()).unwrap().unwrap();
        let stored = String::from_utf8(stored).unwrap();
        assert!(!stored.contains(key().reveal()) && !stored.contains("0101010101"), "{stored}");
    }

    #[test]
    fn find_refuses_a_key_that_shares_only_its_id() {
        let store = Memory::default();
        let stranger = ApiKey::from_random([2; 32]);
        team("blue").save(&store, &stranger.id()).unwrap();
        assert!(matches!(Team::find(&store, &stranger), Err(Error::InvalidKey)));
    }

    #[test]
    fn find_tells_unknown_from_unreadable_from_unavailable() {
        let store = Memory::default();
        assert!(matches!(Team::find(&store, &key()), Err(Error::InvalidKey)));
        store.set(&key().id().store_key(), b"{").unwrap();
        assert!(matches!(Team::find(&store, &key()), Err(Error::CorruptRecord(_))));
        store.fail();
        assert!(matches!(Team::find(&store, &key()), Err(Error::StoreUnavailable(_))));
    }
}
