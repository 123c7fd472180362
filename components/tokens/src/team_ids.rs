//! Team ids that look alike, of which only the first may have keys.

use gateway::Error;
use gateway::keys::api_key::digest;

use crate::Action;

/// Notes `team_id` as the one way to write it.
///
/// # Errors
/// A client error if a team exists whose id looks the same: its keys would be attributed to another
/// team than a reader of a log believes.
pub(crate) fn register(action: &Action<'_>, team_id: &str) -> Result<(), Error> {
    let store = action.context.store;
    let name = entry(team_id);
    match store.get(&name)? {
        None => store.set(&name, team_id.as_bytes()),
        Some(known) if known == team_id.as_bytes() => Ok(()),
        Some(known) => {
            let known = String::from_utf8_lossy(&known);
            let message = format!("`teamId` looks like the existing team `{known}`: use that id");
            Err(Error::invalid_param("teamId", message))
        }
    }
}

/// The prefix of the entries of team ids.
const PREFIX: &str = "team:";

/// Checks whether `name` is the store key of a team's id.
pub(crate) fn is_entry(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Returns the part of an entry's name that orders the teams.
pub(crate) fn digest_of(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)
}

/// Reads the team id in the entry `name`.
pub(crate) fn read(action: &Action<'_>, name: &str) -> Result<Option<String>, Error> {
    let id = action.context.store.get(name)?;
    Ok(id.and_then(|id| String::from_utf8(id).ok()))
}

/// Checks whether `team_id` has been registered, in this spelling.
pub(crate) fn is_registered(action: &Action<'_>, team_id: &str) -> Result<bool, Error> {
    Ok(read(action, &entry(team_id))?.is_some_and(|known| known == team_id))
}

fn entry(team_id: &str) -> String {
    format!("{PREFIX}{}", digest(&folded(team_id)))
}

/// Returns what is left of an id without regard to case and spaces.
fn folded(team_id: &str) -> String {
    team_id.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Checks whether a reader can see all of `team_id`: no space at an end, no invisible character.
pub(crate) fn is_visible(team_id: &str) -> bool {
    let is_invisible = |character| {
        matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
    };
    team_id.trim() == team_id && !team_id.contains(is_invisible)
}
