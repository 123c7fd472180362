//! Reading a client's request.

use std::cell::{OnceCell, RefCell};

use gateway::body::{self, Plan};
use gateway::error::Cause;
use gateway::outbound::Body;
use gateway::{Error, Headers, multipart};
use http::Method;
use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::types::{self, IncomingBody, IncomingRequest};
use wasi::io::poll::{Pollable, poll};
use wasi::io::streams::{InputStream, StreamError};

use crate::host::Moment;

/// Bytes asked for at once. The host gives what it has, up to this.
pub(crate) const CHUNK: u64 = 1024 * 1024;

/// Nanoseconds between two looks at whether what is waited for is still wanted.
const LOOK: u64 = 500_000_000;

/// Milliseconds for a body to come, beside those for its length.
const GRACE: u64 = 20_000;

/// Bytes of it in a millisecond at least.
const SLOWEST: u64 = 64;

/// The head of a request.
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) path_with_query: String,
    pub(crate) headers: Headers,
}

/// A body that is still coming in. Children go before their parents.
pub(crate) struct Incoming {
    ready: OnceCell<Pollable>,
    pause: RefCell<Option<Pollable>>,
    pub(crate) stream: InputStream,
    _body: IncomingBody,
}

/// A body on its way through: what has been read of it, and the rest.
pub(crate) struct Source {
    pub(crate) start: Vec<u8>,
    pub(crate) rest: Incoming,
}

impl Source {
    /// The body of `request`. Without an announced length there may be none; then `None`.
    fn of(request: &IncomingRequest, announced: Option<u64>) -> Result<Option<Self>, Error> {
        let rest = Incoming::of(request)?;
        if announced.is_some() {
            return Ok(Some(Self { start: Vec::new(), rest }));
        }
        match rest.stream.blocking_read(CHUNK) {
            Ok(start) => Ok(Some(Self { start, rest })),
            Err(StreamError::Closed) => Ok(None),
            Err(StreamError::LastOperationFailed(_)) => Err(Error::IncompleteBody),
        }
    }
}

/// How far a body was read.
pub(crate) enum Read {
    /// To its end.
    Whole(Vec<u8>),
    /// Past the limit, or as far as it came while it was wanted.
    Part(Vec<u8>),
}

impl Head {
    pub(crate) fn read(request: &IncomingRequest) -> Self {
        Self {
            method: method(&request.method()),
            path_with_query: request.path_with_query().unwrap_or_default(),
            headers: Headers::from_list(request.headers().entries()),
        }
    }
}

impl Incoming {
    pub(crate) fn new(body: IncomingBody) -> Result<Self, Error> {
        let stream = body.stream().map_err(|()| taken("body stream"))?;
        Ok(Self { ready: OnceCell::new(), pause: RefCell::default(), stream, _body: body })
    }

    /// Waits until there is something to read, or an end. `false` if what comes is no longer wanted
    /// before that: no host tells of a client that leaves, so `is_wanted` is asked now and then.
    pub(crate) fn wait(&self, is_wanted: &dyn Fn() -> bool) -> bool {
        let ready = self.ready.get_or_init(|| self.stream.subscribe());
        let mut pause = self.pause.borrow_mut();
        loop {
            let pause_ends = pause.get_or_insert_with(|| subscribe_duration(LOOK));
            if poll(&[ready, pause_ends]).contains(&0) {
                return true;
            }
            *pause = None;
            if !is_wanted() {
                return false;
            }
        }
    }

    /// The next bytes, waiting for them; `None` if they are no longer wanted before they come.
    ///
    /// # Errors
    /// [`StreamError::Closed`] at the end.
    pub(crate) fn next(
        &self,
        length: u64,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<u8>>, StreamError> {
        loop {
            let bytes = self.stream.read(length)?;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
            if !self.wait(is_wanted) {
                return Ok(None);
            }
        }
    }

    pub(crate) fn of(request: &IncomingRequest) -> Result<Self, Error> {
        Self::new(request.consume().map_err(|()| taken("request body"))?)
    }

    /// Reads to the end, or a little past `limit`, or until what comes is no longer wanted; without
    /// `is_wanted`, it is for as long as the host lets it come.
    pub(crate) fn read(
        &self,
        announced: Option<u64>,
        limit: u64,
        is_wanted: Option<&dyn Fn() -> bool>,
    ) -> Result<Read, StreamError> {
        let mut bytes = Vec::new();
        loop {
            let next = match is_wanted {
                Some(is_wanted) => self.next(CHUNK, is_wanted),
                None => self.stream.blocking_read(CHUNK).map(Some),
            };
            match next {
                // The first chunk is mostly all there is: it is taken, not copied.
                Ok(Some(chunk)) if bytes.is_empty() => bytes = chunk,
                Ok(Some(chunk)) => {
                    // Room for all that was announced, so that a long body is not copied as it grows.
                    let whole = usize::try_from(announced.unwrap_or(0).min(limit)).unwrap_or(0);
                    bytes.reserve(whole.saturating_sub(bytes.len()));
                    bytes.extend_from_slice(&chunk);
                }
                Ok(None) => return Ok(Read::Part(bytes)),
                Err(StreamError::Closed) => return Ok(Read::Whole(bytes)),
                Err(failed) => return Err(failed),
            }
            let length = bytes.len() as u64;
            if length > limit {
                return Ok(Read::Part(bytes));
            }
            if announced == Some(length) {
                return Ok(Read::Whole(bytes));
            }
        }
    }
}

/// Reads the body of `request` as far as its headers ask for, and no further than `limit`. What is
/// still with the client comes back beside it.
pub(crate) fn read_body(
    request: &IncomingRequest,
    headers: &Headers,
    reads_forms: bool,
    limit: u64,
) -> Result<(Body, Option<Source>), Error> {
    let plan = body::plan(headers, reads_forms);
    match plan {
        Plan::Absent => Ok((Body::Absent, None)),
        Plan::Json | Plan::Form | Plan::Whole => {
            let bytes = read_whole(request, headers, limit)?;
            Ok((whole(plan, bytes, headers)?, None))
        }
        Plan::Stream => {
            let announced = headers.content_length();
            check_length(announced, limit)?;
            let source = Source::of(request, announced)?;
            Ok(source.map_or((Body::Absent, None), |source| (Body::Stream, Some(source))))
        }
    }
}

/// A body that was read whole; an empty one is none.
fn whole(plan: Plan, bytes: Vec<u8>, headers: &Headers) -> Result<Body, Error> {
    if bytes.is_empty() {
        return Ok(Body::Absent);
    }
    match plan {
        Plan::Json => {
            let probe = body::probe(&bytes)?;
            Ok(Body::Json(bytes, probe))
        }
        Plan::Form => {
            let content_type = headers.get_str("content-type").unwrap_or_default();
            let model = multipart::find_model(content_type, &bytes)?;
            Ok(Body::Form(bytes, model))
        }
        _ => Ok(Body::Whole(bytes)),
    }
}

/// Reads the whole body of `request`. One that comes too slowly is incomplete: while it is waited
/// for, it holds one of the host's instances.
pub(crate) fn read_whole(
    request: &IncomingRequest,
    headers: &Headers,
    limit: u64,
) -> Result<Vec<u8>, Error> {
    let announced = headers.content_length();
    check_length(announced, limit)?;
    let start = Moment::now();
    let patience = GRACE + announced.unwrap_or(limit) / SLOWEST;
    let is_wanted = || start.millis() < patience;
    match Incoming::of(request)?.read(announced, limit, Some(&is_wanted)) {
        Ok(Read::Whole(bytes)) => Ok(bytes),
        Ok(Read::Part(bytes)) if bytes.len() as u64 > limit => Err(Error::TooLarge { limit }),
        Ok(Read::Part(_)) | Err(_) => Err(Error::IncompleteBody),
    }
}

fn check_length(announced: Option<u64>, limit: u64) -> Result<(), Error> {
    match announced {
        Some(length) if length > limit => Err(Error::TooLarge { limit }),
        _ => Ok(()),
    }
}

/// The method; one that HTTP does not know is as good as `TRACE`, which nothing here takes.
fn method(method: &types::Method) -> Method {
    match method {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Delete => Method::DELETE,
        types::Method::Connect => Method::CONNECT,
        types::Method::Options => Method::OPTIONS,
        types::Method::Trace => Method::TRACE,
        types::Method::Patch => Method::PATCH,
        types::Method::Other(name) => Method::from_bytes(name.as_bytes()).unwrap_or(Method::TRACE),
    }
}

fn taken(what: &str) -> Error {
    Error::Internal(Cause(format!("the {what} was taken already")))
}
