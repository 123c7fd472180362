//! What an answer says of a key.

use std::collections::BTreeMap;

use gateway::{ApiKey, Record};
use serde::Serialize;
use serde_json::value::RawValue;

/// A key as an answer shows it; the key itself only where it has just been made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Info<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    id: &'a str,
    team_id: &'a str,
    name: &'a str,
    limited: bool,
    created_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    providers: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BTreeMap<&'a str, &'a RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<&'a str>,
}

impl<'a> Info<'a> {
    pub(crate) fn of(record: &'a Record) -> Self {
        let tag = record.tag.as_ref();
        Self {
            api_key: None,
            id: record.id(),
            team_id: &record.team_id,
            name: &record.name,
            limited: record.limited,
            created_at: &record.created_at,
            expires_at: record.expires_at.as_deref(),
            disabled: record.disabled,
            providers: record.scope.providers.as_deref(),
            models: record.scope.models.as_deref(),
            metadata: tag.map(|tag| BTreeMap::from([(tag.name.as_str(), &*tag.value)])),
            note: record.note.as_deref(),
            replaces: record.replaces.as_deref(),
            replaced_by: record.replaced_by.as_deref(),
        }
    }

    pub(crate) fn with_key(self, key: &'a ApiKey) -> Self {
        Self { api_key: Some(key.reveal()), ..self }
    }
}
