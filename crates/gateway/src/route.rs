//! Decides where a request goes: reads its target, chooses the model, asks the provider, and writes
//! the model's name into the path or the body.

use std::borrow::Cow;
use std::ops::Range;

use http::Method;

use crate::edit::Edit;
use crate::http::body::Body;
use crate::http::bytes::is_alphanumeric_or;
use crate::http::target::{Target, check_path};
use crate::models::echo::ModelEcho;
use crate::models::list::ModelFilter;
use crate::models::{limited, list};
use crate::operation::Class;
use crate::operator::Operator;
use crate::usage::{StreamUsage, stream_options};
use crate::{Error, Head, Provider, RequestParts, Team, Upstream};

/// The operation that creates embeddings, in OpenAI's API.
const EMBEDDINGS: &str = "/embeddings";

/// The methods of HTTP APIs. `CONNECT` and `TRACE` make no sense for an API gateway.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The maximum length of a model's name, in bytes: the longest are ARNs.
const MODEL_LENGTH: usize = 2048;

/// Where a request goes, with which body, and under which model's name.
#[derive(Clone, Debug)]
pub struct Route {
    /// Path and query below the AI Gateway's base, starting with `/`.
    pub path: String,
    /// Headers to add.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
    /// The model the client requested.
    pub original_model: Option<String>,
    /// The model requested from the provider, by the provider's name for it.
    pub model: Option<String>,
    /// What is done with the response.
    pub edit: Edit,
    /// Which kind of operation it is.
    pub class: Class,
    /// Whether the chunk with a stream's usage is taken out again: the gateway asked for it, not the client.
    pub hides_usage: bool,
}

/// The model that a request names.
#[derive(Clone)]
struct Named<'a> {
    class: Class,
    model: Option<&'a str>,
    /// Where it is in the path, if it is there.
    in_path: Option<Range<usize>>,
}

/// The model to request, which is the operator's substitute or the named one, and the path to request
/// it with.
struct Choice<'a> {
    model: Option<&'a str>,
    path: Cow<'a, str>,
    is_substitute: bool,
}

impl Route {
    /// Decides where a request to `P` goes.
    ///
    /// # Errors
    /// Any rejection of the method, the path or the model.
    pub(crate) fn new<P: Provider>(
        head: &Head,
        body: Body,
        team: &Team,
        operator: &Operator<'_>,
    ) -> Result<Self, Error> {
        check_method(&head.method)?;
        // Every rule below reads the path, so it must have only one meaning by then.
        let target = Target::parse(&head.path_with_query, P::SLUG)?;
        let is_restricted = operator.restricts_models(team);
        let class = P::class(head, target.path);
        let named = Named::read::<P>(&body, target.path, class, is_restricted)?;
        named.check(&body, team, operator)?;
        // The scope applies to the model that the client names, the substitution comes after it:
        // otherwise a key could request any model that the operator replaces by an allowed one.
        named.check_scope::<P>(head, team, target.path)?;
        let choice = named.choose::<P>(target.path, team, operator)?;
        let upstream = choice.upstream::<P>(head, target, operator)?;
        // After the provider's rule, which says more precisely what is wrong with an unknown path.
        class.check(team)?;
        let model = upstream.model.as_deref().or(choice.model);
        let new_name = named.new_name::<P>(&body, &choice, model);
        let edit = if team.scope.restricts_models() && list::is_list(target.path) {
            Edit::FilterModels(ModelFilter::new(P::SLUG, &team.scope, P::bare_model))
        } else if P::RETURNS_NUMBERS && target.path.ends_with(EMBEDDINGS) && body.wants_base64() {
            Edit::EncodeVectors
        } else {
            echo(&upstream, choice.model, model)
        };
        let (model, original_model) =
            (model.map(ToOwned::to_owned), named.model.map(ToOwned::to_owned));
        let body = match new_name {
            Some(name) => body.with_model(&name),
            None => body,
        };
        let Upstream { path, headers, .. } = upstream;
        Ok(Self { path, headers, body, original_model, model, edit, class, hides_usage: false })
    }

    /// Asks for the usage of a stream of completions, if the provider reports it only then and the client
    /// did not.
    ///
    /// # Errors
    /// [`Error::InvalidBody`] for ambiguous options.
    pub(crate) fn ask_for_usage(&mut self, when: StreamUsage) -> Result<(), Error> {
        let path = self.path.split('?').next().unwrap_or_default();
        let Body::Json(bytes, probe) = &mut self.body else { return Ok(()) };
        if when == StreamUsage::OnRequest
            && probe.is_stream
            && stream_options::applies_to(path)
            && let Some(edited) = stream_options::include_usage(bytes)?
        {
            *bytes = edited;
            self.hides_usage = true;
        }
        Ok(())
    }
}

fn check_method(method: &Method) -> Result<(), Error> {
    if METHODS.split(", ").any(|known| known == method.as_str()) {
        return Ok(());
    }
    Err(Error::MethodNotAllowed { allowed: METHODS })
}

/// Returns the edit that replaces the model name `sent` by `requested` in the response.
fn echo(upstream: &Upstream, requested: Option<&str>, sent: Option<&str>) -> Edit {
    match (requested, sent) {
        (Some(requested), Some(sent)) if upstream.echoes_model && requested != sent => {
            Edit::EchoModel(ModelEcho::new(sent, requested))
        }
        _ => Edit::Nothing,
    }
}

// === impl Named ===

impl<'a> Named<'a> {
    /// Reads the model that a request names: in its path, or else in its body.
    fn read<P: Provider>(
        body: &'a Body,
        path: &'a str,
        class: Class,
        is_restricted: bool,
    ) -> Result<Self, Error> {
        // Neither the model of a batch's path nor that of its body determines which models run. For a
        // restricted team or key it is ignored: an allowed name there must not admit other models.
        if is_restricted && class == Class::UnnamedInference {
            return Ok(Self { class, model: None, in_path: None });
        }
        let in_path = P::model_in_path(path);
        let Some(model) = in_path.clone().and_then(|place| path.get(place)) else {
            return Ok(Self { class, model: body.model(), in_path: None });
        };
        // Providers differ in whether they decode or trim a model name in a path. Policy does neither,
        // so a name that would change is rejected.
        if model.contains('%') || model.ends_with('/') {
            let why = "a model name in a path must not contain `%` or end in `/`";
            return Err(Error::UnsafePath(why));
        }
        Ok(Self { class, model: Some(model), in_path })
    }

    /// Rejects a model name that is too long for `cf-aig-metadata`, and a limited team's request that
    /// runs models without naming one: they could be others than the operator's.
    fn check(&self, body: &Body, team: &Team, operator: &Operator<'_>) -> Result<(), Error> {
        if self.model.is_some_and(|model| model.len() > MODEL_LENGTH) {
            let rule = format!("`model` may have at most {MODEL_LENGTH} bytes");
            return Err(Error::invalid_param("model", rule));
        }
        let may_run = *body != Body::Absent || self.class == Class::UnnamedInference;
        let is_unnamed = self.model.is_none() && may_run;
        if is_unnamed && self.class.runs_models() && operator.limited_models.applies_to(team) {
            let why = "a limited team's request must name its model, in JSON or a form";
            return Err(Error::ModelNotAllowed(why.to_owned()));
        }
        Ok(())
    }

    /// Enforces a key's models: a request that runs or shows models must name one of them, or be for
    /// the list of models, which is filtered.
    fn check_scope<P: Provider>(&self, head: &Head, team: &Team, path: &str) -> Result<(), Error> {
        let is_get = head.method == Method::GET;
        match self.model.or_else(|| list::shown_model(path).filter(|_| is_get)) {
            Some(model) if team.scope.governs(model) => {
                team.scope.check_model(P::SLUG, &[P::bare_model(model), model])
            }
            _ if !team.scope.restricts_models() || !self.class.runs_models() => Ok(()),
            _ if is_get && list::is_list(path) => Ok(()),
            _ => {
                let why = "is restricted to certain models: name one in the request";
                Err(Error::NotInScope(why.to_owned()))
            }
        }
    }

    /// Chooses the operator's model for a limited team, and writes it into the path if the path
    /// names the model.
    fn choose<P: Provider>(
        &self,
        path: &'a str,
        team: &Team,
        operator: &'a Operator<'_>,
    ) -> Result<Choice<'a>, Error> {
        let substitute = self.model.and_then(|model| {
            operator.limited_models.substitute(team, P::SLUG, P::bare_model(model))
        });
        let path = match (&self.in_path, substitute) {
            (Some(place), Some(model)) => {
                Cow::Owned(with_model_in_path(path, place, P::bare_model(model))?)
            }
            _ => Cow::Borrowed(path),
        };
        let is_substitute = substitute.is_some();
        Ok(Choice { model: substitute.or(self.model), path, is_substitute })
    }

    /// Returns the name to write into the body, if it differs from the one that is there. `sent` is
    /// the provider's name for the chosen model.
    fn new_name<P: Provider>(
        &self,
        body: &Body,
        choice: &Choice<'_>,
        sent: Option<&str>,
    ) -> Option<String> {
        if self.in_path.is_none() || !choice.is_substitute {
            return sent.filter(|_| sent != self.model).map(ToOwned::to_owned);
        }
        // Some native bodies repeat the path's model with a prefix, which is kept.
        let repeated = body.model()?;
        let prefix = repeated.strip_suffix(P::bare_model(repeated)).unwrap_or_default();
        choice.model.map(|model| format!("{prefix}{}", P::bare_model(model)))
    }
}

// === impl Choice ===

impl Choice<'_> {
    /// Asks the provider's rule for the upstream.
    fn upstream<P: Provider>(
        &self,
        head: &Head,
        target: Target<'_>,
        operator: &Operator<'_>,
    ) -> Result<Upstream, Error> {
        let request = RequestParts {
            method: &head.method,
            target: Target { path: &self.path, ..target },
            headers: &head.headers,
            model: self.model,
        };
        let upstream = P::upstream(&request, operator.settings);
        if self.is_substitute { upstream.map_err(as_configuration_error) } else { upstream }
    }
}

/// Converts a rejected model into the operator's mistake, because the operator chose it.
fn as_configuration_error(error: Error) -> Error {
    match error {
        Error::InvalidBody { message, param: Some(param) } if param == "model" => {
            Error::Configuration(format!("{}: {message}", limited::SETTING))
        }
        error => error,
    }
}

/// Replaces the model at `place` of `path` by the operator's.
fn with_model_in_path(path: &str, place: &Range<usize>, model: &str) -> Result<String, Error> {
    let before = path.get(..place.start).unwrap_or_default();
    let after = path.get(place.end..).unwrap_or_default();
    let path = format!("{before}{model}{after}");
    if is_alphanumeric_or(b"-._:@/", model) && check_path(&path).is_ok() {
        return Ok(path);
    }
    let setting = limited::SETTING;
    Err(Error::Configuration(format!("{setting}: `{model}` cannot be part of a path")))
}
