//! Authorization: the admin may use every route, a key's holder may view and rotate that key.

use gateway::keys::api_key::is_same_secret;
use gateway::{ApiKey, Error, KeyId, Record, Settings};

use crate::Action;

/// A key that the request names and may refer to.
///
/// Neither form says that the key exists or is valid: [`Action::find_record`] checks that.
pub(crate) enum KeyRef {
    /// The plain key. Only its holder has it, so naming it proves possession.
    Key(ApiKey),
    /// The key's id, named by the admin.
    Id(KeyId),
}

impl KeyRef {
    pub(crate) fn id(&self) -> KeyId {
        match self {
            Self::Key(key) => key.id(),
            Self::Id(id) => id.clone(),
        }
    }
}

/// The minimum length of the admin token and of that for monitoring, in bytes. They can be guessed without a
/// limit.
const MIN_TOKEN: usize = 32;

/// Returns the configured admin token.
///
/// # Errors
/// [`Error::ManagementDisabled`] if none or a short one is configured.
pub(crate) fn admin_token(settings: &Settings) -> Result<&str, Error> {
    let token = settings.get("admin_token").ok_or(Error::ManagementDisabled("set admin_token"))?;
    if token.len() < MIN_TOKEN {
        let rule = "admin_token must have at least 32 characters";
        return Err(Error::ManagementDisabled(rule));
    }
    Ok(token)
}

/// Returns the token with which a monitoring system reads `/metrics`, if one is configured.
///
/// # Errors
/// [`Error::Configuration`] for a short one.
pub(crate) fn metrics_token(settings: &Settings) -> Result<Option<&str>, Error> {
    match settings.get("metrics_token") {
        Some(token) if token.len() < MIN_TOKEN => {
            let rule = "metrics_token must have at least 32 characters";
            Err(Error::Configuration(rule.to_owned()))
        }
        token => Ok(token),
    }
}

impl Action<'_> {
    /// Requires the token of a monitoring system, which may do nothing else, or the admin token.
    ///
    /// # Errors
    /// Those of [`require_admin`](Self::require_admin).
    pub(crate) fn require_metrics_reader(&mut self) -> Result<(), Error> {
        // A short one lets no one in; `/healthz` reports it.
        let expected = metrics_token(self.context.settings).ok().flatten();
        match (expected, self.bearer_token()) {
            (Some(expected), Some(given)) if is_same_secret(given, expected) => {
                self.entry.actor = Some("metrics".to_owned());
                Ok(())
            }
            _ => self.require_admin(),
        }
    }

    /// Requires the admin token.
    ///
    /// # Errors
    /// [`Error::ManagementDisabled`] if none or a short one is configured: an empty setting must not
    /// match an empty token. [`Error::InvalidAdminToken`] if the request's is missing or wrong.
    pub(crate) fn require_admin(&mut self) -> Result<(), Error> {
        let expected = admin_token(self.context.settings)?;
        match self.bearer_token() {
            // Compared in constant time, so that response times do not reveal the token.
            Some(given) if is_same_secret(given, expected) => {
                self.entry.actor = Some("admin".to_owned());
                Ok(())
            }
            _ => Err(Error::InvalidAdminToken),
        }
    }

    /// Requires the admin token and parses `id`, before the store is read.
    ///
    /// The token is checked first: a stranger learns nothing about ids.
    pub(crate) fn require_admin_for(&mut self, id: &str) -> Result<KeyId, Error> {
        self.require_admin()?;
        let id = KeyId::parse(id).ok_or(Error::UnknownKeyId)?;
        self.entry.subject = Some(id.as_str().to_owned());
        Ok(id)
    }

    /// Resolves `named`, which is a plain key or a key's id.
    ///
    /// A plain key authorizes its holder. An id needs the key it belongs to in a header, or the admin
    /// token.
    pub(crate) fn resolve_key(&mut self, named: &str) -> Result<KeyRef, Error> {
        if let Ok(key) = ApiKey::parse(named) {
            return Ok(KeyRef::Key(key));
        }
        let own = ApiKey::from_headers(&self.request.head.headers).ok();
        match own.filter(|key| key.id().as_str() == named) {
            Some(key) => Ok(KeyRef::Key(key)),
            None => self.require_admin_for(named).map(KeyRef::Id),
        }
    }

    /// Finds the record of `key_ref`.
    ///
    /// A holder's key must be valid. The admin also sees keys that are disabled or expired.
    pub(crate) fn find_record(&mut self, key_ref: &KeyRef) -> Result<Record, Error> {
        match key_ref {
            KeyRef::Key(key) => self.require_holder(key),
            KeyRef::Id(id) => self.read_record(id),
        }
    }

    /// Requires that `key` is valid, and logs its holder as the actor.
    fn require_holder(&mut self, key: &ApiKey) -> Result<Record, Error> {
        let id = key.id();
        self.entry.subject = Some(id.as_str().to_owned());
        let record = Record::find(self.context.store, key, &self.now())?;
        // Only now: a key that failed the check above is the subject, but has authorized nothing.
        self.entry.actor = Some(id.as_str().to_owned());
        Ok(record)
    }

    /// Reads the record of the key `id`, valid or not.
    pub(crate) fn read_record(&self, id: &KeyId) -> Result<Record, Error> {
        Record::read(self.context.store, id)?.ok_or(Error::UnknownKeyId)
    }
}

#[cfg(test)]
mod tests {
    use gateway::Error;

    use crate::testing::{ADMIN, Host, key};

    const BODY: &str = r#"{"teamId":"blue"}"#;

    /// Returns every route that requires the admin token.
    fn routes(id: &str) -> Vec<(&'static str, String)> {
        vec![
            ("POST", "/tokens".to_owned()),
            ("GET", "/tokens".to_owned()),
            ("GET", format!("/tokens/{id}")),
            ("PATCH", format!("/tokens/{id}")),
            ("DELETE", format!("/tokens/{id}")),
            ("POST", format!("/tokens/{id}/refresh")),
            ("POST", format!("/tokens/{id}/explain")),
        ]
    }

    #[test]
    fn admin_route_without_admin_token_is_401() {
        let host = Host::with_a_key();
        let other = host.create(BODY);
        let stranger = format!("Bearer {}", key(1).reveal());
        let id = key(0).id();
        for (method, path) in routes(id.as_str()) {
            for token in [
                "",
                "wrong",
                "0123456789abcdef0123456789abcde",
                "Basic 0123456789abcdef0123456789abcdef",
                "Bearer 0123456789abcdef0123456789abcdefx",
                &stranger,
            ] {
                let outcome = host.send(method, &path, token, "");
                assert!(
                    matches!(outcome, Err(Error::InvalidAdminToken)),
                    "{method} {path} {token}"
                );
            }
            let elsewhere = host.send_with(
                method,
                &path,
                &[("x-api-key", "0123456789abcdef0123456789abcdef")],
                "",
            );
            assert!(matches!(elsewhere, Err(Error::InvalidAdminToken)), "{method} {path}");
        }
        assert_eq!(other["teamId"], "blue");
        for token in
            ["Bearer 0123456789abcdef0123456789abcdef", "bearer 0123456789abcdef0123456789abcdef"]
        {
            assert_eq!(host.send("POST", "/tokens", token, BODY).unwrap().status, 201, "{token}");
        }
    }

    #[test]
    fn admin_route_without_configured_admin_token_is_disabled() {
        let host = Host::with_settings("admin_token=\n");
        for (method, path) in routes(key(0).id().as_str()) {
            for token in ["", "Bearer ", ADMIN] {
                let outcome = host.send(method, &path, token, BODY);
                assert!(matches!(outcome, Err(Error::ManagementDisabled(_))), "{method} {path}");
            }
        }
    }

    #[test]
    fn admin_token_must_be_long_and_a_bearer_token() {
        let long = "0".repeat(32);
        for (token, authorization, expected) in [
            (&*long, format!("Bearer {long}"), true),
            (&*long, format!("bEARER  {long}"), true),
            (&*long, long.clone(), false),
            (&*long, format!("Basic {long}"), false),
            (&*long, format!("Bearer{long}"), false),
            (&long[1..], format!("Bearer {}", &long[1..]), false),
        ] {
            let host = Host::with_settings(&format!("admin_token={token}\n"));
            let outcome = host.send("GET", "/tokens", &authorization, "");
            assert_eq!(outcome.is_ok(), expected, "{authorization}: {outcome:?}");
        }
    }

    #[test]
    fn team_key_shows_and_refreshes_only_itself() {
        let host = Host::with_a_key();
        let own = format!("Bearer {}", key(0).reveal());
        let id = key(0).id();
        let path = format!("/tokens/{}", id.as_str());
        assert_eq!(host.send("GET", &path, &own, "").unwrap().status, 200);
        for (method, path) in [
            ("GET", "/tokens".to_owned()),
            ("POST", "/tokens".to_owned()),
            ("PATCH", path.clone()),
            ("DELETE", path.clone()),
            ("POST", format!("{path}/explain")),
        ] {
            let outcome = host.send(method, &path, &own, BODY);
            assert!(matches!(outcome, Err(Error::InvalidAdminToken)), "{method} {path}");
        }
        assert_eq!(host.send("POST", &format!("{path}/refresh"), &own, "").unwrap().status, 200);
    }

    #[test]
    fn malformed_id_is_404_before_the_store_is_read() {
        let host = Host::with_a_key();
        host.store.fail_after(0);
        for id in ["x", "key:x", "0", &"0".repeat(31), &"g".repeat(32), &"A".repeat(32)] {
            for method in ["GET", "PATCH", "DELETE"] {
                let outcome = host.send(method, &format!("/tokens/{id}"), ADMIN, "{}");
                assert!(matches!(outcome, Err(Error::UnknownKeyId)), "{method} {id}");
            }
        }
    }
}
