//! What a component that answers by itself says, with no upstream behind it.

use std::time::SystemTime;

use http::Method;

use crate::key::SECRET_BYTES;
use crate::log::Entry;
use crate::{Error, Headers, Reply, Settings, Store};

/// A component that answers by itself.
pub trait Service {
    /// Component id and log name.
    const SLUG: &'static str;

    /// Bytes a request's body may have.
    const MAX_BODY: u64;

    /// Answers `call` and notes in `entry` who does what.
    ///
    /// # Errors
    /// Any situation the gateway answers itself.
    fn answer(call: &Call, context: &Context<'_>, entry: &mut Entry) -> Result<Reply, Error>;
}

/// A request, read whole.
#[derive(Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The raw path and query.
    pub path_with_query: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// What a service may use of its host.
#[expect(missing_debug_implementations, reason = "it holds the host's store and random source")]
pub struct Context<'a> {
    /// The store all components share.
    pub store: &'a dyn Store,
    /// The component's settings.
    pub settings: &'a Settings,
    /// Reads another variable of the component.
    pub variable: &'a dyn Fn(&str) -> Result<String, Error>,
    /// When the call came in.
    pub now: SystemTime,
    /// Draws the random bytes of a new key.
    pub random: &'a dyn Fn() -> [u8; SECRET_BYTES],
}
