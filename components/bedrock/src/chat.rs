//! `POST /chat/completions` and `POST /responses`: a chat completion by Converse, in either API.

use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use gateway::translator::{Context, EventStream, Translated, UpstreamResponse};
use gateway::{Error, Request};
use sha2::{Digest as _, Sha256};

use crate::aws::settings::BedrockSettings;
use crate::aws::{self, endpoint};
use crate::catalog::aliases;
use crate::catalog::model::Model;
use crate::converse::request::{ConverseRequest, ToolEntry};
use crate::json;
use crate::openai::request::{ChatRequest, ToolFunction};
use crate::openai::responses::request::ResponsesRequest;
use crate::openai::writer::Api;
use crate::translate::context::ResponseContext;
use crate::translate::fallback::Fallback;
use crate::translate::request::tools;
use crate::translate::response::Completed;
use crate::translate::stream::StreamTranslator;
use crate::translate::{fallback, request, response};

/// The media type of a whole response.
const JSON: &str = "application/json";
/// The media type of Bedrock's streams.
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
/// The media type of OpenAI's streams.
const SERVER_SENT_EVENTS: &str = "text/event-stream";

/// The maximum number of retries without what the model rejected.
const MAX_RETRIES: usize = 2;

/// Serves a request for a chat completion.
///
/// # Errors
/// Any error that the gateway reports itself.
pub(crate) fn complete(request: &Request, context: &Context<'_>) -> Result<Translated, Error> {
    respond(request, &ChatRequest::parse(&request.body)?, &Api::Chat, context)
}

/// Serves a request for a response.
///
/// # Errors
/// Any error that the gateway reports itself.
pub(crate) fn create_response(
    request: &Request,
    context: &Context<'_>,
) -> Result<Translated, Error> {
    let mut parsed = ResponsesRequest::parse(&request.body)?;
    let api = Api::Responses(Rc::new(std::mem::take(&mut parsed.echo)));
    respond(request, &parsed.chat, &api, context).map_err(|error| parsed.restate(error))
}

/// Serves a request for a chat completion in one of the APIs.
fn respond(
    client_request: &Request,
    request: &ChatRequest<'_>,
    api: &Api,
    context: &Context<'_>,
) -> Result<Translated, Error> {
    let settings = BedrockSettings::of(context)?;
    let model = aliases::resolve_for(&settings.aliases, &request.model, context)?;
    let chat = Chat { client_request, context, settings: &settings, request, api, model: &model };
    let mut fallback = Fallback::default();
    let draft = chat.draft(fallback)?;
    chat.note_ignored(&draft);
    let mut sent = chat.send(draft);
    for _ in 0..MAX_RETRIES {
        let Err(error) = sent else { break };
        (fallback, sent) = chat.retry(fallback, error)?;
    }
    sent
}

/// A request and what it needs to be sent.
struct Chat<'a> {
    client_request: &'a Request,
    context: &'a Context<'a>,
    settings: &'a BedrockSettings<'a>,
    request: &'a ChatRequest<'a>,
    api: &'a Api,
    model: &'a Model,
}

/// A translated request.
struct Draft {
    body: Vec<u8>,
    response_context: ResponseContext,
    /// Whether the client's `strict` was left out of a tool.
    is_loosened: bool,
    /// Whether Bedrock is asked for a stream. If not, the gateway may still make one of its
    /// response.
    is_stream: bool,
}

impl Chat<'_> {
    /// Translates the request without what `fallback` takes from the model's capabilities.
    fn draft(&self, fallback: Fallback) -> Result<Draft, Error> {
        let (converse, mut response_context) = request::build(self.request, self.model, fallback)?;
        response_context.api = self.api.clone();
        response_context.created = seconds(self.context.now);
        let streams_tools = self.model.capabilities.streams_tools && !fallback.tool_stream;
        let streams = streams_tools || converse.tool_config.is_none();
        // Room for the whole, because a buffer that grows takes three times its size.
        let tools = converse.tool_config.iter().flat_map(|config| &config.tools);
        let added = converse.overhead() + tools.map(tools::made_bytes).sum::<usize>();
        let mut body = Vec::with_capacity(self.client_request.body.len() + added);
        serde_json::to_writer(&mut body, &converse)
            .map_err(|error| Error::invalid_param("messages", error.to_string()))?;
        let is_loosened = self.is_loosened(&converse, &response_context);
        let is_stream = self.request.is_stream && streams;
        Ok(Draft { body, response_context, is_loosened, is_stream })
    }

    /// Checks whether a tool that the client wants strict is sent without `strict`.
    fn is_loosened(&self, converse: &ConverseRequest<'_>, context: &ResponseContext) -> bool {
        let strict = |function: &&ToolFunction<'_>| function.strict == Some(true);
        let functions = self.request.tools.iter().filter_map(|tool| tool.function.as_ref());
        let strict = json::set(functions.filter(strict).map(|function| &*function.name));
        let mut sent = converse.tool_config.iter().flat_map(|config| &config.tools);
        let is_loose = |entry: &ToolEntry<'_>| match entry {
            ToolEntry::ToolSpec(spec) => {
                spec.strict.is_none() && strict.contains(context.names.original(&spec.name))
            }
            ToolEntry::CachePoint(_) => false,
        };
        !strict.is_empty() && sent.any(is_loose)
    }

    /// Notes in the log what of the request has no effect.
    fn note_ignored(&self, draft: &Draft) {
        let strict = draft.is_loosened.then_some("strict");
        let names: Vec<&str> =
            self.request.ignored.iter().map(|name| &**name).chain(strict).collect();
        if !names.is_empty() {
            self.context.transport.note_ignored(names.join(", "));
        }
    }

    /// Sends the request, and translates the response.
    fn send(&self, draft: Draft) -> Result<Translated, Error> {
        let Draft { body, response_context, is_stream, .. } = draft;
        let (name, accept) =
            if is_stream { ("converse-stream", EVENT_STREAM) } else { ("converse", JSON) };
        let operation = endpoint::Operation { model: &self.model.id, name, accept };
        let original_model = &self.request.model;
        let destination = endpoint::destination(
            self.settings,
            &operation,
            body,
            self.context.now,
            original_model,
        )?;
        let response = aws::response::check(self.context.send(self.client_request, destination)?)?;
        let id = aws::response::request_id(&response.headers, self.context.now);
        // A guardrail of the AI Gateway may return JSON although a stream was requested.
        if is_stream && !response.headers.is_json() {
            let translator = StreamTranslator::new(&id, response_context);
            return EventStream::open(response, Box::new(translator)).map(Translated::Stream);
        }
        self.whole(response, &id, &response_context, !is_stream && self.request.is_stream)
    }

    /// Translates a whole response; `as_stream` if the client waits for a stream.
    fn whole(
        &self,
        mut response: UpstreamResponse,
        id: &str,
        response_context: &ResponseContext,
        as_stream: bool,
    ) -> Result<Translated, Error> {
        let body = response.read_body(aws::response::MAX_BYTES)?;
        let (body, media_type) = if as_stream {
            (response::translate_into_stream(&body, id, response_context)?, SERVER_SENT_EVENTS)
        } else {
            let Completed { body, finish_reason, usage } =
                response::translate(&body, id, response_context)?;
            self.context.transport.note_completion(finish_reason, usage.map(Into::into));
            (body, JSON)
        };
        Ok(Translated::Whole(aws::response::for_client(response.headers, body, media_type)))
    }

    /// Retries without what the model rejected after `fallback`, unless the request would be the same.
    /// Returns what the retry did without, and its outcome.
    ///
    /// # Errors
    /// The `error` of the attempt before, if a retry cannot help.
    fn retry(&self, fallback: Fallback, error: Error) -> Result<(Fallback, Sent), Error> {
        let Some(rejected) = fallback::for_error(&error) else {
            return Err(error);
        };
        let reduced = fallback.and(rejected);
        // Translated again: a body may be too large to keep.
        let before = self.draft(fallback)?.digest();
        let draft = self.draft(reduced)?;
        // The same request would be rejected for the same reason.
        if draft.digest() == before {
            return Err(error);
        }
        self.context.transport.note_retry(&error);
        Ok((reduced, self.send(draft)))
    }
}

/// The outcome of an attempt.
type Sent = Result<Translated, Error>;

impl Draft {
    /// Hashes what would be sent.
    fn digest(&self) -> (bool, [u8; 32]) {
        (self.is_stream, Sha256::digest(&self.body).into())
    }
}

/// Returns Unix time in seconds.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
