//! A component that serves a page. It has no store, no settings, and calls no host.

use std::convert::Infallible;
use std::marker::PhantomData;

use gateway::log::Entry;
use gateway::page::Page;
use gateway::{Error, Head};
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

use crate::meter::SharedMeter;
use crate::request::ClientRequest;
use crate::response::Sent;
use crate::serve::{Handler, RequestContext, serve};

/// What a component says that serves a page.
pub trait Pages {
    /// Component id, route prefix and log name.
    const SLUG: &'static str;
    /// The page.
    const PAGE: Page;
}

/// The component that serves the page of `P`.
#[derive(Debug)]
pub struct PageComponent<P>(PhantomData<P>);

impl<P: Pages> Guest for PageComponent<P> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        serve::<Self>(request, out);
    }
}

impl<P: Pages> Handler for PageComponent<P> {
    const SLUG: &'static str = P::SLUG;

    const HAS_CORS: bool = false;

    type Stream = Infallible;

    fn respond(
        _: &ClientRequest,
        head: Head,
        _: &RequestContext,
        _: &mut Entry,
        _: &SharedMeter,
    ) -> Result<Sent<Infallible>, Error> {
        P::PAGE.respond(&head).map(Sent::Whole)
    }
}
