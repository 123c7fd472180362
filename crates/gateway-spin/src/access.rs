//! Who asks: with one read of the store, and before anything else of a request is looked at.

use gateway::log::Entry;
use gateway::{ApiKey, Error, Headers, Team};

use crate::store::SpinStore;

/// The team whose key `headers` hold, if the key is for the provider of this `entry`.
///
/// # Errors
/// [`Error::MissingKey`] and its like, [`Error::NotInScope`], [`Error::StoreUnavailable`].
pub(crate) fn authenticate(headers: &Headers, entry: &mut Entry) -> Result<Team, Error> {
    let key = ApiKey::from_headers(headers)?;
    entry.note_key(&key.id());
    let team = Team::find(&SpinStore::default(), &key, &entry.time)?;
    entry.note_team(&team);
    team.scope.check_provider(entry.provider)?;
    Ok(team)
}
