//! A key's record, as it is stored.

use serde::{Deserialize, Serialize};

use crate::error::Cause;
use crate::http::json::from_bytes;
use crate::keys::team::{
    MetadataEntry, VERSION, check_version, kept, lineage, unreadable, version,
};
use crate::limits::rules::Limits;
use crate::{ApiKey, Error, KeyId, Scope, Store, Team};

/// A key's record: the value under `key:<id>` in the store.
///
/// JSON in camel case, without the key: the hash in it cannot be used to authenticate. Requests use a
/// part of it, the [`Team`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the record")]
pub struct Record {
    #[serde(default = "version")]
    v: u32,
    hash: String,
    /// The team that requests are attributed to.
    pub team_id: String,
    /// The team's display name.
    pub name: String,
    /// Whether the team is restricted to the operator's `limited_models`.
    pub limited: bool,
    /// When the first key of this lineage was created, RFC 3339 with milliseconds.
    pub created_at: String,
    /// When the key expires, in the same form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether the key is temporarily disabled: requests get 401.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// What the key may be used for.
    #[serde(default, skip_serializing_if = "Scope::is_unrestricted")]
    pub scope: Scope,
    /// Whether the key may call operations on a provider's whole account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub account: bool,
    /// The team's own entry in `cf-aig-metadata`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<MetadataEntry>,
    /// Whether the AI Gateway may keep prompts and responses in its log.
    #[serde(default = "kept", skip_serializing_if = "Clone::clone")]
    pub log_payloads: bool,
    /// Which of a provider's credentials in the AI Gateway is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byok_alias: Option<String>,
    /// What the key may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Whether there are limits of the whole team, which a request has to read, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_team_limits: bool,
    /// Free-text note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The id of the key that this one replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The id of the first key of this lineage, if that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// When this key replaced the one before, in the form of `created_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<String>,
    /// The ids of the latest earlier keys of this lineage, stored or not, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
    /// Where the store remembers the rotation that created this key, for a retry of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<String>,
    /// The id of the key that replaces this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

impl Record {
    /// Creates the record of `key`, at `now`, for a team without restrictions.
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
            account: false,
            tag: None,
            log_payloads: true,
            byok_alias: None,
            limits: None,
            has_team_limits: false,
            note: None,
            replaces: None,
            lineage: None,
            rotated_at: None,
            earlier: Vec::new(),
            idempotency: None,
            replaced_by: None,
        }
    }

    /// Copies this record for a new key that replaces its own at `now`.
    #[must_use]
    pub fn with_key(&self, key: &ApiKey, now: String) -> Self {
        Self {
            hash: key.hash().as_str().to_owned(),
            replaces: Some(self.id().to_owned()),
            lineage: Some(self.lineage().to_owned()),
            rotated_at: Some(now),
            replaced_by: None,
            ..self.clone()
        }
    }

    /// Returns the id that all keys have in common that were rotated from the same first key.
    pub fn lineage(&self) -> &str {
        lineage(self.lineage.as_ref(), self.replaces.as_ref(), self.id())
    }

    /// Reads the record of the key `id`, whether the key is active or not.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] for a value that is not a record, or one of an unknown version.
    pub fn read(store: &dyn Store, id: &KeyId) -> Result<Option<Self>, Error> {
        let Some(bytes) = store.get(&id.store_key())? else {
            return Ok(None);
        };
        let record: Self = from_bytes(&bytes).map_err(|error| unreadable(&error))?;
        check_version(record.v)?;
        Ok(Some(record))
    }

    /// Finds the record of `key`, which must be active at `now`.
    ///
    /// # Errors
    /// As [`Team::find`].
    pub fn find(store: &dyn Store, key: &ApiKey, now: &str) -> Result<Self, Error> {
        let record = Self::read(store, &key.id())?.ok_or(Error::InvalidKey)?;
        record.team().check(key, now)?;
        Ok(record)
    }

    /// Replaces the record that was read, unless the key has been revoked since.
    ///
    /// The revocation is looked up after the write, not before it: looked up first, a revocation that
    /// happens in between would be undone by the write.
    ///
    /// # Errors
    /// [`Error::UnknownKeyId`] if the key was revoked.
    pub fn update(&self, store: &dyn Store) -> Result<(), Error> {
        self.save(store)?;
        let id = KeyId::of_hash(&self.hash);
        if !Self::is_revoked(store, &id)? {
            return Ok(());
        }
        store.delete(&id.store_key())?;
        Err(Error::UnknownKeyId)
    }

    /// Revokes the key `id` for good, whatever its record says, and returns that record if it is
    /// readable.
    ///
    /// The note is written first: an [`update`](Self::update) or a rotation that runs concurrently finds
    /// it even if it writes after the deletion. The record is read next, so that it shows every rotation
    /// that has not found the note. A store that is full takes no note, but must not keep a key valid.
    pub fn revoke(store: &dyn Store, id: &KeyId, now: &str) -> Result<Option<Self>, Error> {
        let _ = store.set(&id.revoked_key(), now.as_bytes());
        let record = Self::read(store, id).unwrap_or_default();
        store.delete(&id.store_key())?;
        Ok(record)
    }

    /// Checks whether the key `id` was revoked.
    pub fn is_revoked(store: &dyn Store, id: &KeyId) -> Result<bool, Error> {
        Ok(store.get(&id.revoked_key())?.is_some())
    }

    /// Writes the record to the place where [`Team::find`] reads it.
    pub fn save(&self, store: &dyn Store) -> Result<(), Error> {
        let unserialisable = |_| Error::CorruptRecord(Cause("it does not serialise".to_owned()));
        let bytes = serde_json::to_vec(self).map_err(unserialisable)?;
        store.set(&KeyId::of_hash(&self.hash).store_key(), &bytes)
    }

    /// Returns the part that decides on requests.
    pub fn team(&self) -> Team {
        Team {
            v: VERSION,
            hash: self.hash.clone(),
            team_id: self.team_id.clone(),
            limited: self.limited,
            expires_at: self.expires_at.clone(),
            disabled: self.disabled,
            scope: self.scope.clone(),
            account: self.account,
            tag: self.tag.clone(),
            log_payloads: self.log_payloads,
            byok_alias: self.byok_alias.clone(),
            limits: self.limits.clone(),
            has_team_limits: self.has_team_limits,
            lineage: self.lineage.clone(),
            replaces: self.replaces.clone(),
        }
    }

    /// Returns the key's public id, in the type that names records in the store.
    pub fn key_id(&self) -> KeyId {
        KeyId::of_hash(&self.hash)
    }

    /// Returns the key's public id.
    pub fn id(&self) -> &str {
        self.hash.get(..KeyId::LENGTH).unwrap_or(&self.hash)
    }
}

#[cfg(test)]
mod tests {
    use crate::Store as _;
    use crate::keys::store::Memory;
    use crate::keys::team::tests::{key, record};

    #[test]
    fn save_does_not_store_the_key() {
        let store = Memory::default();
        record("blue").save(&store).unwrap();
        let stored = store.get(&key().id().store_key()).unwrap().unwrap();
        let stored = String::from_utf8(stored).unwrap();
        assert!(!stored.contains(key().reveal()) && !stored.contains("0101010101"), "{stored}");
    }
}
