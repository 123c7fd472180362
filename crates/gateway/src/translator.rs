//! Providers whose API differs from the client's, so that requests and responses are translated.

use std::time::SystemTime;

use http::StatusCode;

use crate::operator::Operator;
use crate::outbound::Outbound;
use crate::route::Route;
use crate::usage::Usage;
use crate::{Dialect, Error, Request, Response, Team};

/// A provider whose requests and responses are translated.
///
/// [`respond`](Self::respond) makes one request or several through the context's [`Transport`] and
/// returns what the client receives. A stream is translated piece by piece by a [`Rewrite`]:
///
/// ```
/// use gateway::Error;
/// use gateway::translator::Rewrite;
///
/// /// Turns each upstream line into an event.
/// #[derive(Default)]
/// struct Lines(Vec<u8>);
///
/// impl Rewrite for Lines {
///     fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
///         for byte in bytes {
///             match byte {
///                 b'\n' => out.extend([b"data: ", self.0.split_off(0).as_slice(), b"\n\n"].concat()),
///                 byte => self.0.push(*byte),
///             }
///         }
///         Ok(())
///     }
///
///     fn finish(&mut self, _out: &mut Vec<u8>) -> Result<(), Error> {
///         if self.0.is_empty() { Ok(()) } else { Err(Error::invalid_response("half a line")) }
///     }
/// }
///
/// let (mut lines, mut out) = (Lines::default(), Vec::new());
/// lines.push(b"a\nb", &mut out)?;
/// lines.push(b"c\n", &mut out)?;
/// lines.finish(&mut out)?;
/// assert_eq!(out, b"data: a\n\ndata: bc\n\n");
/// # Ok::<(), Error>(())
/// ```
pub trait Translator {
    /// Route prefix, log name and component id.
    const SLUG: &'static str;

    /// Returns the envelope of errors on `path` (below the route, and not checked yet).
    fn dialect(_path: &str) -> Dialect {
        Dialect::OpenAi
    }

    /// Responds to `request`, with as many upstream requests as that takes.
    ///
    /// # Errors
    /// Any situation in which the gateway responds with an error.
    fn respond(request: &Request, context: &Context<'_>) -> Result<Translated, Error>;
}

/// What a translator may know and use.
#[expect(missing_debug_implementations, reason = "it holds the host's transport")]
pub struct Context<'a> {
    /// The team that the client's key belongs to.
    pub team: &'a Team,
    /// What the operator configured.
    pub operator: &'a Operator<'a>,
    /// Reads a setting about models, which is empty if it is not set.
    pub model_setting: &'a dyn Fn(&str) -> Result<String, Error>,
    /// When the request was received.
    pub now: SystemTime,
    /// The connection to the AI Gateway.
    pub transport: &'a dyn Transport,
}

/// Sends requests to the AI Gateway.
pub trait Transport {
    /// Sends `outbound`. The returned function waits for the response headers, so that several
    /// requests can be in flight concurrently.
    ///
    /// # Errors
    /// What kept the request from being sent, or the response headers from being received.
    fn start(&self, outbound: Outbound) -> Result<InFlight<'_>, Error>;

    /// Notes in the log that the request is retried in another form because of `error`.
    fn note_retry(&self, error: &Error);

    /// Notes in the log that the fields `names` of the request were ignored.
    fn note_ignored(&self, names: String);

    /// Notes in the log why the model stopped and what it used, if the response says so. A whole response is
    /// then not read again to find out.
    fn note_completion(&self, finish_reason: Option<&'static str>, usage: Option<Usage>);
}

/// A request in flight: waits for its response headers.
pub type InFlight<'a> = Box<dyn FnOnce() -> Result<UpstreamResponse, Error> + 'a>;

/// An upstream's response, with the headers that a client may see.
pub type UpstreamResponse = Response<Box<dyn Chunks>>;

/// A body that is being received.
pub trait Chunks {
    /// Waits for the next bytes and returns them; nothing at the end.
    ///
    /// # Errors
    /// [`Error::UpstreamInterrupted`] if the body ends too early.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Error>;

    /// Blocks until [`next`](Self::next) would return. Polls `is_wanted`, and returns `false` once
    /// that does. By default it returns immediately, and `next` blocks.
    fn wait(&self, _is_wanted: &dyn Fn() -> bool) -> bool {
        true
    }
}

/// Rewrites one stream of bytes into another, piece by piece.
pub trait Rewrite {
    /// Takes the next bytes and appends to `out` what follows from them, even if it then fails.
    ///
    /// # Errors
    /// What ends the stream early.
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error>;

    /// Ends the stream and appends what is left to `out`.
    ///
    /// # Errors
    /// [`Error::InvalidUpstreamResponse`] if the end comes too early.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error>;

    /// Appends to `out` what comes before the event with the `error` that ends the stream early. By
    /// default nothing does.
    fn fail(&mut self, _error: &Error, _out: &mut Vec<u8>) {}
}

/// A translated response.
#[expect(missing_debug_implementations, reason = "it holds the host's stream")]
pub enum Translated {
    /// A whole response.
    Whole(Response),
    /// A stream of server-sent events.
    Stream(Response<EventStream>),
}

/// A stream of events whose beginning is known.
#[expect(missing_debug_implementations, reason = "it holds the host's stream")]
pub struct EventStream {
    /// The client's first bytes, which are sent together with the response headers.
    pub first: Vec<u8>,
    body: Box<dyn Chunks>,
    rewrite: Box<dyn Rewrite>,
}

impl Context<'_> {
    /// Sends a request made from `request` and waits for the response headers.
    ///
    /// # Errors
    /// As [`Transport::start`], and [`Outbound::translated`].
    pub fn send(&self, request: &Request, route: Route) -> Result<UpstreamResponse, Error> {
        self.start(request, route)?()
    }

    /// Sends a request made from `request` without waiting.
    ///
    /// # Errors
    /// As [`Transport::start`], and [`Outbound::translated`].
    pub fn start(&self, request: &Request, route: Route) -> Result<InFlight<'_>, Error> {
        let outbound = Outbound::translated(route, &request.head, self.team, self.operator)?;
        self.transport.start(outbound)
    }
}

impl EventStream {
    /// Starts to rewrite `response`.
    ///
    /// Reads until the first bytes for the client are known: a failure before that still gets a
    /// status of its own.
    ///
    /// # Errors
    /// What the provider sent instead of a stream.
    pub fn open(
        response: UpstreamResponse,
        mut rewrite: Box<dyn Rewrite>,
    ) -> Result<Response<Self>, Error> {
        let Response { mut headers, mut body, .. } = response;
        headers.retain(|name| !matches!(name, "content-length" | "content-type"));
        headers.push("content-type", "text/event-stream");
        headers.push("cache-control", "no-cache");
        let mut first = Vec::new();
        while first.is_empty() {
            let Some(bytes) = body.next()? else {
                return Err(Error::invalid_response("the stream ended before its first event"));
            };
            rewrite.push(&bytes, &mut first)?;
        }
        Ok(Response { status: StatusCode::OK, headers, body: Self { first, body, rewrite } })
    }

    /// Blocks until [`next`](Self::next) would return, as [`Chunks::wait`] does.
    pub fn wait(&self, is_wanted: &dyn Fn() -> bool) -> bool {
        self.body.wait(is_wanted)
    }

    /// Replaces `out` by the client's next bytes, and returns whether more may follow.
    ///
    /// # Errors
    /// What ends the stream early, after the bytes in `out`.
    pub fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, Error> {
        out.clear();
        let more = self.advance(out);
        if let Err(error) = &more {
            self.rewrite.fail(error, out);
        }
        more
    }

    /// Appends the client's next bytes to `out`, and returns whether more may follow.
    fn advance(&mut self, out: &mut Vec<u8>) -> Result<bool, Error> {
        let chunk = self.body.next()?;
        match &chunk {
            Some(bytes) => self.rewrite.push(bytes, out)?,
            None => self.rewrite.finish(out)?,
        }
        Ok(chunk.is_some())
    }
}

impl UpstreamResponse {
    /// Reads the body to its end.
    ///
    /// # Errors
    /// [`Error::UpstreamInterrupted`] if it ends too early, [`Error::InvalidUpstreamResponse`] if it
    /// is longer than `limit` bytes.
    pub fn read_body(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.body.next()? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > limit {
                return Err(Error::invalid_response(format!("more than {limit} bytes")));
            }
        }
        Ok(bytes)
    }
}
