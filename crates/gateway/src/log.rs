//! One line of JSON per request: what happened, for which team, how long it took. Never a key or a
//! body.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{Error, Fault};
use crate::http::json::to_ascii;
use crate::limits::amount::Usd;
use crate::usage::Usage;
use crate::{KeyId, Outbound, Team};

/// The length that a line stays below, in bytes: a pipe accepts so many in one write.
pub const MAX_LINE: usize = 4096;

/// A request's log entry, filled in while the request is served.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry {
    /// When the request was received, RFC 3339.
    pub time: String,
    /// `info`, `warn` or `error`.
    pub level: &'static str,
    /// The component that served it.
    pub provider: &'static str,
    /// The team that the request is attributed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// The id of the key that the client sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Who manages keys: `admin`, or the id of a key that acts on itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The operation on a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'static str>,
    /// The id of the key that the operation is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The model the client requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_model: Option<String>,
    /// The model requested from the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The status the client received.
    pub status: u16,
    /// The status of the upstream's response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// Milliseconds from the request's arrival to the upstream's response headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_ms: Option<u64>,
    /// Milliseconds from the request's arrival to its end.
    pub total_ms: u64,
    /// Body bytes sent to the client.
    pub bytes: u64,
    /// The AI Gateway's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cf_aig_log_id: Option<String>,
    /// Whether the AI Gateway's cache has responded: `HIT` or `MISS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
    /// Which step of a route of the AI Gateway has responded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The model that the AI Gateway has chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_model: Option<String>,
    /// The fields of the request that were ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
    /// Why the request was retried in another form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retried: Option<String>,
    /// The models that were asked, with the status of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<String>,
    /// Input tokens, with cached ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<i64>,
    /// Output tokens, with those of reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<i64>,
    /// Input tokens that were read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<i64>,
    /// Input tokens that were written to a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<i64>,
    /// Output tokens of reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<i64>,
    /// What the request cost, in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Box<RawValue>>,
    /// The budgets that are used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// What of the request's use could not be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<String>,
    /// Who has to act, if something went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What went wrong, with its causes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Entry {
    /// Creates an entry for a request to `provider` that was received at `time`.
    pub fn new(provider: &'static str, time: String) -> Self {
        Self { time, level: "info", provider, ..Self::default() }
    }

    /// Notes which key was used, before the store is read: an unknown key is logged too.
    pub fn note_key(&mut self, id: &KeyId) {
        self.key_id = Some(id.as_str().to_owned());
    }

    /// Notes the team of the request.
    pub fn note_team(&mut self, team: &Team) {
        self.team_id = Some(team.team_id.clone());
    }

    /// Notes the models of the request.
    pub fn note_outbound(&mut self, outbound: &Outbound) {
        self.original_model.clone_from(&outbound.original_model);
        self.model.clone_from(&outbound.model);
    }

    /// Notes an error that the client received, or that ended a response early.
    pub fn note_error(&mut self, error: &Error) {
        let fault = error.shape().fault;
        self.level = match fault {
            _ if self.unsettled.is_some() => self.level,
            Fault::Client => "info",
            Fault::Upstream => "warn",
            Fault::Operator | Fault::Gateway => "error",
        };
        self.fault = Some(fault);
        self.error = Some(error.chain());
    }

    /// Notes that the client disconnected before the response was complete.
    pub fn note_disconnect(&mut self) {
        self.fault = Some(Fault::Client);
        self.error = Some("client disconnected before the response was complete".to_owned());
    }

    /// Notes what the request has used.
    pub fn note_usage(&mut self, usage: &Usage, cost: Option<Usd>) {
        let some = |tokens: i64| (tokens != 0).then_some(tokens);
        (self.input_tokens, self.output_tokens) = (Some(usage.input), Some(usage.output));
        self.cached_tokens = some(usage.cached);
        self.cache_write_tokens = some(usage.cache_write);
        self.reasoning_tokens = some(usage.reasoning);
        self.cost_usd = cost.and_then(|cost| RawValue::from_string(cost.to_string()).ok());
    }

    /// Notes which `amounts` could not be added to which counters, so that someone can correct them.
    pub fn note_unsettled(&mut self, amounts: &str) {
        (self.level, self.fault) = ("error", Some(Fault::Gateway));
        self.unsettled = Some(amounts.to_owned());
    }

    /// Formats the entry as one line of ASCII, with its line feed.
    ///
    /// A line is shorter than [`MAX_LINE`], because a longer one takes more than one write, and those
    /// of other requests could get between its parts.
    pub fn to_line(mut self) -> String {
        self.shorten();
        // Every field is a string, a number or absent: serialising cannot fail.
        let mut line = to_ascii(&serde_json::to_string(&self).unwrap_or_default());
        line.push('\n');
        line
    }

    /// Shortens what a client or an upstream can make long.
    fn shorten(&mut self) {
        let fields = [
            (&mut self.team_id, 400),
            (&mut self.original_model, 350),
            (&mut self.model, 350),
            (&mut self.cf_aig_log_id, 100),
            (&mut self.cache, 20),
            (&mut self.step, 20),
            (&mut self.response_model, 150),
            (&mut self.ignored, 150),
            (&mut self.retried, 350),
            (&mut self.limit, 150),
            (&mut self.attempts, 300),
            (&mut self.unsettled, 250),
            (&mut self.error, 600),
        ];
        for (field, length) in fields {
            if let Some(text) = field {
                shorten(text, length);
            }
        }
    }
}

/// Cuts `text` so that it has at most `length` bytes as JSON in ASCII, with a mark at its end.
fn shorten(text: &mut String, length: usize) {
    let mut used = 0;
    let fits = |character: &char| {
        used += match character {
            '"' | '\\' => 2,
            ' '..='~' => 1,
            '\0'..='\u{ffff}' => 6,
            _ => 12,
        };
        used <= length
    };
    let kept: String = text.chars().take_while(fits).collect();
    if kept.len() < text.len() {
        *text = kept + "...";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Cause;
    use crate::keys::team::tests::{key, team};

    #[test]
    fn to_line_is_one_line_without_absent_fields() {
        let mut entry = Entry::new("openai", "2026-01-01T00:00:00.000Z".to_owned());
        entry.note_key(&key().id());
        entry.note_team(&team("two\nlines"));
        entry.status = 200;
        let id = key().id().as_str().to_owned();
        let expected = format!(
            r#"{{"time":"2026-01-01T00:00:00.000Z","level":"info","provider":"openai","team_id":"two\nlines","key_id":"{id}","status":200,"total_ms":0,"bytes":0}}"#
        );
        assert_eq!(entry.to_line(), expected + "\n");
    }

    #[test]
    fn to_line_stays_short_and_ascii() {
        for text in ["x", "\u{1f980}", "é", "\n", "\u{1}", "\\", "\u{7f}"] {
            let long = text.repeat(5000);
            let mut entry = Entry::new("workers-ai", "2026-01-01T00:00:00.000Z".to_owned());
            entry.note_key(&key().id());
            entry.note_team(&team(&long));
            entry.actor = Some(key().id().as_str().to_owned());
            entry.subject = entry.actor.clone();
            entry.action = Some("explain");
            entry.note_error(&Error::NotInScope(long.clone()));
            for field in [&mut entry.original_model, &mut entry.model, &mut entry.cf_aig_log_id] {
                *field = Some(long.clone());
            }
            (entry.ignored, entry.retried) = (Some(long.clone()), Some(long.clone()));
            (entry.total_ms, entry.bytes, entry.status) = (u64::MAX, u64::MAX, u16::MAX);
            (entry.head_ms, entry.upstream_status) = (Some(u64::MAX), Some(u16::MAX));
            let most = i64::MAX;
            let usage = Usage {
                input: most,
                output: most,
                cached: most,
                cache_write: most,
                reasoning: most,
            };
            entry.note_usage(&usage, Some(Usd(most)));
            (entry.cache, entry.response_model) = (Some(long.clone()), Some(long.clone()));
            entry.step = Some(long.clone());
            (entry.limit, entry.attempts) = (Some(long.clone()), Some(long.clone()));
            entry.note_unsettled(&long);
            let line = entry.to_line();
            assert!(line.is_ascii() && line.len() < MAX_LINE, "{} {text:?}", line.len());
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert!(read["error"].as_str().unwrap().ends_with("..."), "{text:?}");
        }
    }

    #[test]
    fn note_error_sets_the_level_by_fault() {
        for (error, level) in [
            (Error::InvalidKey, "info"),
            (Error::UpstreamTimeout(Cause("slow".to_owned())), "warn"),
            (Error::Configuration("x".to_owned()), "error"),
            (Error::StoreUnavailable(Cause("down".to_owned())), "error"),
        ] {
            let mut entry = Entry::default();
            entry.note_error(&error);
            assert_eq!((entry.level, entry.error), (level, Some(error.chain())));
        }
    }
}
