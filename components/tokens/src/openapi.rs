//! `GET /tokens/openapi.json`: the OpenAPI document of this component.
//! <https://spec.openapis.org/oas/v3.1.0>

use gateway::Response;
use http::StatusCode;

const DOCUMENT: &str = include_str!("openapi.json");

/// Returns the document. It needs no credential, because it is the same for everyone.
pub(crate) fn document() -> Response {
    Response::new(StatusCode::OK, DOCUMENT.as_bytes().to_vec(), "application/json")
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

    /// Returns every possible operation on the document's paths, and whether it is documented.
    fn operations() -> Vec<(String, &'static str, bool)> {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| {
            METHODS.map(|method| (path.clone(), method, item.get(method).is_some()))
        });
        all.collect()
    }

    #[test]
    fn document_has_exactly_the_served_methods() {
        for (path, method, is_documented) in operations() {
            let host = Host::with_a_key();
            let path = path.replace("{id}", key(0).id().as_str()).replace("{teamId}", "blue");
            let outcome = host.send(&method.to_uppercase(), &path, ADMIN, "");
            let is_served =
                !matches!(outcome, Err(Error::MethodNotAllowed { .. } | Error::UnknownUrl { .. }));
            assert_eq!(is_served, is_documented, "{method} {path}");
        }
        assert!(operations().len() > 30);
    }

    #[test]
    fn document_has_every_response_field() {
        let host = Host::default();
        let created = host.create(
            r#"{"teamId":"blue","ttlSeconds":60,"providers":["openai"],"models":["gpt-*"],
                "metadata":{"cost":7},"note":"n","disabled":true,"account":true,
                "limits":{"requestsPerMinute":1},"logPayloads":false,"byokAlias":"a"}"#,
        );
        let document = document();
        let schema = &document["components"]["schemas"]["Key"]["properties"];
        for name in created
            .as_object()
            .unwrap()
            .keys()
            .chain(&["replaces", "lineage", "rotatedAt", "replacedBy"].map(str::to_owned))
        {
            assert!(name == "apiKey" || schema.get(name).is_some(), "{name}");
        }
        let mut new = document["components"]["schemas"]["NewKey"]["properties"].clone();
        assert!(new.as_object_mut().unwrap().remove("apiKey").is_some());
        assert_eq!(
            new.as_object().unwrap().keys().collect::<Vec<_>>(),
            schema.as_object().unwrap().keys().collect::<Vec<_>>()
        );
    }

    #[test]
    fn document_has_exactly_the_accepted_fields() {
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
                    Host::with_a_key().send(method, &path, ADMIN, &body).unwrap_err().to_string();
                !text.contains("unknown field")
            };
            for name in names.iter().filter(|name| *name != "teamId") {
                assert!(known(name), "{schema} {name}");
            }
            assert!(!known("somethingElse"));
        }
    }

    #[test]
    fn document_without_credential_is_served() {
        let response = Host::default().send("GET", "/tokens/openapi.json", "", "").unwrap();
        assert_eq!((response.status.as_u16(), &body(&response)["openapi"]), (200, &"3.1.0".into()));
    }
}
