//! One line of JSON per request: what happened, for which team, how long it took. Never a key or a
//! body.

mod line;

use self::line::Value;
use crate::error::{Error, Fault};
use crate::http::headers::Headers;
use crate::http::trace;
use crate::limits::amount::Usd;
use crate::operation;
use crate::usage::Usage;
use crate::usage::observer::Observer;
use crate::{KeyId, Outbound, Team};

/// The length that a line stays below, in bytes: a pipe accepts so many in one write.
pub const MAX_LINE: usize = 4096;

/// A request's log entry, filled in while the request is served.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// When the request was received, RFC 3339.
    pub time: String,
    /// `info`, `warn` or `error`.
    pub level: &'static str,
    /// The component that served it.
    pub provider: &'static str,
    /// The gateway's id of the request, which the client and the upstream get, too.
    pub request_id: String,
    /// The id of the client's trace.
    pub trace_id: Option<String>,
    /// What the request is for, such as `chat`.
    pub operation: Option<&'static str>,
    /// Whether the response is an event stream.
    pub stream: bool,
    /// The team that the request is attributed to.
    pub team_id: Option<String>,
    /// The id of the key that the client sent.
    pub key_id: Option<String>,
    /// Who manages keys: `admin`, or the id of a key that acts on itself.
    pub actor: Option<String>,
    /// The operation on a key.
    pub action: Option<&'static str>,
    /// The id of the key that the operation is on.
    pub subject: Option<String>,
    /// The model the client requested.
    pub original_model: Option<String>,
    /// The model requested from the provider.
    pub model: Option<String>,
    /// The status the client received.
    pub status: u16,
    /// The status of the upstream's response.
    pub upstream_status: Option<u16>,
    /// Milliseconds from the request's arrival to the first bytes of an event stream that were written.
    pub first_chunk_ms: Option<u64>,
    /// When the upstream was waited for, in microseconds since the request's arrival.
    upstream: Option<(u64, u64)>,
    /// Milliseconds from the request's arrival to its end.
    pub total_ms: u64,
    /// Body bytes sent to the client.
    pub bytes: u64,
    /// The AI Gateway's id of the request.
    pub cf_aig_log_id: Option<String>,
    /// Whether the AI Gateway's cache has responded: `HIT` or `MISS`.
    pub cache: Option<String>,
    /// Which step of a route of the AI Gateway has responded.
    pub step: Option<String>,
    /// The model that the AI Gateway has chosen.
    pub response_model: Option<String>,
    /// The fields of the request that were ignored.
    pub ignored: Option<String>,
    /// Why the request was retried in another form.
    pub retried: Option<String>,
    /// The models that were asked, with the status of each.
    pub attempts: Option<String>,
    /// Why the model stopped, in the provider's word.
    pub finish_reason: Option<String>,
    /// Input tokens, with cached ones.
    pub input_tokens: Option<i64>,
    /// Output tokens, with those of reasoning.
    pub output_tokens: Option<i64>,
    /// Input tokens that were read from a cache.
    pub cached_tokens: Option<i64>,
    /// Input tokens that were written to a cache.
    pub cache_write_tokens: Option<i64>,
    /// Output tokens of reasoning.
    pub reasoning_tokens: Option<i64>,
    /// What the request cost, in dollars.
    pub cost_usd: Option<Usd>,
    /// The limit that refused the request, or the budgets that are used up.
    pub limit: Option<String>,
    /// What of the request's use could not be counted.
    pub unsettled: Option<String>,
    /// Who has to act, if something went wrong.
    pub fault: Option<Fault>,
    /// What went wrong, with its causes.
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

    /// Notes the ids of a request to `path_with_query` with these headers, and what it is for.
    pub fn note_request(&mut self, path_with_query: &str, headers: &Headers, request_id: &str) {
        request_id.clone_into(&mut self.request_id);
        self.trace_id = trace::ids(headers).map(|(trace, _)| trace.to_owned());
        self.operation = operation::name::of_path(path_with_query);
    }

    /// Notes the team of the request.
    pub fn note_team(&mut self, team: &Team) {
        self.team_id = Some(team.team_id.clone());
    }

    /// Notes that the upstream was waited for, from `before` to `after` in microseconds since the request's
    /// arrival. Several requests count from the first one to the last response.
    pub fn note_upstream(&mut self, before: u64, after: u64) {
        let (first, _) = *self.upstream.get_or_insert((before, after));
        self.upstream = Some((first, after));
    }

    /// Returns the milliseconds from the request's arrival to the headers of the upstream's last response.
    fn head_ms(&self) -> Option<u64> {
        self.upstream.filter(|_| self.upstream_status.is_some()).map(|(_, last)| last / 1000)
    }

    /// Returns the microseconds for which the upstream was waited for.
    pub fn upstream_micros(&self) -> Option<u64> {
        self.upstream.map(|(first, last)| last.saturating_sub(first))
    }

    /// Notes the models of the request.
    pub fn note_outbound(&mut self, outbound: &Outbound) {
        self.original_model.clone_from(&outbound.original_model);
        self.model.clone_from(&outbound.model);
    }

    /// Notes an error that the client received, or that ended a response early.
    pub fn note_error(&mut self, error: &Error) {
        let fault = error.shape().fault;
        // What could not be counted is the gateway's, whatever went wrong besides.
        if self.unsettled.is_none() {
            self.level = match fault {
                Fault::Client => "info",
                Fault::Upstream => "warn",
                Fault::Operator | Fault::Gateway => "error",
            };
            self.fault = Some(fault);
        }
        self.error = Some(error.chain());
        if let Some(limit) = error.limit() {
            self.limit = Some(limit.to_owned());
        }
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
        self.cost_usd = cost;
    }

    /// Notes what `observer` has read in the response to a request that is not counted.
    pub fn note_observed(&mut self, observer: &Observer) {
        self.note_completion(observer.finish_reason(), observer.reported());
    }

    /// Notes why the model stopped, and what a request that is not counted has used.
    pub fn note_completion(&mut self, finish_reason: Option<String>, usage: Option<Usage>) {
        self.finish_reason = finish_reason;
        if let Some(usage) = usage {
            self.note_usage(&usage, None);
        }
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
    pub fn to_line(&self) -> String {
        let plain = Value::Text;
        let count = |number: Option<i64>| Value::Number(number.map(i64::unsigned_abs));
        // What a client or an upstream can make long has a limit.
        let cut = |text, most| Value::Cut(Option::as_deref(text), most);
        line::format(&[
            ("time", plain(Some(&self.time))),
            ("level", plain(Some(self.level))),
            ("provider", plain(Some(self.provider))),
            ("request_id", plain(Some(&self.request_id))),
            ("trace_id", plain(self.trace_id.as_deref())),
            ("operation", plain(self.operation)),
            ("stream", Value::Flag(self.stream)),
            ("team_id", cut(&self.team_id, 400)),
            ("key_id", plain(self.key_id.as_deref())),
            ("actor", plain(self.actor.as_deref())),
            ("action", plain(self.action)),
            ("subject", plain(self.subject.as_deref())),
            ("original_model", cut(&self.original_model, 300)),
            ("model", cut(&self.model, 300)),
            ("status", Value::Number(Some(self.status.into()))),
            ("upstream_status", Value::Number(self.upstream_status.map(u64::from))),
            ("head_ms", Value::Number(self.head_ms())),
            ("first_chunk_ms", Value::Number(self.first_chunk_ms)),
            ("total_ms", Value::Number(Some(self.total_ms))),
            ("bytes", Value::Number(Some(self.bytes))),
            ("cf_aig_log_id", cut(&self.cf_aig_log_id, 100)),
            ("cache", cut(&self.cache, 20)),
            ("step", cut(&self.step, 20)),
            ("response_model", cut(&self.response_model, 150)),
            ("ignored", cut(&self.ignored, 150)),
            ("retried", cut(&self.retried, 250)),
            ("attempts", cut(&self.attempts, 300)),
            ("finish_reason", cut(&self.finish_reason, 30)),
            ("input_tokens", count(self.input_tokens)),
            ("output_tokens", count(self.output_tokens)),
            ("cached_tokens", count(self.cached_tokens)),
            ("cache_write_tokens", count(self.cache_write_tokens)),
            ("reasoning_tokens", count(self.reasoning_tokens)),
            ("cost_usd", Value::Dollars(self.cost_usd)),
            ("limit", cut(&self.limit, 150)),
            ("unsettled", cut(&self.unsettled, 250)),
            ("fault", plain(self.fault.map(Fault::as_str))),
            ("error", cut(&self.error, 600)),
        ])
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
        entry.stream = true;
        let id = key().id().as_str().to_owned();
        let expected = format!(
            r#"{{"time":"2026-01-01T00:00:00.000Z","level":"info","provider":"openai","request_id":"","stream":true,"team_id":"two\nlines","key_id":"{id}","status":200,"total_ms":0,"bytes":0}}"#
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
            (entry.request_id, entry.trace_id) =
                ("req_".to_owned() + &"0".repeat(32), Some("0".repeat(32)));
            (entry.operation, entry.stream) = (Some("image_generation"), true);
            (entry.first_chunk_ms, entry.finish_reason) = (Some(u64::MAX), Some(long.clone()));
            (entry.total_ms, entry.bytes, entry.status) = (u64::MAX, u64::MAX, u16::MAX);
            entry.note_upstream(0, u64::MAX);
            entry.upstream_status = Some(u16::MAX);
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
