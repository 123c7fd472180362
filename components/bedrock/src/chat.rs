//! `POST /chat/completions`.

use std::time::{SystemTime, UNIX_EPOCH};

use gateway::Error;
use gateway::service::Call;
use gateway::translator::{Answer, Context, Response, Stream};

use crate::converse::request::{self, Degraded, Exchange};
use crate::converse::response;
use crate::converse::stream::StreamTranslator;
use crate::model::Model;
use crate::openai::ChatRequest;
use crate::settings::BedrockSettings;
use crate::{address, answers, degrade};

const JSON: &str = "application/json";
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
const SERVER_SENT_EVENTS: &str = "text/event-stream";

/// Answers a request for a chat completion.
///
/// # Errors
/// Any situation the gateway answers itself.
pub(crate) fn answer(call: &Call, context: &Context<'_>) -> Result<Answer, Error> {
    let request = ChatRequest::parse(&call.body)?;
    let settings = BedrockSettings::of(context)?;
    let model = settings.aliases.resolve_for(&request.model, context)?;
    let chat = Chat { call, context, settings: &settings, request: &request, model: &model };
    match chat.send(chat.draft(Degraded::default())?) {
        Err(error) => chat.send_less(error),
        answer => answer,
    }
}

/// A request on its way, in its parts.
struct Chat<'a> {
    call: &'a Call,
    context: &'a Context<'a>,
    settings: &'a BedrockSettings<'a>,
    request: &'a ChatRequest<'a>,
    model: &'a Model,
}

/// A translated request.
struct Draft {
    body: Vec<u8>,
    exchange: Exchange,
    /// Whether the answer is asked for as a stream, and not made one here.
    is_stream: bool,
}

impl Chat<'_> {
    fn draft(&self, degraded: Degraded) -> Result<Draft, Error> {
        let (converse, mut exchange) = request::build(self.request, self.model, degraded)?;
        exchange.created = seconds(self.context.now);
        let streams = self.model.abilities.streams_tools || converse.tool_config.is_none();
        let body = serde_json::to_vec(&converse)
            .map_err(|error| Error::invalid_param("messages", error.to_string()))?;
        Ok(Draft { body, exchange, is_stream: self.request.is_stream && streams })
    }

    fn send(&self, draft: Draft) -> Result<Answer, Error> {
        let Draft { body, exchange, is_stream } = draft;
        let (operation, accept) =
            if is_stream { ("converse-stream", EVENT_STREAM) } else { ("converse", JSON) };
        let place = address::Place { model: &self.model.id, operation, accept };
        let asked = &self.request.model;
        let destination =
            address::destination(self.settings, &place, body, self.context.now, asked)?;
        let response = answers::checked(self.context.send(self.call, destination)?)?;
        let id = answers::request_id(&response.headers, self.context.now);
        // A guardrail of the AI Gateway may answer whole what was asked for as a stream.
        if is_stream && !response.headers.is_json() {
            let translator = StreamTranslator::new(&id, exchange);
            return Stream::open(response, Box::new(translator)).map(Answer::Stream);
        }
        whole(response, &id, &exchange, !is_stream && self.request.is_stream)
    }

    /// Asks once more without what the model has refused, if it has and if that changes anything.
    fn send_less(&self, error: Error) -> Result<Answer, Error> {
        let Some(degraded) = degrade::after(&error) else {
            return Err(error);
        };
        let less = self.draft(degraded)?;
        if less.body == self.draft(Degraded::default())?.body {
            return Err(error);
        }
        self.context.wire.note_retry(&error);
        self.send(less)
    }
}

/// Translates an answer that came whole, into a stream if the client waits for one.
fn whole(
    mut response: Response,
    id: &str,
    exchange: &Exchange,
    as_stream: bool,
) -> Result<Answer, Error> {
    let body = response.whole(answers::MAX_BYTES)?;
    let (body, media_type) = if as_stream {
        (response::translate_into_stream(&body, id, exchange)?, SERVER_SENT_EVENTS)
    } else {
        (response::translate(&body, id, exchange)?, JSON)
    };
    Ok(Answer::Whole(answers::reply(response.headers, body, media_type)))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
