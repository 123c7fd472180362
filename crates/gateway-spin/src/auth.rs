//! Authentication: with one read of the store, and before any other part of a request is used.

use gateway::log::Entry;
use gateway::router::ALIAS_HEADER;
use gateway::router::aliases::{self, ModelAliases};
use gateway::{ApiKey, Error, Head, Headers, Operator, Team};

use crate::host;
use crate::serve::RequestContext;
use crate::store::SpinStore;

/// Authenticates the client for `provider`, reads what the operator configured, and calls `next`
/// with the request's `head` and both.
///
/// # Errors
/// [`Error::MissingKey`], [`Error::MalformedKey`], [`Error::InvalidKey`], [`Error::NotInScope`],
/// [`Error::StoreUnavailable`], [`Error::Configuration`], and those of `next`.
pub(crate) fn admit<T>(
    head: Head,
    provider: &str,
    request_context: &RequestContext,
    entry: &mut Entry,
    next: impl FnOnce(Head, &Team, &Operator<'_>, &mut Entry) -> Result<T, Error>,
) -> Result<T, Error> {
    // The settings come after the key, so that a client without one learns nothing about them.
    let team = authenticate(&head.headers, provider, request_context, entry)?;
    let settings = request_context.settings.get()?;
    let ai_gateway = settings.ai_gateway()?;
    let limited_models = host::limited_models(&team)?;
    let operator = Operator { settings, ai_gateway: &ai_gateway, limited_models: &limited_models };
    next(head, &team, &operator, entry)
}

/// Returns the team whose key is in `headers`, if the key may be used for `provider`.
fn authenticate(
    headers: &Headers,
    provider: &str,
    request_context: &RequestContext,
    entry: &mut Entry,
) -> Result<Team, Error> {
    let mut team = authenticate_for_any(headers, request_context, entry)?;
    // A key whose scope names an alias may use what the operator has set for it, and nothing else.
    if let Some(alias) = headers.get_str(ALIAS_HEADER)
        && !team.scope.is_unrestricted()
        && let aliases = ModelAliases::parse(&host::model_setting(aliases::SETTING)?)?
        && let Some(granted) = aliases.granted(alias, provider, &team.scope)
    {
        team.scope = granted;
    }
    team.scope.check_provider(provider)?;
    Ok(team)
}

/// Returns the team whose key is in `headers`, for whatever provider.
pub(crate) fn authenticate_for_any(
    headers: &Headers,
    request_context: &RequestContext,
    entry: &mut Entry,
) -> Result<Team, Error> {
    let key = ApiKey::from_headers(headers)?;
    entry.note_key(&key.id());
    let team = Team::find(&SpinStore::default(), &key, &request_context.time)?;
    entry.note_team(&team);
    Ok(team)
}
