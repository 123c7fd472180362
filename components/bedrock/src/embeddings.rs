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

use gateway::translator::{Context, InFlight, Translated};
use gateway::{Error, Request};

use self::embedder::Embedder;
use self::list::EmbeddingList;
use self::request::EmbeddingRequest;
use crate::aws::endpoint::Operation;
use crate::aws::settings::BedrockSettings;
use crate::aws::{self, endpoint};
use crate::catalog::aliases;

/// The upstream requests of one client request that are in flight at a time.
const CONCURRENCY: usize = 8;

/// Serves a request for embeddings.
///
/// # Errors
/// Any error that the gateway reports itself.
pub(crate) fn respond(
    client_request: &Request,
    context: &Context<'_>,
) -> Result<Translated, Error> {
    let request = EmbeddingRequest::parse(&client_request.body)?;
    let settings = BedrockSettings::of(context)?;
    let original_model = &*request.model;
    let (model, embedder) =
        aliases::find_for(&settings.aliases, original_model, context, |target| {
            Ok((target.id, Embedder::of(target.base)?))
        })?;
    embedder.check(&request)?;
    let batch = Batch { client_request, context, settings: &settings, model, original_model };
    Ok(Translated::Whole(batch.list(&request, embedder)?.into_response(original_model)))
}

/// The upstream requests for one client request, all to the same model.
struct Batch<'a> {
    client_request: &'a Request,
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
    fn start(&self, body: Vec<u8>) -> Result<InFlight<'_>, Error> {
        let Self { client_request, context, settings, model, original_model } = *self;
        let operation = Operation { model, name: "invoke", accept: "application/json" };
        let destination =
            endpoint::destination(settings, &operation, body, context.now, original_model)?;
        context.start(client_request, destination)
    }
}

/// Waits for the oldest request in flight, whose vectors are next in the list.
fn collect_oldest(
    list: &mut EmbeddingList,
    in_flight: &mut VecDeque<(usize, InFlight<'_>)>,
    embedder: Embedder,
) -> Result<(), Error> {
    let Some((texts, pending)) = in_flight.pop_front() else {
        return Ok(());
    };
    let mut response = aws::response::check(pending()?)?;
    let body = response.read_body(aws::response::MAX_BYTES)?;
    list.add(embedder.read(&body)?, texts, response.headers)
}

#[cfg(test)]
mod tests;
