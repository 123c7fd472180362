//! `POST /embeddings`: a text is asked for by itself or with a few, as the model takes them, and
//! the answers become one list.
//! <https://platform.openai.com/docs/api-reference/embeddings>

mod cohere;
mod embedder;
mod list;
mod nova;
mod request;
mod titan;

use std::collections::VecDeque;

use gateway::Error;
use gateway::service::Call;
use gateway::translator::{Answer, Context, Pending};

use self::embedder::Embedder;
pub(crate) use self::embedder::MODELS;
use self::list::EmbeddingList;
use self::request::EmbeddingRequest;
use crate::address::{self, Place};
use crate::answers;
use crate::settings::BedrockSettings;

/// Requests of one call that are under way side by side.
const CONCURRENCY: usize = 8;

/// Answers a request for embeddings.
///
/// # Errors
/// Any situation the gateway answers itself.
pub(crate) fn answer(call: &Call, context: &Context<'_>) -> Result<Answer, Error> {
    let request = EmbeddingRequest::parse(&call.body)?;
    let settings = BedrockSettings::of(context)?;
    let asked = &*request.model;
    let (model, embedder) = settings
        .aliases
        .find_for(asked, context, |target| Ok((target.id, Embedder::of(target.base)?)))?;
    embedder.check(&request)?;
    let asking = Asking { call, context, settings: &settings, model, asked };
    Ok(Answer::Whole(asking.list(&request, embedder)?.reply(asked)))
}

/// One call and the model it is for.
struct Asking<'a> {
    call: &'a Call,
    context: &'a Context<'a>,
    settings: &'a BedrockSettings<'a>,
    model: &'a str,
    asked: &'a str,
}

impl Asking<'_> {
    /// Asks for all texts, some at a time, and lists what comes back in their order.
    fn list(
        &self,
        request: &EmbeddingRequest<'_>,
        embedder: Embedder,
    ) -> Result<EmbeddingList, Error> {
        let mut list = EmbeddingList::new(request.is_base64);
        let mut under_way = VecDeque::with_capacity(CONCURRENCY);
        for texts in request.input.chunks(embedder.texts_per_call()) {
            if under_way.len() == CONCURRENCY {
                add_first(&mut list, &mut under_way, embedder)?;
            }
            let pending = self.start(embedder.body(texts, request))?;
            under_way.push_back((texts.len(), pending));
        }
        while !under_way.is_empty() {
            add_first(&mut list, &mut under_way, embedder)?;
        }
        Ok(list)
    }

    fn start(&self, body: Vec<u8>) -> Result<Pending<'_>, Error> {
        let Self { call, context, settings, model, asked } = *self;
        let place = Place { model, operation: "invoke", accept: "application/json" };
        let destination = address::destination(settings, &place, body, context.now, asked)?;
        context.start(call, destination)
    }
}

/// Waits for the request that has been under way longest: the next of the list.
fn add_first(
    list: &mut EmbeddingList,
    under_way: &mut VecDeque<(usize, Pending<'_>)>,
    embedder: Embedder,
) -> Result<(), Error> {
    let Some((texts, pending)) = under_way.pop_front() else {
        return Ok(());
    };
    let mut response = answers::checked(pending()?)?;
    let body = response.whole(answers::MAX_BYTES)?;
    list.add(embedder.read(&body)?, texts, response.headers)
}

#[cfg(test)]
mod tests;
