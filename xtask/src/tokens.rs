//! `cargo xtask tokens`: manages the team keys of a running gateway.

mod limits;
mod table;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::{print, say};

#[derive(Args)]
pub(crate) struct Options {
    /// URL of the gateway.
    #[arg(long, global = true, env = "GATEWAY_URL", default_value = "http://127.0.0.1:3000")]
    url: String,
    /// Admin token of the gateway.
    #[arg(
        long,
        global = true,
        env = "GATEWAY_ADMIN_TOKEN",
        hide_env_values = true,
        default_value = ""
    )]
    admin_token: String,
    /// Print JSON instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Creates a key and shows it; it cannot be shown again.
    Create {
        /// Team that requests are attributed to.
        team: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Lists all keys, or those of a team.
    List {
        /// List only this team's keys.
        #[arg(long)]
        team: Option<String>,
    },
    /// Shows a key's record, without the key.
    Show {
        /// Id of the key.
        id: String,
    },
    /// Updates a key; options that are omitted keep their value.
    Patch {
        /// Id of the key.
        id: String,
        #[command(flatten)]
        fields: Fields,
        /// Field to clear, by its JSON name, such as note, models or expiresAt; repeatable.
        #[arg(long)]
        clear: Vec<String>,
    },
    /// Revokes a key, effective from the next request.
    Revoke {
        /// Id of the key.
        id: String,
        /// Revoke all keys that were rotated from the same first key, too.
        #[arg(long)]
        lineage: bool,
    },
    /// Rotates a key: creates a new one and ends the old one.
    Refresh {
        /// Id of the old key.
        id: String,
        /// Seconds the old key stays valid.
        #[arg(long, default_value_t = 0)]
        grace_seconds: u64,
    },
    /// Shows or sets the limits of a key, or of a team over all its keys.
    Limits(limits::Options),
    /// Lists the teams and their limits.
    Teams,
    /// Shows what keys and teams have used.
    Usage(limits::UsageOptions),
    /// Explains whether a request would be allowed, and by which rule.
    Explain {
        /// Id of the key.
        id: String,
        /// Provider, by its route prefix.
        #[arg(long)]
        provider: String,
        /// Model that the request names.
        #[arg(long)]
        model: String,
    },
}

#[derive(Args)]
struct Fields {
    /// Display name; defaults to the team's id for a new key.
    #[arg(long)]
    name: Option<String>,
    /// Restrict the team to the operator's `limited_models`.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    limited: Option<bool>,
    /// Allow operations on the whole provider account, such as listing all files.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    account: Option<bool>,
    /// Disable the key temporarily: requests get 401.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    disabled: Option<bool>,
    /// Expiry, a UTC time such as 2030-01-31T12:00:00Z; excludes --ttl-seconds.
    #[arg(long)]
    expires_at: Option<String>,
    /// Lifetime in seconds; excludes --expires-at.
    #[arg(long)]
    ttl_seconds: Option<u64>,
    /// Provider (route prefix) the key may use; repeatable.
    #[arg(long = "provider")]
    providers: Option<Vec<String>>,
    /// Models the key may use, as a pattern such as `gpt-4o*`; repeatable.
    #[arg(long = "model")]
    models: Option<Vec<String>>,
    /// Entry to add to cf-aig-metadata, as name=value.
    #[arg(long)]
    metadata: Option<String>,
    /// Whether the AI Gateway may keep prompts and responses in its log.
    #[arg(long)]
    log_payloads: Option<bool>,
    /// Which of a provider's credentials in the AI Gateway is used.
    #[arg(long)]
    byok_alias: Option<String>,
    /// Free-text note.
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    limits: limits::Limits,
}

/// Runs the action and prints the result.
pub(crate) fn run(options: &Options) -> Result<()> {
    let result = perform(options)?;
    if options.json {
        print(&serde_json::to_string_pretty(&result)?);
    } else {
        print(&table::format(&result));
    }
    Ok(())
}

/// Sends the requests of the action and returns their result as JSON.
fn perform(options: &Options) -> Result<Value> {
    let send = |method, path: &str, body| send(options, method, path, body);
    match &options.action {
        Action::Create { team, fields } => {
            let mut body = fields.body();
            body.insert("teamId".to_owned(), json!(team));
            send("POST", "/tokens", Some(body.into()))
        }
        Action::List { team } => list(options, team.as_deref()),
        Action::Show { id } => send("GET", &format!("/tokens/{id}"), None),
        Action::Patch { id, fields, clear } => {
            let mut body = fields.body();
            body.extend(clear.iter().map(|name| (name.clone(), Value::Null)));
            send("PATCH", &format!("/tokens/{id}"), Some(body.into()))
        }
        Action::Revoke { id, lineage } => {
            send("DELETE", &format!("/tokens/{id}?lineage={lineage}"), None)
        }
        Action::Refresh { id, grace_seconds } => {
            send("POST", &format!("/tokens/{id}/refresh?graceSeconds={grace_seconds}"), None)
        }
        Action::Limits(limits) => limits::set_or_show(options, limits),
        Action::Teams => limits::teams(options),
        Action::Usage(usage) => limits::usage(options, usage),
        Action::Explain { id, provider, model } => {
            let body = json!({"provider": provider, "model": model});
            send("POST", &format!("/tokens/{id}/explain"), Some(body))
        }
    }
}

/// Lists the keys of all pages.
fn list(options: &Options, team: Option<&str>) -> Result<Value> {
    let team = team.map(|team| format!("&teamId={}", escape(team))).unwrap_or_default();
    pages(options, &format!("/tokens?limit=200{team}"))
}

/// Collects the entries of all pages of a list.
fn pages(options: &Options, path: &str) -> Result<Value> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut page = send(options, "GET", &format!("{path}{cursor}"), None)?;
        if let Some(Value::Array(data)) = page.get_mut("data") {
            entries.append(data);
        }
        for id in page.get("unreadable").and_then(Value::as_array).into_iter().flatten() {
            say(&format!("The record of key {id} is unreadable"));
        }
        match page.get("nextCursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={}", escape(next)),
            None => return Ok(entries.into()),
        }
    }
}

/// Escapes `text` as a query value.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape =
        |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

/// Sends a request to the gateway. An error carries the gateway's own message.
fn send(options: &Options, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
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
    let result: Value = serde_json::from_str(&text).unwrap_or_default();
    if response.status().is_success() {
        return Ok(result);
    }
    let message = result.pointer("/error/message").and_then(Value::as_str).unwrap_or(&text);
    bail!("{}: {message}", response.status())
}

impl Fields {
    /// Returns the given fields as JSON. Those that are omitted must be absent: `null` clears a field.
    fn body(&self) -> Map<String, Value> {
        let metadata = self.metadata.as_deref().map(|entry| {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            json!({name: value})
        });
        let fields = [
            ("name", self.name.as_ref().map(|name| json!(name))),
            ("limited", self.limited.map(|limited| json!(limited))),
            ("account", self.account.map(|account| json!(account))),
            ("disabled", self.disabled.map(|disabled| json!(disabled))),
            ("expiresAt", self.expires_at.as_ref().map(|end| json!(end))),
            ("ttlSeconds", self.ttl_seconds.map(|seconds| json!(seconds))),
            ("providers", self.providers.as_ref().map(|providers| json!(providers))),
            ("models", self.models.as_ref().map(|models| json!(models))),
            ("metadata", metadata),
            ("note", self.note.as_ref().map(|note| json!(note))),
            ("logPayloads", self.log_payloads.map(|log| json!(log))),
            ("byokAlias", self.byok_alias.as_ref().map(|alias| json!(alias))),
            ("limits", self.limits.body()),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_encodes_reserved_characters() {
        assert_eq!(escape("a-b_c.~1"), "a-b_c.~1");
        assert_eq!(escape("a&b=ü "), "a%26b%3D%C3%BC%20");
    }
}
