//! `GET /tokens/{id}`: shows a key to the admin and to its holder.

use gateway::{Error, Response};
use http::StatusCode;

use crate::Action;
use crate::key_view::KeyView;

/// Returns the record of the key that `named`, a plain key or an id, refers to.
pub(crate) fn show(action: &mut Action<'_>, named: &str) -> Result<Response, Error> {
    action.entry.action = Some("show");
    let key_ref = action.resolve_key(named)?;
    let record = action.find_record(&key_ref)?;
    let view = KeyView::new(&record).with_use(&record, action)?;
    Ok(Response::json(StatusCode::OK, &view))
}

#[cfg(test)]
mod tests {
    use crate::testing::{ADMIN, Host, body, key};

    #[test]
    fn show_returns_the_record_without_the_key() {
        let host = Host::default();
        let mut expected = host.create(r#"{"teamId":"blue"}"#);
        expected.as_object_mut().unwrap().remove("apiKey");
        expected["counted"] = false.into();
        for (named, credential) in [(key(0).reveal(), ""), (key(0).id().as_str(), ADMIN)] {
            let shown = host.send("GET", &format!("/tokens/{named}"), credential, "").unwrap();
            assert_eq!((shown.status.as_u16(), body(&shown)), (200, expected.clone()));
        }
    }
}
