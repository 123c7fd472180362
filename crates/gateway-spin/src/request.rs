//! Reading a client's request.

use std::cell::{Cell, OnceCell};
use std::mem::ManuallyDrop;

use gateway::error::Cause;
use gateway::http::body::{Body, Plan, check_encoding, may_have_body};
use gateway::http::pace::Pace;
use gateway::{AiGateway, Error, Head, Headers};
use http::Method;
use wasi::http::types::{self, IncomingRequest};
use wasi::io::streams::StreamError;

use crate::body::{BodyReader, CHUNK, Read, Source};
use crate::host::{Instant, kept};

/// A client's request as the host provides it.
pub(crate) struct ClientRequest {
    incoming: ManuallyDrop<IncomingRequest>,
    /// Whether the body was opened, which can be done once.
    is_opened: Cell<bool>,
}

impl ClientRequest {
    /// Wraps a request, of which nothing was read.
    pub(crate) fn new(incoming: IncomingRequest) -> Self {
        Self { incoming: kept(incoming), is_opened: Cell::default() }
    }

    /// Reads the request line and the headers.
    pub(crate) fn head(&self) -> Head {
        Head {
            method: method(&self.incoming.method()),
            path_with_query: self.incoming.path_with_query().unwrap_or_default(),
            headers: Headers::from_list(kept(self.incoming.headers()).entries()),
        }
    }

    /// Reads the body as `plan` says, and no further than its limit. A body that is to be streamed is
    /// returned unread next to [`Body::Stream`].
    pub(crate) fn read_body(
        &self,
        headers: &Headers,
        plan: Plan,
        ai_gateway: &AiGateway<'_>,
    ) -> Result<(Body, Option<Source>), Error> {
        match plan {
            Plan::Absent => Ok((Body::Absent, None)),
            Plan::Json | Plan::Form | Plan::Whole => {
                if plan != Plan::Whole {
                    check_encoding(headers)?;
                }
                let limit = ai_gateway.max_body;
                let bytes = self.read_whole(headers.content_length(), limit)?;
                Ok((Body::inspect(plan, bytes, headers)?, None))
            }
            Plan::Stream => {
                let announced = headers.content_length();
                check_length(announced, ai_gateway.max_upload)?;
                let source = self.open_source(announced)?;
                Ok(source.map_or((Body::Absent, None), |source| (Body::Stream, Some(source))))
            }
        }
    }

    /// Reads the whole body of a request that is translated, which must be plain text.
    pub(crate) fn read_text(&self, head: &Head, limit: u64) -> Result<Vec<u8>, Error> {
        if !may_have_body(&head.method) {
            return Ok(Vec::new());
        }
        check_encoding(&head.headers)?;
        self.read_whole(head.headers.content_length(), limit)
    }

    /// Reads the whole body, of the length that the client `announced` if it did. One that is received too
    /// slowly is incomplete, because it occupies one of the host's instances meanwhile.
    pub(crate) fn read_whole(&self, announced: Option<u64>, limit: u64) -> Result<Vec<u8>, Error> {
        check_length(announced, limit)?;
        // The clock is read only for a body that is not there yet, so a slow one gets up to a POLL_INTERVAL more.
        let start = OnceCell::new();
        let is_wanted = |pace: &Pace| pace.is_sufficient(start.get_or_init(Instant::now).millis());
        let reader = self.open()?.of_length(announced);
        match reader.read(limit, Some(&is_wanted)) {
            Ok(Read::Whole(bytes)) => Ok(bytes),
            Ok(Read::Part(bytes)) if bytes.len() as u64 > limit => {
                drop(bytes);
                reader.drain();
                Err(Error::TooLarge { limit })
            }
            Ok(Read::Part(_)) | Err(_) => Err(Error::IncompleteBody),
        }
    }

    /// Opens a body that is to be streamed, and waits for its first bytes. Without an announced length there
    /// may be none: then the first chunk shows whether there is one.
    fn open_source(&self, announced: Option<u64>) -> Result<Option<Source>, Error> {
        let rest = self.open()?;
        let now = Instant::now();
        let is_wanted = || Pace::default().is_sufficient(now.millis());
        if announced.is_some() {
            let has_begun = rest.wait(&is_wanted);
            let source = has_begun.then_some(Source { start: Vec::new(), rest });
            return source.map(Some).ok_or(Error::IncompleteBody);
        }
        match rest.next(CHUNK, &is_wanted) {
            Ok(Some(start)) => Ok(Some(Source { start, rest })),
            Err(StreamError::Closed) => Ok(None),
            Ok(None) | Err(StreamError::LastOperationFailed(_)) => Err(Error::IncompleteBody),
        }
    }

    /// Opens the body.
    fn open(&self) -> Result<BodyReader, Error> {
        self.is_opened.set(true);
        let taken = |()| Error::Internal(Cause("the request body was already taken".to_owned()));
        BodyReader::new(self.incoming.consume().map_err(taken)?)
    }

    /// Reads and discards a bounded part of a body that nothing has read, because the request was rejected.
    ///
    /// A host closes the connection of such a request, and a client that is still sending would lose the
    /// response with it. A client that sends nothing is not waited for.
    pub(crate) fn drain(&self) {
        if !self.is_opened.get()
            && let Ok(reader) = self.open()
        {
            reader.drain();
        }
    }
}

fn check_length(announced: Option<u64>, limit: u64) -> Result<(), Error> {
    match announced {
        Some(length) if length > limit => Err(Error::TooLarge { limit }),
        _ => Ok(()),
    }
}

/// Converts the method. One that HTTP does not define becomes `TRACE`, which no route accepts.
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
