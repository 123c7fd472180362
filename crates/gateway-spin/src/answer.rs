//! A component that answers by itself, from the store and its settings.

use std::marker::PhantomData;
use std::time::SystemTime;

use gateway::log::Entry;
use gateway::service::{Call, Context, Service};
use gateway::{Dialect, Error, Reply, time};
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

use crate::host::{self, Moment};
use crate::inbound::{Head, read_whole};
use crate::relay::{self, Client};
use crate::store::SpinStore;

/// The component that answers as `S` does.
#[derive(Debug)]
pub struct Answer<S>(PhantomData<S>);

impl<S: Service> Guest for Answer<S> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let start = Moment::now();
        let now = host::time();
        let mut entry = Entry::new(S::SLUG, time::rfc3339(now));
        let head = Head::read(&request);
        let client = Client::new(out, &head.method, Dialect::OpenAi);
        let reply = answer::<S>(&request, head, now, &mut entry);
        client.answer(reply.map(relay::Answer::Whole), &mut entry);
        entry.total_ms = start.millis();
        host::log(&entry.to_line());
    }
}

fn answer<S: Service>(
    request: &IncomingRequest,
    head: Head,
    now: SystemTime,
    entry: &mut Entry,
) -> Result<Reply, Error> {
    let settings = host::settings()?;
    let body = read_whole(request, &head.headers, S::MAX_BODY)?;
    let call = Call {
        method: head.method,
        path_with_query: head.path_with_query,
        headers: head.headers,
        body,
    };
    let store = SpinStore::default();
    let context = Context {
        store: &store,
        settings: &settings,
        variable: &host::variable,
        now,
        random: &host::random,
    };
    S::answer(&call, &context, entry)
}
