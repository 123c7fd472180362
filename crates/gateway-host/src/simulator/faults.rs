//! Failures on demand, asked for by the header `x-simulate` of a request: `name=value` pairs,
//! separated by commas. The gateway under test passes the header on like any it does not know.
//!
//! | pair | what happens |
//! |---|---|
//! | `status=429` | the provider's error of that status |
//! | `cloudflare=2005` | the gateway's own error of that code |
//! | `policy=403` | the gateway's policy error, which has no code |
//! | `times=2`, `id=x` | … for the first two requests of that id only |
//! | `head_delay=50` | the head comes that many milliseconds late |
//! | `chunk_delay=5` | each further chunk comes that many milliseconds late |
//! | `gate=x` | chunks after the first wait until the gate `x` is opened |
//! | `cut=head` | the connection ends before the head |
//! | `cut=body` | the connection ends after the first chunk |
//! | `garbage=1` | a body that is not what its content type says |
//! | `odd=1` | an event stream of all that is allowed and rare, byte by byte: [`ODD_STREAM`] |
//! | `plain=1` | a whole JSON answer to `stream: true`, as guardrails make it |
//! | `chunks=500` | a chat stream of that many content chunks |
//!
//! Of Bedrock only; `times` does not count these:
//!
//! | pair | what happens |
//! |---|---|
//! | `exception=throttlingException` | the exception of that name, the first frame of a stream |
//! | `exception=error` | the same, as a frame that is an error and no exception |
//! | `after=2` | … after that many frames |
//! | `flip=crc` | a bit of the third frame's checksum is wrong |
//! | `cut=frame` | the stream ends in the middle of the third frame, as if that were its end |
//! | `cut=stop` | the stream ends before `messageStop`, as if that were its end |
//! | `split=1` | the stream comes byte by byte |
//! | `no_usage=1` | the stream has no `metadata` |
//! | `stop=max_tokens` | that stop reason, whatever it is |
//! | `no_output=1` | a 200 without output |
//! | `citations=1` | text with a citation |
//! | `redacted=1` | redacted reasoning first |

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::json;

use crate::simulator::Simulator;
use crate::simulator::reply::{Content, Cut, Reply};

/// Comments, both line ends, data of many lines, an event's name and id, and no text encoding.
pub const ODD_STREAM: &[u8] =
    b": a comment\r\n\r\nid: 7\r\nevent: odd\r\ndata: one\r\ndata:two\n\n\
    :\n\nretry: 10\n\ndata: {\"model\":\"odd\"}\r\r\xff\xfe\n\ndata: [DONE]\n\n";

/// What is to go wrong.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct Fault {
    status: Option<u16>,
    cloudflare: Option<u16>,
    policy: Option<u16>,
    times: Option<u32>,
    id: String,
    head_delay: Option<Duration>,
    pub(crate) chunk_delay: Option<Duration>,
    pub(crate) gate: Option<String>,
    cuts_head: bool,
    pub(crate) cuts_body: bool,
    is_garbage: bool,
    is_odd: bool,
    pub(crate) is_plain: bool,
    pub(crate) chunks: Option<usize>,
}

impl Fault {
    /// Reads the header; what it does not know it ignores.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut fault = Self::default();
        for (name, value) in pairs(headers) {
            fault.set(name, value);
        }
        fault
    }

    fn set(&mut self, name: &str, value: &str) {
        let millis = || value.parse().ok().map(Duration::from_millis);
        match name {
            "status" => self.status = value.parse().ok(),
            "cloudflare" => self.cloudflare = value.parse().ok(),
            "policy" => self.policy = value.parse().ok(),
            "times" => self.times = value.parse().ok(),
            "id" => value.clone_into(&mut self.id),
            "head_delay" => self.head_delay = millis(),
            "chunk_delay" => self.chunk_delay = millis(),
            "gate" => self.gate = Some(value.to_owned()),
            "cut" => {
                self.cuts_head = value == "head";
                self.cuts_body = value == "body";
            }
            "garbage" => self.is_garbage = true,
            "odd" => self.is_odd = true,
            "plain" => self.is_plain = true,
            "chunks" => self.chunks = value.parse().ok(),
            _ => {}
        }
    }

    /// Whether it shows in the middle of a body.
    pub(crate) fn is_of_body(&self) -> bool {
        self.cuts_body || self.gate.is_some() || self.chunk_delay.is_some()
    }

    /// Fails as asked, or answers with `answer`.
    pub(crate) async fn apply(
        &self,
        simulator: &Simulator,
        error: impl FnOnce(u16) -> Reply,
        answer: impl FnOnce() -> Reply,
    ) -> Result<Reply, Cut> {
        if let Some(delay) = self.head_delay {
            tokio::time::sleep(delay).await;
        }
        if self.times.is_some_and(|times| !simulator.is_due(&self.id, times)) {
            return Ok(answer());
        }
        if self.cuts_head {
            return Err(Cut);
        }
        Ok(self.failure(error).unwrap_or_else(answer))
    }

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

/// The pairs of the header.
pub(crate) fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let text = headers.get("x-simulate").and_then(|value| value.to_str().ok());
    text.unwrap_or_default().split(',').filter_map(|pair| pair.trim().split_once('='))
}

/// An error of the gateway itself, with the status Cloudflare gives it.
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
