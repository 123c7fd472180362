//! Turns a client's request into the one that is sent: URL, headers and body together.

use std::borrow::Cow;

use http::Method;

use crate::ai_gateway::{cache_key, metadata, options};
use crate::edit::Edit;
use crate::http::body::{Body, Plan};
use crate::http::headers::{RequestRule, request_rule};
use crate::http::target::raw_path;
use crate::operation::Class;
use crate::operator::Operator;
use crate::route::Route;
use crate::{Error, Head, Headers, Provider, Request, Team};

/// The maximum length of all headers together, in bytes. A host traps a component that sends more.
const HEADER_BYTES: usize = 64 * 1024;

/// Headers that describe the client's body and what the client accepts: wrong for a translated
/// request.
const DESCRIBING: [&str; 4] = ["accept", "content-encoding", "content-type", "range"];

/// A request ready to be sent to the AI Gateway.
#[derive(Debug)]
pub struct Outbound {
    /// The method.
    pub method: Method,
    /// The raw request target: below the AI Gateway's base, whatever the client sent.
    pub path_with_query: String,
    /// All headers, the credentials included.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// The model the client requested.
    pub original_model: Option<String>,
    /// The model requested from the provider.
    pub model: Option<String>,
    /// What is done with the response.
    pub edit: Edit,
    /// Which kind of operation it is.
    pub class: Class,
    /// Whether the chunk with a stream's usage is taken out of the response.
    pub hides_usage: bool,
}

impl Outbound {
    /// Decides how the body of a request to `P` is read: no further than a decision needs it.
    /// One whose use is limited needs the price of the model.
    pub fn plan_body<P: Provider>(
        head: &Head,
        team: &Team,
        operator: &Operator<'_>,
        is_use_limited: bool,
    ) -> Plan {
        let is_restricted = operator.restricts_models(team) || is_use_limited;
        let path = raw_path(&head.path_with_query, P::SLUG);
        let needs_form_model =
            P::NEEDS_FORM_MODEL || is_restricted && P::class(head, path).runs_models();
        Plan::new(head, needs_form_model, cache_key::needs_body(&head.headers))
    }

    /// Creates the request that is sent to `P`. One that `is_counted` asks for the usage of a stream.
    ///
    /// # Errors
    /// Any rejection of the path, the model or a header, and the provider's own.
    pub fn new<P: Provider>(
        request: Request<Body>,
        team: &Team,
        operator: &Operator<'_>,
        is_counted: bool,
    ) -> Result<Self, Error> {
        let Request { head, body } = request;
        let mut route = Route::new::<P>(&head, body, team, operator)?;
        if is_counted {
            route.ask_for_usage(P::STREAM_USAGE)?;
        }
        Self::from_route(route, head.method, Cow::Owned(head.headers), &[], team, operator)
    }

    /// Creates a translated request to `route`, on behalf of the client's request with this `head`.
    ///
    /// # Errors
    /// Any rejection of a header.
    pub fn translated(
        route: Route,
        head: &Head,
        team: &Team,
        operator: &Operator<'_>,
    ) -> Result<Self, Error> {
        let client = Cow::Borrowed(&head.headers);
        Self::from_route(route, Method::POST, client, &DESCRIBING, team, operator)
    }

    /// Takes the `client`'s headers that the AI Gateway may get, without `dropped`, and adds what it needs.
    ///
    /// The gateway's own values are computed first, because some derive from a client's header; then
    /// the client's are stripped; then ours are added, so that no client can set or repeat one.
    fn from_route(
        route: Route,
        method: Method,
        client: Cow<'_, Headers>,
        dropped: &[&str],
        team: &Team,
        operator: &Operator<'_>,
    ) -> Result<Self, Error> {
        let Route { path, headers: added, body, original_model, model, edit, class, hides_usage } =
            route;
        let path_with_query = format!("{}{path}", operator.ai_gateway.base_path);
        let models =
            metadata::Models { original: original_model.as_deref(), sent: model.as_deref() };
        let metadata = metadata::merge(team, models, client.get("cf-aig-metadata"))?;
        let token = format!("Bearer {}", operator.ai_gateway.token);
        let ours = [
            ("accept-encoding", Some(b"identity".to_vec())),
            ("cf-aig-authorization", Some(token.into_bytes())),
            ("cf-aig-cache-key", cache_key::derive(&client, team, &path_with_query, body.bytes())),
            ("cf-aig-metadata", Some(metadata.into_bytes())),
            ("content-length", content_length(&body, &client)),
            ("idempotency-key", idempotency_key(&client, team)),
        ];
        let options = options::headers(&client, team, model.as_deref(), operator);
        let passes =
            |name: &str| request_rule(name) == RequestRule::Pass && !dropped.contains(&name);
        let mut headers = match client {
            Cow::Owned(mut headers) => {
                headers.retain(passes);
                headers
            }
            // A translated request may be sent again, so what passes is copied.
            Cow::Borrowed(headers) => headers.only(passes),
        };
        for (name, value) in ours.into_iter().chain(options) {
            if let Some(value) = value {
                headers.push(name, value);
            }
        }
        for (name, value) in added {
            headers.push(name, value);
        }
        check_headers(&headers)?;
        Ok(Self {
            method,
            path_with_query,
            headers,
            body,
            original_model,
            model,
            edit,
            class,
            hides_usage,
        })
    }
}

/// Rejects headers that a host would not accept, and those that could be read in two ways.
fn check_headers(headers: &Headers) -> Result<(), Error> {
    if headers.total_bytes() > HEADER_BYTES {
        return Err(Error::invalid_header("headers", "the headers are too large"));
    }
    if headers.get_all("content-type").count() > 1 {
        return Err(Error::invalid_header("content-type", "`content-type` is given twice"));
    }
    Ok(())
}

/// Returns the client's idempotency key, prefixed with its team: all teams share the provider's account,
/// and a key that two of them choose must not give one the other's response.
fn idempotency_key(client: &Headers, team: &Team) -> Option<Vec<u8>> {
    let given = client.get("idempotency-key")?;
    Some([team.cache_scope().as_bytes(), b"-", given].concat())
}

/// Returns the length to announce: the body's own, or the client's for a body that is streamed. Only
/// a client that announces none streams without.
fn content_length(body: &Body, client: &Headers) -> Option<Vec<u8>> {
    match body {
        Body::Absent => None,
        Body::Json(bytes, _) | Body::Form(bytes, _) | Body::Whole(bytes) => {
            Some(bytes.len().to_string().into_bytes())
        }
        Body::Stream => client.content_length().map(|length| length.to_string().into_bytes()),
    }
}

#[cfg(test)]
mod tests;
