//! `GET /tokens/{key}`: what is known of a key, to whoever holds it.

use gateway::service::Context;
use gateway::{ApiKey, Error, Reply, Team};
use http::StatusCode;

use crate::info::Info;

/// Shows the team of `key`, without the key.
pub(crate) fn show(key: &ApiKey, context: &Context<'_>) -> Result<Reply, Error> {
    let team = Team::find(context.store, key)?;
    Ok(Reply::json(StatusCode::OK, &Info::of(&team)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{ADMIN, Host, json, key};

    #[test]
    fn show_tells_all_but_the_key() {
        let host = Host::default();
        let created = host.call("POST", "/tokens", ADMIN, r#"{"teamId":"blue"}"#).unwrap();
        let path = format!("/tokens/{}", key(0).reveal());
        let shown = host.call("GET", &path, "", "").unwrap();
        let mut expected = json(&created);
        expected.as_object_mut().unwrap().remove("apiKey");
        assert_eq!((shown.status.as_u16(), json(&shown)), (200, expected));
    }
}
