//! `POST /embeddings`: as many upstream requests as the model needs for the texts, and one list of
//! their vectors.
//! <https://platform.openai.com/docs/api-reference/embeddings>

mod cohere;
pub(crate) mod embedder;
mod list;
mod nova;
mod request;
mod titan;
mod vectors;

use std::collections::VecDeque;

use gateway::Error;
use gateway::service::Call;
use gateway::translator::{Answer, Context, Pending};

use self::embedder::Embedder;
use self::list::EmbeddingList;
use self::request::EmbeddingRequest;
use crate::aws::endpoint::Operation;
use crate::aws::settings::BedrockSettings;
use crate::aws::{self, endpoint};

/// The upstream requests of one client request that are in flight at a time.
const CONCURRENCY: usize = 8;

/// Serves a request for embeddings.
///
/// # Errors
/// Any error that the gateway reports itself.
pub(crate) fn respond(call: &Call, context: &Context<'_>) -> Result<Answer, Error> {
    let request = EmbeddingRequest::parse(&call.body)?;
    let settings = BedrockSettings::of(context)?;
    let original_model = &*request.model;
    let (model, embedder) = settings
        .aliases
        .find_for(original_model, context, |target| Ok((target.id, Embedder::of(target.base)?)))?;
    embedder.check(&request)?;
    let batch = Batch { call, context, settings: &settings, model, original_model };
    Ok(Answer::Whole(batch.list(&request, embedder)?.reply(original_model)))
}

/// The upstream requests for one client request, all to the same model.
struct Batch<'a> {
    call: &'a Call,
    context: &'a Context<'a>,
    settings: &'a BedrockSettings<'a>,
    model: &'a str,
    original_model: &'a str,
}

impl Batch<'_> {
    /// Requests all texts, a bounded number at a time, and lists the vectors in the order of the
    /// texts.
    fn list(
        &self,
        request: &EmbeddingRequest<'_>,
        embedder: Embedder,
    ) -> Result<EmbeddingList, Error> {
        let mut list = EmbeddingList::new(request.is_base64);
        let mut in_flight = VecDeque::with_capacity(CONCURRENCY);
        for texts in request.input.chunks(embedder.texts_per_call()) {
            // The oldest first: vectors are written in the order of the texts.
            if in_flight.len() == CONCURRENCY {
                collect_oldest(&mut list, &mut in_flight, embedder)?;
            }
            let pending = self.start(embedder.body(texts, request))?;
            in_flight.push_back((texts.len(), pending));
        }
        while !in_flight.is_empty() {
            collect_oldest(&mut list, &mut in_flight, embedder)?;
        }
        Ok(list)
    }

    /// Starts one upstream request.
    fn start(&self, body: Vec<u8>) -> Result<Pending<'_>, Error> {
        let Self { call, context, settings, model, original_model } = *self;
        let operation = Operation { model, name: "invoke", accept: "application/json" };
        let destination =
            endpoint::destination(settings, &operation, body, context.now, original_model)?;
        context.start(call, destination)
    }
}

/// Waits for the oldest request in flight, whose vectors are next in the list.
fn collect_oldest(
    list: &mut EmbeddingList,
    in_flight: &mut VecDeque<(usize, Pending<'_>)>,
    embedder: Embedder,
) -> Result<(), Error> {
    let Some((texts, pending)) = in_flight.pop_front() else {
        return Ok(());
    };
    let mut response = aws::response::check(pending()?)?;
    let body = response.whole(aws::response::MAX_BYTES)?;
    list.add(embedder.read(&body)?, texts, response.headers)
}

#[cfg(test)]
mod tests;
