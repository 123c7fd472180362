//! A component with a provider behind it: a request's way from the client to the upstream and back.

use std::marker::PhantomData;
use std::time::{Instant, SystemTime};

use gateway::log::Entry;
use gateway::outbound::{Inbound, Outbound};
use gateway::settings::Gateway;
use gateway::{ApiKey, Error, Headers, Provider, Settings, Team, time};
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

use crate::host;
use crate::inbound::{Head, Source, read_body};
use crate::relay::{Answer, Client};
use crate::send::send;
use crate::store::SpinStore;

/// The component that forwards requests to `P`.
#[derive(Debug)]
pub struct Forward<P>(PhantomData<P>);

impl<P: Provider> Guest for Forward<P> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let start = Instant::now();
        let mut entry = Entry::new(P::SLUG, time::rfc3339(SystemTime::now()));
        let head = Head::read(&request);
        let client = Client::new(out, &head.method);
        let answer = forward::<P>(&request, head, start, &mut entry);
        client.answer(answer, &mut entry);
        entry.total_ms = host::millis_since(start);
        host::log(&entry.to_line());
    }
}

/// The way of a request, in the order of ARCHITECTURE.md: key, team, body, upstream, answer.
fn forward<P: Provider>(
    request: &IncomingRequest,
    head: Head,
    start: Instant,
    entry: &mut Entry,
) -> Result<Answer, Error> {
    let team = authenticate(&head.headers, entry)?;
    let settings = host::settings()?;
    let gateway = settings.gateway()?;
    let method = head.method.clone();
    let (outbound, upload) = prepare::<P>(request, head, &team, &settings, &gateway)?;
    entry.note_outbound(&outbound);
    let response = send(outbound, &gateway, upload.as_ref())?;
    entry.head_ms = Some(host::millis_since(start));
    Answer::read(&response, &method, entry)
}

/// Who asks: with one read of the store, and before anything else of the request is looked at.
fn authenticate(headers: &Headers, entry: &mut Entry) -> Result<Team, Error> {
    let key = ApiKey::from_headers(headers)?;
    entry.note_key(&key.id());
    let team = Team::find(&SpinStore::default(), &key)?;
    entry.note_team(&team);
    Ok(team)
}

/// Reads the body as far as needed and makes the request that leaves.
fn prepare<P: Provider>(
    request: &IncomingRequest,
    head: Head,
    team: &Team,
    settings: &Settings,
    gateway: &Gateway<'_>,
) -> Result<(Outbound, Option<Source>), Error> {
    let (body, upload) = read_body(request, &head.headers, gateway.max_body)?;
    let inbound = Inbound {
        method: head.method,
        path_with_query: head.path_with_query,
        headers: head.headers,
        body,
    };
    Ok((Outbound::new::<P>(inbound, team, settings, gateway)?, upload))
}
