//! `GET /tokens/{id}`: what is known of a key, to the admin and to whoever holds it.

use gateway::{Error, Reply};
use http::StatusCode;

use crate::Act;
use crate::info::Info;

/// Shows the key that is `named` by itself or by its id, without the key.
pub(crate) fn show(act: &mut Act<'_>, named: &str) -> Result<Reply, Error> {
    act.entry.action = Some("show");
    let named = act.identify(named)?;
    let record = act.require(&named)?;
    Ok(Reply::json(StatusCode::OK, &Info::of(&record)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{ADMIN, Host, body, key};

    #[test]
    fn show_tells_all_but_the_key() {
        let host = Host::default();
        let mut expected = host.create(r#"{"teamId":"blue"}"#);
        expected.as_object_mut().unwrap().remove("apiKey");
        for (named, credential) in [(key(0).reveal(), ""), (key(0).id().as_str(), ADMIN)] {
            let shown = host.call("GET", &format!("/tokens/{named}"), credential, "").unwrap();
            assert_eq!((shown.status.as_u16(), body(&shown)), (200, expected.clone()));
        }
    }
}
