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
mod tests {
    use super::*;
    use crate::team::tests::{limited, team};

    struct Echo;

    impl Provider for Echo {
        const SLUG: &'static str = "echo";

        fn upstream(request: &Request<'_>, settings: &Settings) -> Result<Upstream, Error> {
            if request.model == Some("impossible") {
                return Err(Error::invalid_param("model", "no such model"));
            }
            let model = request.headers.get_str("x-model").map(ToOwned::to_owned);
            let upstream = Upstream::at(request.target.below("/echo"));
            let echoes_model = model.is_some();
            Ok(Upstream { model, echoes_model, ..upstream.with_bearer(settings, "echo_key") })
        }

        fn bare_model(model: &str) -> &str {
            model.strip_prefix("models/").unwrap_or(model)
        }

        fn model_in_path(path: &str) -> Option<std::ops::Range<usize>> {
            let name = path.strip_prefix("/native/")?;
            Some(path.len() - name.len()..path.len())
        }
    }

    fn settings() -> Settings {
        let lines = "ai_gateway_host=https://h\nai_gateway_account_id=a\nai_gateway_id=g\n\
            ai_gateway_token=operator\necho_key=own";
        Settings::from_lines(lines.to_owned())
    }

    fn send(inbound: Inbound) -> Result<Outbound, Error> {
        send_as(&team("blue"), inbound)
    }

    fn send_as(team: &Team, inbound: Inbound) -> Result<Outbound, Error> {
        let settings = settings();
        let gateway = settings.gateway().unwrap();
        let limited_models = LimitedModels::parse(r#"{"echo/big": "small", "*": "any"}"#).unwrap();
        let rules =
            Rules { settings: &settings, gateway: &gateway, limited_models: &limited_models };
        Outbound::new::<Echo>(inbound, team, &rules)
    }

    fn inbound(path: &str, headers: &[(&str, &str)], body: &str) -> Inbound {
        let body = match body {
            "" => Body::Absent,
            json => Body::Json(json.into(), body::probe(json.as_bytes()).unwrap()),
        };
        Inbound {
            method: Method::POST,
            path_with_query: path.to_owned(),
            headers: headers.iter().copied().collect(),
            body,
        }
    }

    #[test]
    fn a_request_leaves_as_ours() {
        let client = [
            ("authorization", "Bearer sk_client"),
            ("x-api-key", "sk_client"),
            ("cookie", "a=b"),
            ("cf-aig-authorization", "Bearer stolen"),
            ("cf-aig-metadata", r#"{"team_id":"red","run":1}"#),
            ("spin-path-info", "/x"),
            ("x-forwarded-for", "1.2.3.4"),
            ("accept-encoding", "gzip"),
            ("content-length", "99"),
            ("content-type", "application/json"),
            ("user-agent", "OpenAI/JS"),
        ];
        let sent = send(inbound("/echo/v1/chat?a=1", &client, r#"{"model":"m"}"#)).unwrap();
        assert_eq!(sent.path_with_query, "/v1/a/g/echo/chat?a=1");
        let key_id = team("blue").id().to_owned();
        let metadata = format!(
            r#"{{"team_id":"blue","key_id":"{key_id}","model":"m","original_model":"m","run":1}}"#
        );
        let expected = Headers::from_iter([
            ("content-type", "application/json"),
            ("user-agent", "OpenAI/JS"),
            ("accept-encoding", "identity"),
            ("cf-aig-authorization", "Bearer operator"),
            ("cf-aig-metadata", &metadata),
            ("content-length", "13"),
            ("authorization", "Bearer own"),
        ]);
        assert_eq!(sent.headers, expected);
        assert_eq!(sent.body.bytes(), br#"{"model":"m"}"#);
    }

    #[test]
    fn another_model_changes_body_length_and_metadata() {
        let sent =
            send(inbound("/echo/x", &[("x-model", "longer")], r#"{"model": "m" }"#)).unwrap();
        assert_eq!(sent.body.bytes(), br#"{"model": "longer" }"#);
        assert_eq!(sent.headers.content_length(), Some(20));
        let metadata = sent.headers.get_str("cf-aig-metadata").unwrap();
        assert!(metadata.contains(r#""model":"longer","original_model":"m""#), "{metadata}");
        assert_eq!((sent.asked.as_deref(), sent.sent.as_deref()), (Some("m"), Some("longer")));
    }

    const CHAT: &str = "/echo/chat/completions";

    #[test]
    fn a_limited_team_gets_the_operators_model() {
        let team = limited("blue");
        for (path, body, sent_path, sent_body, sent_model) in [
            (CHAT, r#"{"model":"big"}"#, CHAT, r#"{"model":"small"}"#, Some("small")),
            (CHAT, r#"{"model":"other"}"#, CHAT, r#"{"model":"any"}"#, Some("any")),
            ("/echo/native/big", "", "/echo/native/small", "", Some("small")),
            (
                "/echo/native/big",
                r#"{"model":"x"}"#,
                "/echo/native/small",
                r#"{"model":"small"}"#,
                Some("small"),
            ),
            (
                "/echo/native/big",
                r#"{"model":"models/big"}"#,
                "/echo/native/small",
                r#"{"model":"models/small"}"#,
                Some("small"),
            ),
            ("/echo/x", "", "/echo/x", "", None),
        ] {
            let sent = send_as(&team, inbound(path, &[], body)).unwrap();
            assert_eq!(sent.path_with_query, format!("/v1/a/g{sent_path}"), "{path} {body}");
            assert_eq!(sent.body.bytes(), sent_body.as_bytes(), "{path} {body}");
            assert_eq!(sent.sent.as_deref(), sent_model, "{path} {body}");
        }
    }

    #[test]
    fn a_model_the_provider_refuses_is_the_maps_fault_where_the_map_chose_it() {
        let wish = r#"{"model":"impossible"}"#;
        let own = send_as(&team("blue"), inbound("/echo/x", &[], wish));
        assert!(matches!(own, Err(Error::InvalidBody { .. })), "{own:?}");
        let settings = settings();
        let gateway = settings.gateway().unwrap();
        let limited_models = LimitedModels::parse(r#"{"*": "impossible"}"#).unwrap();
        let rules =
            Rules { settings: &settings, gateway: &gateway, limited_models: &limited_models };
        let wish = inbound(CHAT, &[], r#"{"model":"m"}"#);
        let error = Outbound::new::<Echo>(wish, &limited("blue"), &rules).unwrap_err().to_string();
        assert!(error.contains("limited_models: "), "{error}");
    }

    #[test]
    fn a_limited_team_cannot_hide_its_model() {
        let limited = limited("blue");
        let json = Body::Json(b"{}".to_vec(), Probe::default());
        for body in [Body::Stream, Body::Whole(b"{}".to_vec()), json] {
            let upload = || Inbound { body: body.clone(), ..inbound("/echo/x", &[], "") };
            assert!(matches!(send_as(&limited, upload()), Err(Error::ModelNotAllowed(_))));
            assert!(send(upload()).is_ok());
        }
        // What is not run by the request itself stands for nothing.
        let batch = inbound("/echo/batches", &[], r#"{"model":"big"}"#);
        assert!(matches!(send_as(&limited, batch), Err(Error::ModelNotAllowed(_))));
        let encoded = send_as(&limited, inbound("/echo/native/%62ig", &[], ""));
        assert!(matches!(encoded, Err(Error::UnsafePath(_))));
    }

    #[test]
    fn what_no_host_would_take_is_refused() {
        let long = format!(r#"{{"model":"{}"}}"#, "x".repeat(MODEL_LENGTH + 1));
        let outcome = send(inbound("/echo/x", &[], &long));
        assert!(matches!(outcome, Err(Error::InvalidBody { param: Some(_), .. })));
        let large = "x".repeat(HEADER_BYTES);
        let twice = [("content-type", "a/b"), ("content-type", "c/d")];
        for headers in [&[("x-large", large.as_str())][..], &twice] {
            let outcome = send(inbound("/echo/x", headers, ""));
            assert!(matches!(outcome, Err(Error::InvalidHeader { .. })));
        }
    }

    #[test]
    fn a_forms_model_is_replaced_as_plain_text() {
        let limited = limited("blue");
        let bytes = b"a big b".to_vec();
        let model = Some(Model { name: "big".to_owned(), span: 2..5 });
        let form = Inbound { body: Body::Form(bytes, model), ..inbound(CHAT, &[], "") };
        let sent = send_as(&limited, form).unwrap();
        assert_eq!(
            (sent.body.bytes(), sent.headers.content_length()),
            (&b"a small b"[..], Some(9))
        );
    }

    #[test]
    fn a_name_the_provider_echoes_is_given_back() {
        let request = inbound("/echo/x", &[("x-model", "theirs")], r#"{"model":"mine"}"#);
        let mut rename = send(request).unwrap().rename.unwrap();
        assert_eq!(rename.push(br#"{"model":"theirs"}"#), br#"{"model":"mine"}"#);
        assert!(send(inbound("/echo/x", &[], r#"{"model":"mine"}"#)).unwrap().rename.is_none());
    }

    #[test]
    fn a_streamed_body_keeps_its_length() {
        let mut upload = inbound("/echo/x", &[("content-length", "1000")], "");
        upload.body = Body::Stream;
        assert_eq!(send(upload).unwrap().headers.content_length(), Some(1000));
    }

    #[test]
    fn proxy_methods_are_refused() {
        for method in [Method::TRACE, Method::CONNECT, Method::from_bytes(b"BREW").unwrap()] {
            let request = Inbound { method, ..inbound("/echo/x", &[], "") };
            assert!(matches!(send(request), Err(Error::MethodNotAllowed { .. })));
        }
    }

    #[test]
    fn a_key_in_the_url_never_leaves() {
        let key = crate::team::tests::key();
        let outcome = send(inbound(&format!("/echo/x?key={}", key.reveal()), &[], ""));
        assert!(matches!(outcome, Err(Error::UnsafePath(_))));
    }

    #[test]
    fn a_refusal_of_the_path_stops_the_request() {
        let outcome = send(inbound("/echo/../x", &[], "")).map(|_| ());
        assert!(matches!(outcome, Err(Error::UnsafePath(_))));
    }
}
