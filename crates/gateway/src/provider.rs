//! What a provider component says about its provider: everything else is the same for all.

use http::Method;

use crate::body::Probe;
use crate::url::Target;
use crate::{Error, Headers, Settings};

/// One provider behind the gateway.
///
/// The required function is pure: a request in, its destination out. See CONTRIBUTING.md, "How to
/// add a provider".
pub trait Provider {
    /// Route prefix, log name and component id.
    const SLUG: &'static str;

    /// Where this request goes, and as what.
    ///
    /// # Errors
    /// The provider's refusal, for example [`Error::UnknownUrl`] for a path it does not have.
    fn upstream(request: &Request<'_>, settings: &Settings) -> Result<Upstream, Error>;
}

/// A client's request, as far as a provider's rule may look at it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query below the provider's route.
    pub target: Target<'a>,
    /// The client's headers, its credential among them.
    pub headers: &'a Headers,
    /// What a JSON body says; empty for any other body.
    pub probe: &'a Probe,
}

/// Where a request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Path and query below the AI Gateway's base, starting with `/`.
    pub path: String,
    /// The provider's own credential, if the operator configured one: header name and value.
    pub credential: Option<(&'static str, String)>,
    /// The model to ask for, if it is not the client's.
    pub model: Option<String>,
}

impl Upstream {
    /// A destination that takes the request as it is.
    pub fn at(path: String) -> Self {
        Self { path, ..Self::default() }
    }

    /// Adds the provider's own key as bearer token, if the setting `name` holds one.
    #[must_use]
    pub fn with_bearer(self, settings: &Settings, name: &str) -> Self {
        let credential = settings.get(name).map(|key| ("authorization", format!("Bearer {key}")));
        Self { credential, ..self }
    }
}
