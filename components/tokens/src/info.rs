//! What an answer says of a key.

use gateway::{ApiKey, Team};
use serde::Serialize;

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
}

impl<'a> Info<'a> {
    pub(crate) fn of(team: &'a Team) -> Self {
        Self {
            api_key: None,
            id: team.id(),
            team_id: &team.team_id,
            name: &team.name,
            limited: team.limited,
            created_at: &team.created_at,
        }
    }

    pub(crate) fn with_key(self, key: &'a ApiKey) -> Self {
        Self { api_key: Some(key.reveal()), ..self }
    }
}
