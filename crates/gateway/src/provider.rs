//! What a provider's component says about its provider. Everything else is the same for all.

use std::ops::Range;

use http::Method;

use crate::http::target::Target;
use crate::operation::{Class, OPENAI};
use crate::usage::StreamUsage;
use crate::{Dialect, Error, Head, Headers, Settings};

/// One provider behind the gateway.
///
/// The one required function is pure: it maps a request to its upstream. The others have defaults
/// for a provider that only has OpenAI's API. See CONTRIBUTING.md, "How to add a provider".
///
/// ```
/// use gateway::{Error, Provider, RequestParts, Settings, Upstream};
///
/// struct Example;
///
/// impl Provider for Example {
///     const SLUG: &'static str = "example";
///
///     fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error> {
///         let upstream = Upstream::at(request.target.below("/example"));
///         Ok(upstream.with_bearer(settings, "example_api_key"))
///     }
/// }
///
/// // A request gets its path below the AI Gateway's base, and the provider's own key.
/// use gateway::http::target::Target;
/// let request = RequestParts {
///     method: &http::Method::POST,
///     target: Target::parse("/example/v1/chat/completions", Example::SLUG)?,
///     headers: &gateway::Headers::default(),
///     model: Some("a-model"),
/// };
/// let settings = Settings::from_lines("example_api_key=secret".to_owned());
/// let upstream = Example::upstream(&request, &settings)?;
/// assert_eq!(upstream.path, "/example/chat/completions");
/// assert_eq!(upstream.headers, [("authorization", "Bearer secret".to_owned())]);
/// # Ok::<(), Error>(())
/// ```
pub trait Provider {
    /// Route prefix, log name and component id.
    const SLUG: &'static str;

    /// Whether the model of a form must be known, because it is part of the URL.
    const NEEDS_FORM_MODEL: bool = false;

    /// Whether the provider returns embeddings as numbers even if the client requests Base64.
    const RETURNS_NUMBERS: bool = false;

    /// When the provider reports the usage of a stream of completions.
    const STREAM_USAGE: StreamUsage = StreamUsage::OnRequest;

    /// Returns the envelope of errors on `path` (below the route, and not checked yet).
    fn dialect(_path: &str, _headers: &Headers) -> Dialect {
        Dialect::OpenAi
    }

    /// Returns where a native `path` names its model.
    fn model_in_path(_path: &str) -> Option<Range<usize>> {
        None
    }

    /// Returns the class of the operation at `path` (below the route), which decides which keys may call
    /// it. The default is OpenAI's table. A provider with an API of its own has a table of its own.
    fn class(head: &Head, path: &str) -> Class {
        Class::find(OPENAI, &head.method, path)
    }

    /// Strips what a client may write before or after a model's name. Policy uses the bare name.
    fn bare_model(model: &str) -> &str {
        model
    }

    /// Returns the upstream of a request.
    ///
    /// # Errors
    /// The provider's rejection, for example [`Error::UnknownUrl`] for a path it does not have.
    fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error>;
}

/// The parts of a client's request that a provider's rule may use.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query below the provider's route.
    pub target: Target<'a>,
    /// The client's headers, its credential included.
    pub headers: &'a Headers,
    /// The model to request: the client's, or the operator's for a limited team.
    pub model: Option<&'a str>,
}

/// The provider's view of where a request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Path and query below the AI Gateway's base, starting with `/`.
    pub path: String,
    /// Headers to add, above all the provider's own credential if the operator configured one.
    pub headers: Vec<(&'static str, String)>,
    /// The body's model, if the provider uses another name for it.
    pub model: Option<String>,
    /// Whether the response's `model` is that other name, which is then replaced by the requested one.
    pub echoes_model: bool,
}

impl Upstream {
    /// Creates an upstream that takes the request as it is.
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
