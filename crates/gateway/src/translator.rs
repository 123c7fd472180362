//! A provider that is spoken to in another language than its clients speak.

use std::time::SystemTime;

use http::StatusCode;

use crate::outbound::{Destination, Outbound, Rules};
use crate::service::Call;
use crate::{Error, Headers, Reply, Team};

/// A provider whose requests and answers are translated.
pub trait Translator {
    /// Route prefix, log name and component id.
    const SLUG: &'static str;

    /// Answers `call`, asking the provider over `context`'s wire as often as it takes.
    ///
    /// # Errors
    /// Any situation the gateway answers itself.
    fn answer(call: &Call, context: &Context<'_>) -> Result<Answer, Error>;
}

/// What a translator may know and use.
#[expect(missing_debug_implementations, reason = "it holds the host's wire")]
pub struct Context<'a> {
    /// Who asks.
    pub team: &'a Team,
    /// What the operator has set.
    pub rules: &'a Rules<'a>,
    /// Reads another variable of the component.
    pub variable: &'a dyn Fn(&str) -> Result<String, Error>,
    /// When the call came in.
    pub now: SystemTime,
    /// The way to the provider.
    pub wire: &'a dyn Wire,
}

/// The way to the provider.
pub trait Wire {
    /// Sends `outbound`; the returned function waits for the head of the answer. Requests that are
    /// started before the first is waited for are under way side by side.
    ///
    /// # Errors
    /// What kept the request from leaving, or the answer's head from coming.
    fn start(&self, outbound: Outbound) -> Result<Pending<'_>, Error>;

    /// Notes that the request is tried once more, in another way, because of `error`.
    fn note_retry(&self, error: &Error);
}

/// A request under way.
pub type Pending<'a> = Box<dyn FnOnce() -> Result<Response, Error> + 'a>;

/// A provider's answer, its body still coming in.
#[expect(missing_debug_implementations, reason = "it holds the host's stream")]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers a client may see.
    pub headers: Headers,
    /// The body.
    pub body: Box<dyn Chunks>,
}

/// A body as it comes in.
pub trait Chunks {
    /// The next bytes, waiting for them; `None` at the end.
    ///
    /// # Errors
    /// [`Error::UpstreamInterrupted`] if the body breaks off.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Error>;

    /// Waits until [`next`](Self::next) has something to say. `false` if it is no longer wanted before
    /// that, for which `is_wanted` is asked now and then. Default: `next` does the waiting.
    fn wait(&self, _is_wanted: &dyn Fn() -> bool) -> bool {
        true
    }
}

/// One stream of bytes made into another, piece by piece.
pub trait Rewrite {
    /// Takes the next bytes and appends what is known by now to `out`, also where it then fails.
    ///
    /// # Errors
    /// What ends the stream before its time.
    fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error>;

    /// Takes the end.
    ///
    /// # Errors
    /// [`Error::UnusableAnswer`] if it comes too early.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error>;
}

/// What a client is to get.
#[expect(missing_debug_implementations, reason = "it holds the host's stream")]
pub enum Answer {
    /// A response that is known whole.
    Whole(Reply),
    /// An event stream.
    Stream(Stream),
}

/// A stream of events under way.
#[expect(missing_debug_implementations, reason = "it holds the host's stream")]
pub struct Stream {
    /// The head's headers.
    pub headers: Headers,
    /// What is known of the stream when its head goes out.
    pub first: Vec<u8>,
    /// What comes after that.
    pub body: Box<dyn Chunks>,
    /// How it is made the client's.
    pub rewrite: Box<dyn Rewrite>,
}

impl Context<'_> {
    /// Sends a request made for `call` and waits for the head of the answer.
    ///
    /// # Errors
    /// As [`Wire::start`], and [`Outbound::to`].
    pub fn send(&self, call: &Call, destination: Destination) -> Result<Response, Error> {
        self.start(call, destination)?()
    }

    /// Sends a request made for `call` without waiting.
    ///
    /// # Errors
    /// As [`Wire::start`], and [`Outbound::to`].
    pub fn start(&self, call: &Call, destination: Destination) -> Result<Pending<'_>, Error> {
        self.wire.start(Outbound::to(destination, call, self.team, self.rules)?)
    }
}

impl Stream {
    /// Starts to answer with `response`, rewritten. The head waits until something is known of the
    /// stream: what fails before that still gets a status of its own.
    ///
    /// # Errors
    /// What the provider sent instead of a stream.
    pub fn open(response: Response, mut rewrite: Box<dyn Rewrite>) -> Result<Self, Error> {
        let Response { mut headers, mut body, .. } = response;
        headers.retain(|name| !matches!(name, "content-length" | "content-type"));
        headers.push("content-type", "text/event-stream");
        headers.push("cache-control", "no-cache");
        let mut first = Vec::new();
        while first.is_empty() {
            let Some(bytes) = body.next()? else {
                return Err(Error::unusable("a stream that ended before it began"));
            };
            rewrite.push(&bytes, &mut first)?;
        }
        Ok(Self { headers, first, body, rewrite })
    }

    /// Puts the next bytes for the client into `out` and tells whether there may be more.
    ///
    /// # Errors
    /// What ends the stream before its time, after what is in `out`.
    pub fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, Error> {
        out.clear();
        let chunk = self.body.next()?;
        match &chunk {
            Some(bytes) => self.rewrite.push(bytes, out)?,
            None => self.rewrite.finish(out)?,
        }
        Ok(chunk.is_some())
    }
}

impl Response {
    /// Reads the body to its end.
    ///
    /// # Errors
    /// [`Error::UpstreamInterrupted`] if it breaks off, [`Error::UnusableAnswer`] if it is longer than
    /// `limit` bytes.
    pub fn whole(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.body.next()? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > limit {
                let cause = format!("an answer of more than {limit} bytes");
                return Err(Error::unusable(cause));
            }
        }
        Ok(bytes)
    }
}
