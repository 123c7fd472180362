//! Faults on demand. A request asks for them in its header `x-simulate`: `name=value` pairs,
//! separated by commas. The gateway under test forwards the header like any unknown one.
//!
//! | pair | effect |
//! |---|---|
//! | `status=429` | the provider's error with that status |
//! | `cloudflare=2005` | the AI Gateway's own error with that code |
//! | `policy=403` | the AI Gateway's policy error, which has no code |
//! | `times=2`, `id=x` | the fault affects only the first two requests with that ID |
//! | `head_delay=50` | the response headers are delayed by that many milliseconds |
//! | `chunk_delay=5` | each chunk after the first is delayed by that many milliseconds |
//! | `gate=x` | chunks after the first wait until the gate `x` is opened |
//! | `cut=head` | the connection ends before the response headers |
//! | `cut=body` | the connection ends after the first chunk |
//! | `cut_after=3` | the connection ends after that many chunks |
//! | `no_usage=1` | a chat stream without usage, whatever is requested, and a Bedrock stream without `metadata` |
//! | `cache=HIT` | the AI Gateway's cache responds |
//! | `routed=gpt-4o-mini` | a route of the AI Gateway has chosen that model |
//! | `garbage=1` | a body that does not match its content type |
//! | `odd=1` | an event stream of everything valid but rare, byte by byte: [`ODD_STREAM`] |
//! | `plain=1` | a whole JSON response to `stream: true`, as guardrails return |
//! | `chunks=500` | a chat stream with that many content chunks |
//!
//! Bedrock only; `times` has no effect on these:
//!
//! | pair | effect |
//! |---|---|
//! | `exception=throttlingException` | the exception of that name, as the first frame of a stream |
//! | `exception=error` | the same, as a frame of type `error` instead of `exception` |
//! | `after=2` | the exception follows that many frames |
//! | `flip=crc` | one bit of the third frame's checksum is wrong |
//! | `cut=frame` | the body ends regularly in the middle of the third frame |
//! | `cut=stop` | the body ends regularly before `messageStop` |
//! | `split=1` | the stream is sent byte by byte |
//! | `stop=max_tokens` | that stop reason, which need not be a known one |
//! | `no_output=1` | status 200 without output |
//! | `citations=1` | text with a citation |
//! | `redacted=1` | redacted reasoning first |

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::json;

use crate::simulator::Simulator;
use crate::simulator::reply::{Content, Cut, Reply};

/// An event stream with comments, every kind of line ending, data on several lines, an event name
/// and ID, and bytes that are not UTF-8.
pub const ODD_STREAM: &[u8] =
    b": a comment\r\n\r\nid: 7\r\nevent: odd\r\ndata: one\r\ndata:two\n\n\
    :\n\nretry: 10\n\ndata: {\"model\":\"odd\"}\r\r\xff\xfe\n\ndata: [DONE]\n\n";

/// The faults that a request asks for, of any provider.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
pub struct Fault {
    status: Option<u16>,
    cloudflare: Option<u16>,
    policy: Option<u16>,
    times: Option<u32>,
    id: String,
    response_delay: Option<Duration>,
    pub(crate) chunk_delay: Option<Duration>,
    pub(crate) gate: Option<String>,
    cuts_connection: bool,
    pub(crate) cut_after: Option<usize>,
    pub(crate) lacks_usage: bool,
    pub(crate) is_cached: bool,
    pub(crate) routed: Option<String>,
    is_garbage: bool,
    is_odd: bool,
    pub(crate) is_plain: bool,
    pub(crate) chunks: Option<usize>,
}

impl Fault {
    /// Reads the faults from the request headers.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        read_pairs(headers, Self::set)
    }

    /// Sets the fault of one pair. Unknown names are ignored: they may be Bedrock's.
    fn set(&mut self, name: &str, value: &str) {
        let millis = || value.parse().ok().map(Duration::from_millis);
        match name {
            "status" => self.status = value.parse().ok(),
            "cloudflare" => self.cloudflare = value.parse().ok(),
            "policy" => self.policy = value.parse().ok(),
            "times" => self.times = value.parse().ok(),
            "id" => value.clone_into(&mut self.id),
            "head_delay" => self.response_delay = millis(),
            "chunk_delay" => self.chunk_delay = millis(),
            "gate" => self.gate = Some(value.to_owned()),
            "cut" => {
                self.cuts_connection = value == "head";
                self.cut_after = (value == "body").then_some(1);
            }
            "cut_after" => self.cut_after = value.parse().ok(),
            "no_usage" => self.lacks_usage = true,
            "cache" => self.is_cached = value == "HIT",
            "routed" => self.routed = Some(value.to_owned()),
            "garbage" => self.is_garbage = true,
            "odd" => self.is_odd = true,
            "plain" => self.is_plain = true,
            "chunks" => self.chunks = value.parse().ok(),
            _ => {}
        }
    }

    /// Checks whether the fault affects the middle of a body.
    pub(crate) fn is_of_body(&self) -> bool {
        self.cut_after.is_some() || self.gate.is_some() || self.chunk_delay.is_some()
    }

    /// Fails as requested, or returns the reply of `respond`.
    pub(crate) async fn apply(
        &self,
        simulator: &Simulator,
        error: impl FnOnce(u16) -> Reply,
        respond: impl FnOnce() -> Reply,
    ) -> Result<Reply, Cut> {
        if self.times.is_some_and(|times| !simulator.is_failure_due(&self.id, times)) {
            return Ok(respond());
        }
        if let Some(delay) = self.response_delay {
            tokio::time::sleep(delay).await;
        }
        if self.cuts_connection {
            return Err(Cut);
        }
        Ok(self.failure(error).unwrap_or_else(respond))
    }

    /// Builds the reply of the fault, if it replaces the regular one.
    fn failure(&self, error: impl FnOnce(u16) -> Reply) -> Option<Reply> {
        if let Some(status) = self.status {
            return Some(error(status));
        }
        if let Some(code) = self.cloudflare {
            return Some(gateway_error(code));
        }
        if let Some(status) = self.policy {
            let error = json!({"message": "Access denied by policy"});
            return Some(Reply::json(status, &json!({"success": false, "error": error})));
        }
        if self.is_odd {
            let bytes = ODD_STREAM.split_inclusive(|_| true).map(Bytes::from_static).collect();
            return Some(Reply { body: Content::Chunks(bytes), ..Reply::events([]) });
        }
        self.is_garbage.then(|| Reply::whole(200, "application/json", &b"\x00\xff<html>{"[..]))
    }
}

/// Builds faults from the pairs of the header `x-simulate`, each of which is passed to `set`.
pub(crate) fn read_pairs<F: Default>(headers: &HeaderMap, set: fn(&mut F, &str, &str)) -> F {
    let text = headers.get("x-simulate").and_then(|value| value.to_str().ok());
    let pairs = text.unwrap_or_default().split(',');
    let mut fault = F::default();
    for (name, value) in pairs.filter_map(|pair| pair.trim().split_once('=')) {
        set(&mut fault, name, value);
    }
    fault
}

/// Builds an error of the AI Gateway itself, with the status that Cloudflare documents for `code`.
/// <https://developers.cloudflare.com/ai-gateway/reference/troubleshooting/>
pub(crate) fn gateway_error(code: u16) -> Reply {
    let (status, message) = match code {
        2001 => (400, "Please configure AI Gateway in the Cloudflare dashboard"),
        2003 => (429, "Rate limited"),
        2005 => (400, "Failed to get response from provider"),
        2009 => (401, "Unauthorized"),
        2016 => (424, "Prompt blocked due to security configurations"),
        2021 => (402, "Insufficient wholesale credits"),
        2041 | 2045 => (429, "Spend limit exceeded"),
        10000 => (401, "Authentication error"),
        _ => (400, "Simulated gateway error"),
    };
    let body = json!({
        "success": false,
        "result": [],
        "messages": [],
        "error": [{"code": code, "message": message}],
        "name": "AiGatewayError",
        "httpCode": status,
        "internalCode": code,
        "message": message,
    });
    Reply::json(status, &body)
}
