//! A component with a provider behind it: a request's way from the client to the upstream and back.

use std::marker::PhantomData;

use gateway::log::Entry;
use gateway::outbound::{Inbound, Outbound, Rules};
use gateway::url::raw_path;
use gateway::{Error, Provider, Team, listing, time};
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

use crate::access::authenticate;
use crate::host::{self, Moment};
use crate::inbound::{Head, Source, read_body};
use crate::relay::{Answer, Client};
use crate::send::send;

/// The component that forwards requests to `P`.
#[derive(Debug)]
pub struct Forward<P>(PhantomData<P>);

impl<P: Provider> Guest for Forward<P> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let start = Moment::now();
        let mut entry = Entry::new(P::SLUG, time::rfc3339(host::time()));
        let head = Head::read(&request);
        let dialect = P::dialect(raw_path(&head.path_with_query, P::SLUG), &head.headers);
        let client = Client::new(out, &head.method, dialect);
        let answer = forward::<P>(&request, head, start, &mut entry);
        client.answer(answer, &mut entry);
        entry.total_ms = start.millis();
        host::log(&entry.to_line());
    }
}

/// The way of a request, in the order of ARCHITECTURE.md: key, team, settings, body, upstream,
/// answer.
fn forward<P: Provider>(
    request: &IncomingRequest,
    head: Head,
    start: Moment,
    entry: &mut Entry,
) -> Result<Answer, Error> {
    let team = authenticate(&head.headers, entry)?;
    let settings = host::settings()?;
    let gateway = settings.gateway()?;
    let limited_models = host::limited_models(&team)?;
    let rules = Rules { settings: &settings, gateway: &gateway, limited_models: &limited_models };
    let method = head.method.clone();
    let is_cut_down =
        team.scope.restricts_models() && listing::is_list(raw_path(&head.path_with_query, P::SLUG));
    let (mut outbound, upload) = prepare::<P>(request, head, &team, &rules)?;
    entry.note_outbound(&outbound);
    let rename = outbound.rename.take();
    let response = send(outbound, &gateway, upload.as_ref())?;
    entry.head_ms = Some(start.millis());
    let answer = Answer::read(&response, &method, rename, entry)?;
    if is_cut_down {
        let scope = &team.scope;
        return answer
            .with_models(|name| scope.check_model(P::SLUG, &[P::bare_model(name), name]).is_ok());
    }
    Ok(answer)
}

/// Reads the body as far as needed and makes the request that leaves.
fn prepare<P: Provider>(
    request: &IncomingRequest,
    head: Head,
    team: &Team,
    rules: &Rules<'_>,
) -> Result<(Outbound, Option<Source>), Error> {
    let reads_forms = P::NEEDS_FORM_MODEL
        || rules.limited_models.applies_to(team)
        || team.scope.restricts_models();
    let limit = rules.gateway.max_body;
    let (body, upload) = read_body(request, &head.headers, reads_forms, limit)?;
    let inbound = Inbound {
        method: head.method,
        path_with_query: head.path_with_query,
        headers: head.headers,
        body,
    };
    Ok((Outbound::new::<P>(inbound, team, rules)?, upload))
}
