//! `GET /models`: the aliases and the built-in table of models, without an upstream call.
//!
//! An account may lack access to some of these models, and can use others by their ids.

use gateway::translator::Context;
use gateway::{Error, Response, Scope};
use http::StatusCode;
use serde::Serialize;

use crate::aws::settings::BedrockSettings;
use crate::catalog::SLUG;
use crate::catalog::model::base_model_id;
use crate::catalog::table::listed;
use crate::embeddings::embedder;
use gateway::models::aliases::Aliases;

/// A model of the list.
/// <https://platform.openai.com/docs/api-reference/models/object>
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    object: &'static str,
    /// Always 0: OpenAI's clients require the field, but the time is unknown.
    created: u64,
    owned_by: &'a str,
}

/// The list of models.
#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

/// Lists the aliases and the models of the table that the key may use.
///
/// # Errors
/// [`Error::Configuration`].
pub(crate) fn respond(context: &Context<'_>) -> Result<Response, Error> {
    let settings = BedrockSettings::of(context)?;
    Ok(list(&settings.aliases, &context.team.scope))
}

/// Builds the list: the aliases, then the models of the table.
fn list(aliases: &Aliases, scope: &Scope) -> Response {
    let listed: Vec<String> = listed().collect();
    let is_allowed = |names: &[&str]| scope.check_model(SLUG, names).is_ok();
    let of_aliases = aliases
        .iter()
        .filter(|(name, target)| is_allowed(&[name, target.id]))
        .map(|(name, target)| Entry::new(name, base_model_id(target.base)));
    // The ids of the table contain no region, so they need no lookup of their base model.
    let of_chat = listed.iter().map(|id| Entry::new(id, Some(id)));
    let of_embeddings = embedder::MODELS.iter().map(|(id, _)| Entry::new(id, Some(id)));
    let of_table = of_chat.chain(of_embeddings).filter(|entry| is_allowed(&[entry.id]));
    let data = of_aliases.chain(of_table).collect();
    Response::json(StatusCode::OK, &List { object: "list", data })
}

impl<'a> Entry<'a> {
    /// Creates an entry; its owner is the vendor of `base_model_id`, if that is known.
    fn new(id: &'a str, base_model_id: Option<&'a str>) -> Self {
        let owner = base_model_id.and_then(|id| id.split('.').next());
        Self { id, object: "model", created: 0, owned_by: owner.unwrap_or("bedrock") }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::{Value, json};

    use super::*;

    const SETTING: &str = r#"{
        "claude": "us.anthropic.claude-opus-5",
        "hidden": "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc",
        "described": {
            "model": "arn:aws:bedrock:us-east-1:1:application-inference-profile/def",
            "base": "mistral.mistral-large-3-675b-instruct"
        }
    }"#;

    fn data() -> Vec<Value> {
        let response = list(&Aliases::parse(SETTING).unwrap(), &Scope::default());
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((response.status, &body["object"]), (StatusCode::OK, &json!("list")));
        body["data"].as_array().unwrap().clone()
    }

    #[test]
    fn list_begins_with_aliases() {
        let owners = [
            ("nova-pro", "amazon"),
            ("nova-lite", "amazon"),
            ("nova-micro", "amazon"),
            ("claude", "anthropic"),
            ("hidden", "bedrock"),
            ("described", "mistral"),
            ("ai21.jamba-1-5-large-v1:0", "ai21"),
        ];
        for (entry, (id, owner)) in data().iter().zip(owners) {
            let expected = json!({"id": id, "object": "model", "created": 0, "owned_by": owner});
            assert_eq!(*entry, expected);
        }
    }

    #[test]
    fn list_has_each_usable_name_once() {
        let aliases = Aliases::parse(SETTING).unwrap();
        let mut seen = HashSet::new();
        for entry in data() {
            let id = entry["id"].as_str().unwrap().to_owned();
            let target = aliases.find(&id).unwrap();
            assert!(target.id == id || !id.contains('.'), "{id}");
            assert!(seen.insert(id.clone()), "{id}");
        }
        for id in ["anthropic.claude-opus-4-5-20251101-v1:0", "cohere.embed-v4:0", "zai.glm-5"] {
            assert!(seen.contains(id), "{id}");
        }
    }
}
