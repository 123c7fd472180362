//! Sending a response back to the client.
//!
//! A head goes out together with the first bytes of its body; later chunks leave as they come. A
//! body that breaks off upstream breaks off here too: it is never ended as if it were whole.

use gateway::error::Cause;
use gateway::headers::passes_to_client;
use gateway::log::Entry;
use gateway::rename::Rename;
use gateway::{Dialect, Error, Headers, Reply, cloudflare, listing};
use http::{Method, StatusCode};
use wasi::http::types::{Fields, IncomingResponse, OutgoingResponse, ResponseOutparam};

use crate::inbound::{Incoming, Read, Source};
use crate::sink::{Moved, Sink};

/// What a client is to get.
pub(crate) enum Answer {
    /// A response that is known whole.
    Whole(Reply),
    /// A response that is still coming in.
    Stream(Stream),
}

/// A response that is still coming in.
pub(crate) struct Stream {
    status: StatusCode,
    headers: Headers,
    body: Source,
    rename: Option<Rename>,
}

/// A client that waits for its answer.
pub(crate) struct Client {
    pub(crate) out: ResponseOutparam,
    is_head: bool,
    pub(crate) dialect: Dialect,
}

// === impl Answer ===

impl Answer {
    /// Decides what the client gets for `upstream`'s response: the response as it is, but for an
    /// error that Cloudflare made itself.
    ///
    /// # Errors
    /// [`Error::Gateway`] for such an error, [`Error::UpstreamInterrupted`] if it breaks off.
    pub(crate) fn read(
        upstream: &IncomingResponse,
        method: &Method,
        rename: Option<Rename>,
        entry: &mut Entry,
    ) -> Result<Self, Error> {
        let status = StatusCode::from_u16(upstream.status())
            .map_err(|error| interrupted(Cause(error.to_string())))?;
        let mut headers = Headers::from_list(upstream.headers().entries());
        entry.upstream_status = Some(status.as_u16());
        entry.cf_aig_log_id = headers.get_str("cf-aig-log-id").map(ToOwned::to_owned);
        headers.retain(passes_to_client);

        let is_bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if is_bodiless || method == Method::HEAD {
            return Ok(Self::Whole(Reply { status, headers, body: Vec::new() }));
        }
        let body = upstream
            .consume()
            .map_err(|()| Error::Internal(Cause("the response was taken already".to_owned())))?;
        let rest = Incoming::new(body)?;
        if status.as_u16() < 400 || !headers.is_json() {
            let body = Source { start: Vec::new(), rest };
            let rename = rename.filter(|_| names_its_model(&headers));
            if rename.is_some() {
                headers.retain(|name| name != "content-length");
            }
            return Ok(Self::Stream(Stream { status, headers, body, rename }));
        }
        Self::read_error(status, headers, rest)
    }

    /// Cuts a list of models down to those whose names are `allowed`.
    ///
    /// # Errors
    /// [`Error::UnusableAnswer`] for what is no such list: it is not shown.
    pub(crate) fn with_models(self, allowed: impl Fn(&str) -> bool) -> Result<Self, Error> {
        let Self::Stream(Stream { status, headers, body, .. }) = self else {
            return Ok(self);
        };
        let read = body.rest.read(headers.content_length(), listing::MAX_BYTES, None);
        match read.map_err(|error| interrupted(Cause(error.to_string())))? {
            Read::Whole(body) => {
                let body = listing::filter(&body, allowed)?;
                Ok(Self::Whole(Reply::passed(status, headers, body)))
            }
            Read::Part(_) => Err(Error::unusable("a list of models that is too long")),
        }
    }

    /// Tells a provider's error, which passes, from one of Cloudflare's own.
    fn read_error(status: StatusCode, headers: Headers, rest: Incoming) -> Result<Self, Error> {
        let announced = headers.content_length();
        let read = rest.read(announced, cloudflare::MAX_BYTES, None);
        match read.map_err(|error| interrupted(Cause(error.to_string())))? {
            Read::Part(start) => {
                let body = Source { start, rest };
                Ok(Self::Stream(Stream { status, headers, body, rename: None }))
            }
            Read::Whole(body) => match cloudflare::parse(status, &headers, &body) {
                Some(error) => Err(Error::Gateway(error)),
                None => Ok(Self::Whole(Reply::passed(status, headers, body))),
            },
        }
    }
}

// === impl Client ===

impl Client {
    pub(crate) fn new(out: ResponseOutparam, method: &Method, dialect: Dialect) -> Self {
        Self { out, is_head: method == Method::HEAD, dialect }
    }

    /// Gives the client its answer.
    pub(crate) fn answer(self, answer: Result<Answer, Error>, entry: &mut Entry) {
        match answer {
            Ok(Answer::Whole(reply)) => self.reply(reply, entry),
            Ok(Answer::Stream(stream)) => self.stream(stream, entry),
            Err(error) => self.refuse(&error, entry),
        }
    }

    /// Answers with an error: the one place where that happens.
    pub(crate) fn refuse(self, error: &Error, entry: &mut Entry) {
        entry.note_error(error);
        let reply = self.dialect.reply(error);
        self.reply(reply, entry);
    }

    fn reply(self, reply: Reply, entry: &mut Entry) {
        entry.status = reply.status.as_u16();
        let Ok(response) = head(reply.status, reply.headers) else {
            return;
        };
        if self.is_head || reply.body.is_empty() {
            return ResponseOutparam::set(self.out, Ok(response));
        }
        let Ok(sink) = Sink::open(response.body()) else {
            return;
        };
        entry.bytes = reply.body.len() as u64;
        let rest = sink.write_ready(&reply.body);
        if rest.is_empty() {
            // A client that is gone by now has nobody to tell.
            let _ = sink.finish();
            return ResponseOutparam::set(self.out, Ok(response));
        }
        ResponseOutparam::set(self.out, Ok(response));
        if sink.write_all(rest).is_ok() {
            let _ = sink.finish();
        }
    }

    fn stream(self, mut stream: Stream, entry: &mut Entry) {
        entry.status = stream.status.as_u16();
        let opened = head(stream.status, stream.headers.clone())
            .and_then(|response| Ok((Sink::open(response.body())?, response)));
        let (sink, response) = match opened {
            Ok(opened) => opened,
            Err(error) => return self.refuse(&error, entry),
        };
        // Nothing has been sent yet: an upstream that breaks off here still gets a real status.
        let first = match stream.move_start(&sink) {
            Ok(first) => first,
            Err(cause) => {
                drop((sink, response));
                return self.refuse(&interrupted(cause), entry);
            }
        };
        ResponseOutparam::set(self.out, Ok(response));
        stream.move_rest(sink, first, self.dialect, entry);
    }
}

// === impl Stream ===

impl Stream {
    /// Moves the first bytes.
    fn move_start(&mut self, sink: &Sink) -> Result<Moved, Cause> {
        match &mut self.rename {
            None => sink.move_start(&self.body),
            Some(rename) => sink.copy_chunk(&self.body.rest, rename),
        }
    }

    fn move_chunk(&mut self, sink: &Sink) -> Result<Moved, Cause> {
        match &mut self.rename {
            None => sink.move_chunk(&self.body.rest),
            Some(rename) => sink.copy_chunk(&self.body.rest, rename),
        }
    }

    /// Moves all that follows, and ends the body the way it ended upstream.
    fn move_rest(mut self, sink: Sink, first: Moved, dialect: Dialect, entry: &mut Entry) {
        let mut moved = Ok(first);
        while let Ok(Moved::Some(bytes)) = moved {
            entry.bytes += bytes;
            moved = self.move_chunk(&sink);
        }
        match moved {
            Ok(Moved::All) => drop(sink.finish()),
            Ok(_) => entry.note_client_gone(),
            Err(cause) => self.break_off(sink, &interrupted(cause), dialect, entry),
        }
    }

    /// Ends a body that broke off upstream: an event stream with an error event and without
    /// `[DONE]`, any other body by cutting it.
    fn break_off(&self, sink: Sink, error: &Error, dialect: Dialect, entry: &mut Entry) {
        entry.note_error(error);
        let is_events = self.headers.media_type().as_deref() == Some("text/event-stream");
        if is_events
            && self.headers.content_length().is_none()
            && sink.write_all(&dialect.event(error)).is_ok()
        {
            let _ = sink.finish();
        }
    }
}

/// Whether a body of this type may name the model that answered.
fn names_its_model(headers: &Headers) -> bool {
    headers.is_json() || headers.media_type().as_deref() == Some("text/event-stream")
}

/// Makes a response that has yet to get its body.
pub(crate) fn head(status: StatusCode, headers: Headers) -> Result<OutgoingResponse, Error> {
    let refused = |what: &str| interrupted(Cause(format!("the host refuses {what}")));
    let fields = Fields::from_list(&headers.into_list()).map_err(|_| refused("a header"))?;
    let response = OutgoingResponse::new(fields);
    response.set_status_code(status.as_u16()).map_err(|()| refused(status.as_str()))?;
    Ok(response)
}

fn interrupted(cause: Cause) -> Error {
    Error::UpstreamInterrupted(cause)
}
