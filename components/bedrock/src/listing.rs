//! `GET /models`: what the operator and the table name, which asks nobody. An account may lack
//! access to some of it, and other models have ids that serve as well.

use gateway::translator::Context;
use gateway::{Error, Reply, Scope};
use http::StatusCode;
use serde::Serialize;

use crate::SLUG;
use crate::embeddings;
use crate::model::{Aliases, listed, revealed};
use crate::settings::BedrockSettings;

/// <https://platform.openai.com/docs/api-reference/models/object>
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    object: &'static str,
    /// OpenAI's clients expect a time, and nobody says when.
    created: u64,
    owned_by: &'a str,
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

/// Lists the aliases and the models of the table, as far as the key is for them.
///
/// # Errors
/// [`Error::Configuration`].
pub(crate) fn answer(context: &Context<'_>) -> Result<Reply, Error> {
    let settings = BedrockSettings::of(context)?;
    Ok(list(&settings.aliases, &context.team.scope))
}

fn list(aliases: &Aliases, scope: &Scope) -> Reply {
    let listed: Vec<String> = listed().collect();
    let is_allowed = |names: &[&str]| scope.check_model(SLUG, names).is_ok();
    let of_aliases = aliases
        .iter()
        .filter(|(name, target)| is_allowed(&[name, target.id]))
        .map(|(name, target)| Entry::new(name, revealed(target.base)));
    // The table's ids have no regions that would have to be looked for.
    let of_chat = listed.iter().map(|id| Entry::new(id, Some(id)));
    let of_embeddings = embeddings::MODELS.iter().map(|(id, _)| Entry::new(id, Some(id)));
    let of_table = of_chat.chain(of_embeddings).filter(|entry| is_allowed(&[entry.id]));
    let data = of_aliases.chain(of_table).collect();
    Reply::json(StatusCode::OK, &List { object: "list", data })
}

impl<'a> Entry<'a> {
    /// An entry whose model is `revealed`, if it is known.
    fn new(id: &'a str, revealed: Option<&'a str>) -> Self {
        let owner = revealed.and_then(|id| id.split('.').next());
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
        "told": {
            "model": "arn:aws:bedrock:us-east-1:1:application-inference-profile/def",
            "base": "mistral.mistral-large-3-675b-instruct"
        }
    }"#;

    fn data() -> Vec<Value> {
        let reply = list(&Aliases::parse(SETTING).unwrap(), &Scope::default());
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((reply.status, &body["object"]), (StatusCode::OK, &json!("list")));
        body["data"].as_array().unwrap().clone()
    }

    #[test]
    fn aliases_come_first() {
        let owners = [
            ("nova-pro", "amazon"),
            ("nova-lite", "amazon"),
            ("nova-micro", "amazon"),
            ("claude", "anthropic"),
            ("hidden", "bedrock"),
            ("told", "mistral"),
            ("ai21.jamba-1-5-large-v1:0", "ai21"),
        ];
        for (entry, (id, owner)) in data().iter().zip(owners) {
            let expected = json!({"id": id, "object": "model", "created": 0, "owned_by": owner});
            assert_eq!(*entry, expected);
        }
    }

    #[test]
    fn every_name_is_listed_once_and_stands_for_a_model() {
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
