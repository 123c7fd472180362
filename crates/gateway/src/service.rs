//! Components that serve requests themselves, without an upstream.

use std::time::SystemTime;

use crate::keys::api_key::SECRET_BYTES;
use crate::log::Entry;
use crate::{Error, Request, Response, Settings, Store};

/// A component that serves requests itself.
pub trait Service {
    /// Component id and log name.
    const SLUG: &'static str;

    /// The maximum length of a request's body, in bytes.
    const MAX_BODY: u64;

    /// Responds to `request` and notes in `entry` who did what.
    ///
    /// The body is read on demand, so that path, method and authorization are decided before anything
    /// waits for the client: a request that is rejected occupies the host for no longer than that.
    ///
    /// # Errors
    /// Any situation in which the gateway responds with an error.
    fn respond(
        request: &Request<ReadBody<'_>>,
        context: &Context<'_>,
        entry: &mut Entry,
    ) -> Result<Response, Error>;
}

/// Reads the whole body of a request, once.
///
/// # Errors
/// [`Error::TooLarge`] beyond [`Service::MAX_BODY`], [`Error::IncompleteBody`] for a body that ends
/// early or arrives too slowly.
pub type ReadBody<'a> = &'a dyn Fn() -> Result<Vec<u8>, Error>;

/// What a service may use of its host.
#[expect(missing_debug_implementations, reason = "it holds the host's store and random source")]
pub struct Context<'a> {
    /// The store that all components share.
    pub store: &'a dyn Store,
    /// The component's settings.
    pub settings: &'a Settings,
    /// Reads a setting about models, which is empty if it is not set.
    pub model_setting: &'a dyn Fn(&str) -> Result<String, Error>,
    /// When the request was received.
    pub now: SystemTime,
    /// Draws the random bytes of a new key.
    pub random: &'a dyn Fn() -> [u8; SECRET_BYTES],
}
