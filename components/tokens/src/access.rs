//! Who may do what: the admin everything, and a key's holder little, to that key alone.

use gateway::key::is_same_secret;
use gateway::{ApiKey, Error, KeyId, Record};

use crate::Act;

/// A key that somebody is allowed to name.
pub(crate) enum Named {
    /// By itself: nobody else has it, but it need not open anything any more.
    Key(ApiKey),
    /// By its id, by the admin.
    Id(KeyId),
}

impl Named {
    pub(crate) fn id(&self) -> KeyId {
        match self {
            Self::Key(key) => key.id(),
            Self::Id(id) => id.clone(),
        }
    }
}

impl Act<'_> {
    /// Lets only the admin pass. An admin token that is not configured is nobody's.
    pub(crate) fn require_admin(&mut self) -> Result<(), Error> {
        let expected = self.context.settings.get("admin_token").ok_or(Error::ManagementDisabled)?;
        match self.bearer() {
            Some(given) if is_same_secret(given, expected) => {
                self.entry.actor = Some("admin".to_owned());
                Ok(())
            }
            _ => Err(Error::InvalidAdminToken),
        }
    }

    /// Lets the admin pass to the key `id`, before anything is asked of the store.
    pub(crate) fn require_admin_of(&mut self, id: &str) -> Result<KeyId, Error> {
        self.require_admin()?;
        let id = KeyId::parse(id).ok_or(Error::UnknownKeyId)?;
        self.entry.subject = Some(id.as_str().to_owned());
        Ok(id)
    }

    /// Lets whoever holds `key` pass.
    fn require_holder(&mut self, key: &ApiKey) -> Result<Record, Error> {
        let id = key.id();
        self.entry.subject = Some(id.as_str().to_owned());
        let record = Record::find(self.context.store, key, &self.now())?;
        self.entry.actor = Some(id.as_str().to_owned());
        Ok(record)
    }

    /// What `named` stands for: the plain key, which its holder has, or its id, which the admin may
    /// use, and the holder with the key as bearer.
    pub(crate) fn identify(&mut self, named: &str) -> Result<Named, Error> {
        if let Ok(key) = ApiKey::parse(named) {
            return Ok(Named::Key(key));
        }
        let bearer = self.bearer().and_then(|bearer| ApiKey::parse(bearer).ok());
        match bearer.filter(|key| key.id().as_str() == named) {
            Some(key) => Ok(Named::Key(key)),
            None => self.require_admin_of(named).map(Named::Id),
        }
    }

    /// The record of what is `named`. A key must open something for it.
    pub(crate) fn require(&mut self, named: &Named) -> Result<Record, Error> {
        match named {
            Named::Key(key) => self.require_holder(key),
            Named::Id(id) => self.read(id),
        }
    }

    /// The record of the key `id`.
    pub(crate) fn read(&self, id: &KeyId) -> Result<Record, Error> {
        Record::read(self.context.store, id)?.ok_or(Error::UnknownKeyId)
    }
}

#[cfg(test)]
mod tests {
    use gateway::Error;

    use crate::testing::{ADMIN, Host, key};

    const BODY: &str = r#"{"teamId":"blue"}"#;

    /// Every route that is the admin's.
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
    fn only_the_admin_token_opens() {
        let host = Host::with_a_key();
        let other = host.create(BODY);
        let stranger = format!("Bearer {}", key(1).reveal());
        let id = key(0).id();
        for (method, path) in routes(id.as_str()) {
            for token in [
                "",
                "wrong",
                "admin-token",
                "Basic admin-token!",
                "Bearer admin-token!x",
                &stranger,
            ] {
                let outcome = host.call(method, &path, token, "");
                assert!(
                    matches!(outcome, Err(Error::InvalidAdminToken)),
                    "{method} {path} {token}"
                );
            }
            let elsewhere = host.call_with(method, &path, &[("x-api-key", "admin-token!")], "");
            assert!(matches!(elsewhere, Err(Error::InvalidAdminToken)), "{method} {path}");
        }
        assert_eq!(other["teamId"], "blue");
        for token in ["Bearer admin-token!", "bearer admin-token!"] {
            assert_eq!(host.call("POST", "/tokens", token, BODY).unwrap().status, 201, "{token}");
        }
    }

    #[test]
    fn without_an_admin_token_nobody_passes() {
        let host = Host::with_settings("admin_token=\n");
        for (method, path) in routes(key(0).id().as_str()) {
            for token in ["", "Bearer ", ADMIN] {
                let outcome = host.call(method, &path, token, BODY);
                assert!(matches!(outcome, Err(Error::ManagementDisabled)), "{method} {path}");
            }
        }
    }

    #[test]
    fn a_key_sees_and_refreshes_itself_and_no_more() {
        let host = Host::with_a_key();
        let own = format!("Bearer {}", key(0).reveal());
        let id = key(0).id();
        let path = format!("/tokens/{}", id.as_str());
        assert_eq!(host.call("GET", &path, &own, "").unwrap().status, 200);
        for (method, path) in [
            ("GET", "/tokens".to_owned()),
            ("POST", "/tokens".to_owned()),
            ("PATCH", path.clone()),
            ("DELETE", path.clone()),
            ("POST", format!("{path}/explain")),
        ] {
            let outcome = host.call(method, &path, &own, BODY);
            assert!(matches!(outcome, Err(Error::InvalidAdminToken)), "{method} {path}");
        }
        assert_eq!(host.call("POST", &format!("{path}/refresh"), &own, "").unwrap().status, 200);
    }

    #[test]
    fn an_id_is_checked_before_the_store_is_asked() {
        let host = Host::with_a_key();
        host.store.fail_after(0);
        for id in ["x", "key:x", "0", &"0".repeat(31), &"g".repeat(32), &"A".repeat(32)] {
            for method in ["GET", "PATCH", "DELETE"] {
                let outcome = host.call(method, &format!("/tokens/{id}"), ADMIN, "{}");
                assert!(matches!(outcome, Err(Error::UnknownKeyId)), "{method} {id}");
            }
        }
    }
}
