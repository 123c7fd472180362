//! Who may issue keys.

use gateway::Error;
use gateway::key::is_same_secret;
use gateway::service::{Call, Context};

/// Lets only the admin pass. An admin token that is not configured is nobody's.
pub(crate) fn require(call: &Call, context: &Context<'_>) -> Result<(), Error> {
    let expected = context.settings.get("admin_token").ok_or(Error::ManagementDisabled)?;
    match crate::bearer(call) {
        Some(given) if is_same_secret(given, expected) => Ok(()),
        _ => Err(Error::InvalidAdminToken),
    }
}

#[cfg(test)]
mod tests {
    use gateway::Error;

    use crate::testing::Host;

    const BODY: &str = r#"{"teamId":"blue"}"#;

    #[test]
    fn only_the_admin_token_opens() {
        let host = Host::default();
        for token in ["", "wrong", "admin-token", "Basic admin-token!", "Bearer admin-token!x"] {
            let outcome = host.call("POST", "/tokens", token, BODY);
            assert!(matches!(outcome, Err(Error::InvalidAdminToken)), "{token}");
        }
        for token in ["Bearer admin-token!", "bearer admin-token!"] {
            assert_eq!(host.call("POST", "/tokens", token, BODY).unwrap().status, 201, "{token}");
        }
    }

    #[test]
    fn without_an_admin_token_nobody_passes() {
        let host = Host::with_settings("admin_token=\n");
        for token in ["", "Bearer ", "Bearer admin-token!"] {
            let outcome = host.call("POST", "/tokens", token, BODY);
            assert!(matches!(outcome, Err(Error::ManagementDisabled)), "{token}");
        }
    }
}
