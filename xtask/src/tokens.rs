//! `cargo xtask tokens`: the keys of a running gateway, for people who would rather not write curl.

mod table;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::{print, say};

#[derive(Args)]
pub(crate) struct Options {
    /// The gateway's address.
    #[arg(long, global = true, env = "GATEWAY_URL", default_value = "http://127.0.0.1:3000")]
    url: String,
    /// The admin token.
    #[arg(
        long,
        global = true,
        env = "GATEWAY_ADMIN_TOKEN",
        hide_env_values = true,
        default_value = ""
    )]
    admin_token: String,
    /// Print JSON as it comes, not a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Makes a key and shows it, this once.
    Create {
        /// Who requests are attributed to.
        team: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Lists all keys, or a team's.
    List {
        /// Only this team's keys.
        #[arg(long)]
        team: Option<String>,
    },
    /// Shows what is known of a key.
    Show {
        /// The key's id.
        id: String,
    },
    /// Changes what is known of a key; `--clear` takes a field back.
    Patch {
        /// The key's id.
        id: String,
        #[command(flatten)]
        fields: Fields,
        /// A field to take back, by its name in JSON: note, models, expiresAt …
        #[arg(long)]
        clear: Vec<String>,
    },
    /// Ends a key, from the next request on.
    Revoke {
        /// The key's id.
        id: String,
    },
    /// Makes a new key in the place of another.
    Refresh {
        /// The old key's id.
        id: String,
        /// Seconds that the old key lives on.
        #[arg(long, default_value_t = 0)]
        grace_seconds: u64,
    },
    /// Tells what would become of a request.
    Explain {
        /// The key's id.
        id: String,
        /// The provider, by its route.
        #[arg(long)]
        provider: String,
        /// The model.
        #[arg(long)]
        model: String,
    },
}

#[derive(Args)]
struct Fields {
    /// A name, for people.
    #[arg(long)]
    name: Option<String>,
    /// Whether the operator's choice of models counts.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    limited: Option<bool>,
    /// Whether the key opens nothing for the time being.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    disabled: Option<bool>,
    /// When the key ends, as 2030-01-31T12:00:00Z.
    #[arg(long)]
    expires_at: Option<String>,
    /// The same, in seconds from now.
    #[arg(long)]
    ttl_seconds: Option<u64>,
    /// A provider the key is for; more than one may be given.
    #[arg(long = "provider")]
    providers: Option<Vec<String>>,
    /// A pattern of models the key is for, as `gpt-4o*`; more than one may be given.
    #[arg(long = "model")]
    models: Option<Vec<String>>,
    /// An entry for cf-aig-metadata, as `name=value`.
    #[arg(long)]
    metadata: Option<String>,
    /// A remark, for people.
    #[arg(long)]
    note: Option<String>,
}

/// Does what is asked and prints what comes of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let answer = ask(options)?;
    if options.json {
        print(&serde_json::to_string_pretty(&answer)?);
    } else {
        print(&table::of(&answer));
    }
    Ok(())
}

fn ask(options: &Options) -> Result<Value> {
    let call = |method, path: &str, body| call(options, method, path, body);
    match &options.act {
        Act::Create { team, fields } => {
            let mut body = fields.body();
            body.insert("teamId".to_owned(), json!(team));
            call("POST", "/tokens", Some(body.into()))
        }
        Act::List { team } => list(options, team.as_deref()),
        Act::Show { id } => call("GET", &format!("/tokens/{id}"), None),
        Act::Patch { id, fields, clear } => {
            let mut body = fields.body();
            body.extend(clear.iter().map(|name| (name.clone(), Value::Null)));
            call("PATCH", &format!("/tokens/{id}"), Some(body.into()))
        }
        Act::Revoke { id } => call("DELETE", &format!("/tokens/{id}"), None),
        Act::Refresh { id, grace_seconds } => {
            call("POST", &format!("/tokens/{id}/refresh?graceSeconds={grace_seconds}"), None)
        }
        Act::Explain { id, provider, model } => {
            let body = json!({"provider": provider, "model": model});
            call("POST", &format!("/tokens/{id}/explain"), Some(body))
        }
    }
}

/// All pages as one list.
fn list(options: &Options, team: Option<&str>) -> Result<Value> {
    let mut keys = Vec::new();
    let mut cursor = String::new();
    loop {
        let team = team.map(|team| format!("&teamId={}", escape(team))).unwrap_or_default();
        let mut page = call(options, "GET", &format!("/tokens?limit=200{team}{cursor}"), None)?;
        if let Some(Value::Array(data)) = page.get_mut("data") {
            keys.append(data);
        }
        for id in page.get("unreadable").and_then(Value::as_array).into_iter().flatten() {
            say(&format!("The record of {id} cannot be read"));
        }
        match page.get("nextCursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(keys.into()),
        }
    }
}

/// `text` as a query's value.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape =
        |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

/// Calls the gateway; an error is told in its words.
fn call(options: &Options, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
    let url = format!("{}{path}", options.url.trim_end_matches('/'));
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let request = http::Request::builder()
        .method(method)
        .uri(&url)
        .header("authorization", format!("Bearer {}", options.admin_token))
        .header("content-type", "application/json")
        .body(body.map(|body| body.to_string()).unwrap_or_default())?;
    let mut response = agent.run(request).with_context(|| format!("cannot reach {url}"))?;
    let text = response.body_mut().read_to_string()?;
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    if response.status().is_success() {
        return Ok(answer);
    }
    let message = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or(&text);
    bail!("{}: {message}", response.status())
}

impl Fields {
    /// The fields that are given, as JSON.
    fn body(&self) -> Map<String, Value> {
        let metadata = self.metadata.as_deref().map(|entry| {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            json!({name: value})
        });
        let fields = [
            ("name", self.name.as_ref().map(|name| json!(name))),
            ("limited", self.limited.map(|limited| json!(limited))),
            ("disabled", self.disabled.map(|disabled| json!(disabled))),
            ("expiresAt", self.expires_at.as_ref().map(|end| json!(end))),
            ("ttlSeconds", self.ttl_seconds.map(|seconds| json!(seconds))),
            ("providers", self.providers.as_ref().map(|providers| json!(providers))),
            ("models", self.models.as_ref().map(|models| json!(models))),
            ("metadata", metadata),
            ("note", self.note.as_ref().map(|note| json!(note))),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_leaves_nothing_that_means_something() {
        assert_eq!(escape("a-b_c.~1"), "a-b_c.~1");
        assert_eq!(escape("a&b=ü "), "a%26b%3D%C3%BC%20");
    }
}
