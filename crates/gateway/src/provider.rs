//! What a provider component says about its provider: everything else is the same for all.

use std::ops::Range;

use http::Method;

use crate::url::Target;
use crate::{Dialect, Error, Headers, Settings};

/// One provider behind the gateway.
///
/// The one required function is pure: a request in, its destination out. The others have defaults
/// for a provider that is only spoken to as OpenAI is. See CONTRIBUTING.md, "How to add a provider".
pub trait Provider {
    /// Route prefix, log name and component id.
    const SLUG: &'static str;

    /// Whether the model of a form must be known: where it is part of the destination.
    const NEEDS_FORM_MODEL: bool = false;

    /// The shape of errors on `path` (below the route, and not checked yet).
    fn dialect(_path: &str, _headers: &Headers) -> Dialect {
        Dialect::OpenAi
    }

    /// Where a native `path` names its model.
    fn model_in_path(_path: &str) -> Option<Range<usize>> {
        None
    }

    /// The bare name of a model that clients may write in more than one way: what policy goes by.
    fn bare_model(model: &str) -> &str {
        model
    }

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
    /// The model to ask for: the client's, or the one its team is given.
    pub model: Option<&'a str>,
}

/// Where a request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Path and query below the AI Gateway's base, starting with `/`.
    pub path: String,
    /// Headers to add: the provider's own credential, if the operator configured one, above all.
    pub headers: Vec<(&'static str, String)>,
    /// The body's model, if the provider knows it by another name.
    pub model: Option<String>,
    /// Whether the answer's `model` is that other name and must be given back as the client's.
    pub echoes_model: bool,
}

impl Upstream {
    /// A destination that takes the request as it is.
    pub fn at(path: String) -> Self {
        Self { path, ..Self::default() }
    }

    /// Adds the provider's own key as bearer token, if the setting `name` holds one.
    #[must_use]
    pub fn with_bearer(self, settings: &Settings, name: &str) -> Self {
        self.with("authorization", settings.get(name).map(|key| format!("Bearer {key}")))
    }

    /// Adds the provider's own key in the header `header`, if the setting `name` holds one.
    #[must_use]
    pub fn with_key(self, header: &'static str, settings: &Settings, name: &str) -> Self {
        self.with(header, settings.get(name).map(ToOwned::to_owned))
    }

    /// Adds a header, if there is a value for it.
    #[must_use]
    pub fn with(mut self, header: &'static str, value: Option<String>) -> Self {
        self.headers.extend(value.map(|value| (header, value)));
        self
    }
}
