//! A client's request made into the one that leaves: URL, headers and body together.

use std::borrow::Cow;

use http::Method;

use crate::body::{self, Model, Probe};
use crate::headers::{RequestRule, request_rule};
use crate::rename::Rename;
use crate::service::Call;
use crate::settings::Gateway;
use crate::url::{Target, check_path};
use crate::{
    Error, Headers, LimitedModels, Provider, Request, Settings, Team, Upstream, cache, listing,
    metadata, policy,
};

/// The methods of HTTP APIs. `CONNECT` and `TRACE` are for proxies, and this is none.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Bytes a model's name may have: the longest are ARNs.
const MODEL_LENGTH: usize = 2048;

/// Bytes all headers may have together. Hosts trap a component that makes more of them.
const HEADER_BYTES: usize = 64 * 1024;

/// A client's request as it came in.
#[derive(Debug)]
pub struct Inbound {
    /// The method.
    pub method: Method,
    /// The raw request target: path and query.
    pub path_with_query: String,
    /// The headers.
    pub headers: Headers,
    /// The body, as far as it was read.
    pub body: Body,
}

/// A body on its way through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    Absent,
    /// JSON, whole and probed.
    Json(Vec<u8>, Probe),
    /// A form, whole and searched for its model.
    Form(Vec<u8>, Option<Model>),
    /// Whole, not looked into.
    Whole(Vec<u8>),
    /// Still with the client; moved without being looked at.
    Stream,
}

/// What the operator has set, as far as a request needs it.
#[derive(Debug)]
pub struct Rules<'a> {
    /// The component's settings.
    pub settings: &'a Settings,
    /// The AI Gateway of these settings.
    pub gateway: &'a Gateway<'a>,
    /// The models of limited teams; empty for any other team.
    pub limited_models: &'a LimitedModels,
}

/// A request ready to be sent to the AI Gateway.
#[derive(Debug)]
pub struct Outbound {
    /// The method.
    pub method: Method,
    /// The raw request target: below the AI Gateway's base, whatever the client sent.
    pub path_with_query: String,
    /// All headers, the credentials among them.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// The model the client asked for.
    pub asked: Option<String>,
    /// The model that is asked for upstream.
    pub sent: Option<String>,
    /// How the answer gets back the model name the client asked for.
    pub rename: Option<Rename>,
}

impl Outbound {
    /// Makes the request that leaves for `P`.
    ///
    /// # Errors
    /// Any refusal of the path, the model, the provider or a header.
    pub fn new<P: Provider>(
        inbound: Inbound,
        team: &Team,
        rules: &Rules<'_>,
    ) -> Result<Self, Error> {
        let Routed { upstream, asked, given, sent, in_body } = route::<P>(&inbound, team, rules)?;
        let body = match in_body {
            Some(name) => inbound.body.with_model(&name),
            None => inbound.body,
        };
        let rename = match (&given, &sent) {
            (Some(given), Some(sent)) if upstream.echoes_model && given != sent => {
                Some(Rename::new(sent, given))
            }
            _ => None,
        };
        let Upstream { path, headers, .. } = upstream;
        let destination = Destination { path, headers, body, asked, sent };
        let outbound = destination.outbound(inbound.method, inbound.headers, team, rules)?;
        Ok(Self { rename, ..outbound })
    }

    /// Makes the translated request for `call` that leaves for `destination`.
    ///
    /// # Errors
    /// Any refusal of a header.
    pub fn to(
        destination: Destination,
        call: &Call,
        team: &Team,
        rules: &Rules<'_>,
    ) -> Result<Self, Error> {
        let mut headers = call.headers.clone();
        headers.retain(|name| !DESCRIBING.contains(&name));
        destination.outbound(Method::POST, headers, team, rules)
    }
}

/// Headers that say what a client's body is and what it can read: not true of a translated one.
const DESCRIBING: [&str; 4] = ["accept", "content-encoding", "content-type", "range"];

/// Where a request goes, what it says there, and in which model's name.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Path and query below the AI Gateway's base, starting with `/`.
    pub path: String,
    /// Headers to add.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
    /// The model the client asked for.
    pub asked: Option<String>,
    /// The model that is asked for upstream.
    pub sent: Option<String>,
}

impl Destination {
    /// Adds what the AI Gateway is told, and takes out what it must not get.
    fn outbound(
        self,
        method: Method,
        mut headers: Headers,
        team: &Team,
        rules: &Rules<'_>,
    ) -> Result<Outbound, Error> {
        let Self { path, headers: added, body, asked, sent } = self;
        let path_with_query = format!("{}{path}", rules.gateway.base_path);
        let client_metadata = headers.get("cf-aig-metadata");
        let metadata = metadata::merge(team, asked.as_deref(), sent.as_deref(), client_metadata)?;
        let ours = [
            ("accept-encoding", Some(b"identity".to_vec())),
            ("cf-aig-authorization", Some(format!("Bearer {}", rules.gateway.token).into_bytes())),
            ("cf-aig-cache-key", cache::key(&headers, team, &path_with_query, body.bytes())),
            ("cf-aig-metadata", Some(metadata.into_bytes())),
            ("content-length", content_length(&body, &headers)),
        ];
        headers.retain(|name| request_rule(name) == RequestRule::Pass);
        for (name, value) in ours {
            if let Some(value) = value {
                headers.push(name, value);
            }
        }
        for (name, value) in added {
            headers.push(name, value);
        }
        check_headers(&headers)?;
        Ok(Outbound { method, path_with_query, headers, body, asked, sent, rename: None })
    }
}

/// Where a request goes, and with which model.
struct Routed {
    upstream: Upstream,
    /// The client's model.
    asked: Option<String>,
    /// The client's, or the one its team is given.
    given: Option<String>,
    /// That, by the provider's name for it.
    sent: Option<String>,
    /// What the body is to call it, if that is not what stands there.
    in_body: Option<String>,
}

/// Checks the target, gives the team its model, and asks the provider's rule for the destination.
fn route<P: Provider>(inbound: &Inbound, team: &Team, rules: &Rules<'_>) -> Result<Routed, Error> {
    if !METHODS.split(',').any(|method| method.trim_start() == inbound.method.as_str()) {
        return Err(Error::MethodNotAllowed { allowed: METHODS });
    }
    let target = Target::parse(&inbound.path_with_query, P::SLUG)?;
    let place = P::model_in_path(target.path);
    let in_path = place.clone().and_then(|place| target.path.get(place));
    if in_path.is_some_and(|model| model.contains('%') || model.ends_with('/')) {
        return Err(Error::UnsafePath("an unusual model name"));
    }
    let is_held = team.scope.restricts_models() || rules.limited_models.applies_to(team);
    let counts = !is_held || policy::runs_its_model(&inbound.method, target.path);
    let asked = in_path.or_else(|| inbound.body.model().filter(|_| counts));
    check_model(asked, team, inbound, rules)?;
    check_scope::<P>(asked, team, inbound, target.path)?;
    let substitute = asked
        .and_then(|model| rules.limited_models.substitute(team, P::SLUG, P::bare_model(model)));
    let path = match (place, substitute) {
        (Some(place), Some(model)) => {
            Cow::Owned(with_model_in_path(target.path, place, P::bare_model(model))?)
        }
        _ => Cow::Borrowed(target.path),
    };
    let model = substitute.or(asked);
    let target = Target { path: &path, query: target.query };
    let request = Request { method: &inbound.method, target, headers: &inbound.headers, model };
    let upstream = P::upstream(&request, rules.settings)
        .map_err(|error| if substitute.is_some() { blame_the_map(error) } else { error })?;
    let sent = upstream.model.as_deref().or(model);
    let in_body = match (in_path, substitute) {
        (Some(_), Some(model)) => in_body_too::<P>(&inbound.body, model),
        (_, _) => sent.filter(|_| sent != asked).map(ToOwned::to_owned),
    };
    Ok(Routed {
        in_body,
        sent: sent.map(ToOwned::to_owned),
        given: model.map(ToOwned::to_owned),
        asked: asked.map(ToOwned::to_owned),
        upstream,
    })
}

/// The operator's `model` for a body that repeats the path's, with what such bodies put before it.
fn in_body_too<P: Provider>(body: &Body, model: &str) -> Option<String> {
    let repeated = body.model()?;
    let prefix = repeated.strip_suffix(P::bare_model(repeated)).unwrap_or_default();
    Some(format!("{prefix}{}", P::bare_model(model)))
}

/// A model the provider refuses is the operator's mistake where the operator chose it.
fn blame_the_map(error: Error) -> Error {
    match error {
        Error::InvalidBody { message, param: Some(param) } if param == "model" => {
            Error::Configuration(format!("{}: {message}", policy::SETTING))
        }
        error => error,
    }
}

/// Refuses a model that no header could carry, and a limited team's body that names none: what it
/// asks for, in a batch or a file, could not be held to the operator's choice.
fn check_model(
    asked: Option<&str>,
    team: &Team,
    inbound: &Inbound,
    rules: &Rules<'_>,
) -> Result<(), Error> {
    if asked.is_some_and(|model| model.len() > MODEL_LENGTH) {
        let rule = format!("`model` may have at most {MODEL_LENGTH} bytes");
        return Err(Error::invalid_param("model", rule));
    }
    let is_unnamed = asked.is_none() && inbound.body != Body::Absent;
    if is_unnamed && rules.limited_models.applies_to(team) {
        let why = "a limited team's request must name its model, in JSON or a form";
        return Err(Error::ModelNotAllowed(why.to_owned()));
    }
    Ok(())
}

/// Holds a key to its models: a request must be for one of them, or for the list of all, which is cut
/// down to them.
fn check_scope<P: Provider>(
    asked: Option<&str>,
    team: &Team,
    inbound: &Inbound,
    path: &str,
) -> Result<(), Error> {
    match asked {
        Some(model) if team.scope.is_about_models(model) => {
            team.scope.check_model(P::SLUG, &[P::bare_model(model), model])
        }
        _ if !team.scope.restricts_models() => Ok(()),
        _ if inbound.method == Method::GET && listing::is_list(path) => Ok(()),
        _ => Err(Error::NotInScope("what names no model".to_owned())),
    }
}

/// Puts the operator's `model` in the place of the client's.
fn with_model_in_path(
    path: &str,
    place: std::ops::Range<usize>,
    model: &str,
) -> Result<String, Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@/".contains(&byte);
    let head = path.get(..place.start).unwrap_or_default();
    let tail = path.get(place.end..).unwrap_or_default();
    let path = format!("{head}{model}{tail}");
    if model.bytes().all(is_plain) && check_path(&path).is_ok() {
        return Ok(path);
    }
    let setting = policy::SETTING;
    Err(Error::Configuration(format!("{setting}: `{model}` cannot stand in a path")))
}

/// Refuses headers that a host would not take, or that could be read in two ways.
fn check_headers(headers: &Headers) -> Result<(), Error> {
    if headers.total_bytes() > HEADER_BYTES {
        return Err(Error::invalid_header("headers", "the headers are too large"));
    }
    if headers.get_all("content-type").count() > 1 {
        return Err(Error::invalid_header("content-type", "`content-type` is given twice"));
    }
    Ok(())
}

/// What leaves is announced with its length; only a client that announces none streams without.
fn content_length(body: &Body, client: &Headers) -> Option<Vec<u8>> {
    match body {
        Body::Absent => None,
        Body::Json(bytes, _) | Body::Form(bytes, _) | Body::Whole(bytes) => {
            Some(bytes.len().to_string().into_bytes())
        }
        Body::Stream => client.content_length().map(|length| length.to_string().into_bytes()),
    }
}

// === impl Body ===

impl Body {
    /// The bytes of a whole body.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Json(bytes, _) | Self::Form(bytes, _) | Self::Whole(bytes) => bytes,
            Self::Absent | Self::Stream => &[],
        }
    }

    /// The model the body names.
    fn model(&self) -> Option<&str> {
        let model = match self {
            Self::Json(_, probe) => probe.model.as_ref(),
            Self::Form(_, model) => model.as_ref(),
            Self::Absent | Self::Whole(_) | Self::Stream => None,
        };
        model.map(|model| model.name.as_str())
    }

    /// The same body with another model, where it names one.
    fn with_model(self, name: &str) -> Self {
        match self {
            Self::Json(bytes, Probe { model: Some(model), is_stream }) => {
                // A string always prints as JSON.
                let value = serde_json::to_vec(name).unwrap_or_default();
                let edited = body::with_value(&bytes, &model, &value);
                Self::Json(edited, Probe { model: Some(model), is_stream })
            }
            Self::Form(bytes, Some(model)) => {
                Self::Form(body::with_value(&bytes, &model, name.as_bytes()), Some(model))
            }
            body => body,
        }
    }
}

#[cfg(test)]
mod tests;
