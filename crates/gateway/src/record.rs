//! Keys, as they are stored.

use serde::{Deserialize, Serialize};

use crate::error::Cause;
use crate::json::from_bytes;
use crate::team::{Tag, VERSION, check_version, unreadable, version};
use crate::{ApiKey, Error, KeyId, Scope, Store, Team};

/// All that is known of a key: the value under `key:<id>` in the store.
///
/// JSON in camel case, without the key: the hash in it opens nothing by itself. Requests look at a
/// part of it, the [`Team`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    #[serde(default = "version")]
    v: u32,
    hash: String,
    /// Who a request is attributed to.
    pub team_id: String,
    /// The team's name, for people.
    pub name: String,
    /// Whether the team is held to the operator's choice of models.
    pub limited: bool,
    /// When the team's first key was made, RFC 3339 with milliseconds.
    pub created_at: String,
    /// When the key ends, in the same form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether the key opens nothing for the time being.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// What the key may be used for.
    #[serde(default, skip_serializing_if = "Scope::is_open")]
    pub scope: Scope,
    /// The team's own entry of `cf-aig-metadata`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// A remark, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The id of the key that this one follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The id of the key that follows this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

impl Record {
    /// The record of `key`, made at `now` for a team that may do everything.
    pub fn new(key: &ApiKey, team_id: String, now: String) -> Self {
        Self {
            v: VERSION,
            hash: key.hash().as_str().to_owned(),
            name: team_id.clone(),
            team_id,
            limited: false,
            created_at: now,
            expires_at: None,
            disabled: false,
            scope: Scope::default(),
            tag: None,
            note: None,
            replaces: None,
            replaced_by: None,
        }
    }

    /// The same under a new key.
    #[must_use]
    pub fn with_key(&self, key: &ApiKey) -> Self {
        Self {
            hash: key.hash().as_str().to_owned(),
            replaces: Some(self.id().to_owned()),
            replaced_by: None,
            ..self.clone()
        }
    }

    /// The record of the key `id`, whether it opens anything or not.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] for a record that is none, or of a version nobody here knows.
    pub fn read(store: &dyn Store, id: &KeyId) -> Result<Option<Self>, Error> {
        let Some(bytes) = store.get(&id.store_key())? else {
            return Ok(None);
        };
        let record: Self = from_bytes(&bytes).map_err(|error| unreadable(&error))?;
        check_version(record.v)?;
        Ok(Some(record))
    }

    /// The record of `key`.
    ///
    /// # Errors
    /// As [`Team::find`].
    pub fn find(store: &dyn Store, key: &ApiKey, now: &str) -> Result<Self, Error> {
        let record = Self::read(store, &key.id())?.ok_or(Error::InvalidKey)?;
        let is_same = crate::key::is_same_secret(&record.hash, key.hash().as_str());
        if is_same && record.team().is_open(now) { Ok(record) } else { Err(Error::InvalidKey) }
    }

    /// Writes a record over the one that was read, unless the key was revoked since: a change that is
    /// under way must not bring it back.
    ///
    /// # Errors
    /// [`Error::UnknownKeyId`] if it was revoked.
    pub fn update(&self, store: &dyn Store) -> Result<(), Error> {
        self.save(store)?;
        let id = KeyId::of_hash(&self.hash);
        if !Self::is_revoked(store, &id)? {
            return Ok(());
        }
        store.delete(&id.store_key())?;
        Err(Error::UnknownKeyId)
    }

    /// Ends the key `id` for good, whatever its record says: that it is revoked is noted before it goes.
    pub fn revoke(store: &dyn Store, id: &KeyId) -> Result<(), Error> {
        store.set(&id.revoked_key(), b"1")?;
        store.delete(&id.store_key())
    }

    /// Whether the key `id` was revoked.
    pub fn is_revoked(store: &dyn Store, id: &KeyId) -> Result<bool, Error> {
        Ok(store.get(&id.revoked_key())?.is_some())
    }

    /// Writes the record whole, where [`Team::find`] looks for it.
    pub fn save(&self, store: &dyn Store) -> Result<(), Error> {
        let unprintable = |_| Error::CorruptRecord(Cause("it does not print".to_owned()));
        let bytes = serde_json::to_vec(self).map_err(unprintable)?;
        store.set(&KeyId::of_hash(&self.hash).store_key(), &bytes)
    }

    /// What requests look at.
    pub fn team(&self) -> Team {
        Team {
            v: VERSION,
            hash: self.hash.clone(),
            team_id: self.team_id.clone(),
            limited: self.limited,
            expires_at: self.expires_at.clone(),
            disabled: self.disabled,
            scope: self.scope.clone(),
            tag: self.tag.clone(),
        }
    }

    /// The key's public id.
    pub fn id(&self) -> &str {
        self.hash.get(..KeyId::LENGTH).unwrap_or(&self.hash)
    }
}

#[cfg(test)]
mod tests {
    use crate::Store as _;
    use crate::store::Memory;
    use crate::team::tests::{key, record};

    #[test]
    fn the_stored_record_does_not_hold_the_key() {
        let store = Memory::default();
        record("blue").save(&store).unwrap();
        let stored = store.get(&key().id().store_key()).unwrap().unwrap();
        let stored = String::from_utf8(stored).unwrap();
        assert!(!stored.contains(key().reveal()) && !stored.contains("0101010101"), "{stored}");
    }
}
