//! A component that serves requests itself, from the store and its settings.

use std::convert::Infallible;
use std::marker::PhantomData;

use gateway::log::Entry;
use gateway::service::{Context, ReadBody, Service};
use gateway::{Error, Head, Request};
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

use crate::host;
use crate::meter::SharedMeter;
use crate::request::ClientRequest;
use crate::response::Sent;
use crate::serve::{Handler, RequestContext, serve};
use crate::store::CountingStore;

/// The component that responds as `S` does.
#[derive(Debug)]
pub struct ServiceComponent<S>(PhantomData<S>);

impl<S: Service> Guest for ServiceComponent<S> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        serve::<Self>(request, out);
    }
}

impl<S: Service> Handler for ServiceComponent<S> {
    const SLUG: &'static str = S::SLUG;

    type Stream = Infallible;

    fn respond(
        request: &ClientRequest,
        head: Head,
        request_context: &RequestContext,
        entry: &mut Entry,
        _: &SharedMeter,
    ) -> Result<Sent<Infallible>, Error> {
        let store = CountingStore::default();
        let context = Context {
            store: &store,
            settings: request_context.settings.get()?,
            model_setting: &host::model_setting,
            now: request_context.now,
            random: &host::random,
        };
        let announced = head.headers.content_length();
        let body: ReadBody<'_> = &|| request.read_whole(announced, S::MAX_BODY);
        S::respond(&Request { head, body }, &context, entry).map(Sent::Whole)
    }
}
