//! `GET /tokens/openapi.json`: what this component takes and answers, for people and programs.
//! <https://spec.openapis.org/oas/v3.1.0>

use gateway::Reply;
use http::StatusCode;

const DOCUMENT: &str = include_str!("openapi.json");

/// The document, as it is in the source.
pub(crate) fn document() -> Reply {
    Reply::new(StatusCode::OK, DOCUMENT.as_bytes().to_vec(), "application/json")
}

#[cfg(test)]
mod tests {
    use gateway::Error;
    use serde_json::Value;

    use super::DOCUMENT;
    use crate::testing::{ADMIN, Host, body, key};

    const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "trace"];

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    /// Every operation there could be on the document's paths, and whether the document has it.
    fn operations() -> Vec<(String, &'static str, bool)> {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| {
            METHODS.map(|method| (path.clone(), method, item.get(method).is_some()))
        });
        all.collect()
    }

    #[test]
    fn the_document_has_exactly_the_methods_that_are_served() {
        for (path, method, is_documented) in operations() {
            let host = Host::with_a_key();
            let path = path.replace("{id}", key(0).id().as_str());
            let outcome = host.call(&method.to_uppercase(), &path, ADMIN, "");
            let is_served =
                !matches!(outcome, Err(Error::MethodNotAllowed { .. } | Error::UnknownUrl { .. }));
            assert_eq!(is_served, is_documented, "{method} {path}");
        }
        assert!(operations().len() > 30);
    }

    #[test]
    fn every_member_of_an_answer_is_documented() {
        let host = Host::default();
        let created = host.create(
            r#"{"teamId":"blue","ttlSeconds":60,"providers":["openai"],"models":["gpt-*"],
                "metadata":{"cost":7},"note":"n","disabled":true}"#,
        );
        let schema = &document()["components"]["schemas"]["Key"]["properties"];
        for name in created
            .as_object()
            .unwrap()
            .keys()
            .chain(&["replaces", "replacedBy"].map(str::to_owned))
        {
            assert!(name == "apiKey" || schema.get(name).is_some(), "{name}");
        }
        assert!(document()["components"]["schemas"]["NewKey"].to_string().contains("apiKey"));
    }

    #[test]
    fn every_field_that_is_taken_is_documented_and_no_other() {
        let document = document();
        for (schema, method, path) in [
            ("Creation", "POST", "/tokens".to_owned()),
            ("Change", "PATCH", format!("/tokens/{}", key(0).id().as_str())),
        ] {
            let properties = document["components"]["schemas"][schema]["properties"].clone();
            let names: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
            let known = |name: &str| {
                let body = format!(r#"{{"teamId":"a","{name}":{{"x":[]}}}}"#);
                let text =
                    Host::with_a_key().call(method, &path, ADMIN, &body).unwrap_err().to_string();
                !text.contains("unknown field")
            };
            for name in names.iter().filter(|name| *name != "teamId") {
                assert!(known(name), "{schema} {name}");
            }
            assert!(!known("somethingElse"));
        }
    }

    #[test]
    fn it_is_served_to_anybody() {
        let reply = Host::default().call("GET", "/tokens/openapi.json", "", "").unwrap();
        assert_eq!((reply.status.as_u16(), &body(&reply)["openapi"]), (200, &"3.1.0".into()));
    }
}
