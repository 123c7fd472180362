//! A component that passes each request to the component that serves its model, inside of the host.
//! <https://spinframework.dev/v3/http-outbound#local-service-chaining>

use std::marker::PhantomData;

use gateway::ai_gateway::settings::Timeouts;
use gateway::edit::Edit;
use gateway::http::body::{Body, Plan as BodyPlan};
use gateway::http::cors::Cors;
use gateway::http::headers::is_hop_by_hop;
use gateway::http::target::Target;
use gateway::log::Entry;
use gateway::operation::Class;
use gateway::router::list::{self, ModelList};
use gateway::router::prefixes::Served;
use gateway::router::{
    ALIAS_HEADER, COUNTED_HEADER, MODEL_HEADER, Plan, Router, may_fall_back, passes_to_component,
};
use gateway::{AiGateway, Error, Head, Method, Outbound, Response, Team};
use http::StatusCode;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, IncomingResponse, ResponseOutparam};

use crate::auth::authenticate_for_any;
use crate::body::{Read, Source, Spliced};
use crate::host::{self, Instant, kept};
use crate::meter::SharedMeter;
use crate::recount::Recount;
use crate::request::ClientRequest;
use crate::response::Sent;
use crate::serve::{Handler, RequestContext, serve};
use crate::upstream::{self, InFlight};

/// What a component says that routes to others.
pub trait Routes {
    /// Component id, route prefix and log name.
    const SLUG: &'static str;
}

/// The component that passes requests on.
#[derive(Debug)]
pub struct RouterComponent<R>(PhantomData<R>);

/// A component's timeouts do not apply to a request of another one.
const TIMEOUTS: Timeouts = Timeouts {
    connect: upstream::HOST_TIMEOUT,
    first_byte: upstream::HOST_TIMEOUT,
    between_bytes: upstream::HOST_TIMEOUT,
};

/// The interval in nanoseconds for polling whether the client is connected: shorter than that of the
/// component behind this one, so that both together notice within a second.
const POLL_INTERVAL: u64 = 200_000_000;

impl<R: Routes> Guest for RouterComponent<R> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        serve::<Self>(request, out);
    }
}

impl<R: Routes> Handler for RouterComponent<R> {
    const SLUG: &'static str = R::SLUG;

    const TIMING: [&'static str; 2] = [R::SLUG, "component"];

    type Stream = Spliced;

    fn respond(
        request: &ClientRequest,
        head: Head,
        request_context: &RequestContext,
        entry: &mut Entry,
        _: &SharedMeter,
    ) -> Result<Sent<Spliced>, Error> {
        // A browser asks without a key. The components respond to that.
        let team = if Cors::is_preflight(&head) {
            None
        } else {
            Some(authenticate_for_any(&head.headers, request_context, entry)?)
        };
        let settings = request_context.settings.get()?;
        let router = Router::new(settings)?;
        let target = Target::parse(&head.path_with_query, R::SLUG)?;
        let limits = settings.body_limits()?;
        let routing = Routing { router: &router, limits, head: &head, team: team.as_ref(), target };
        match &team {
            None => routing.preflight(request_context, entry),
            Some(team) if head.method == Method::GET && target.path == "/models" => {
                Ok(Sent::Whole(routing.list(team)))
            }
            Some(team) if head.method == Method::GET && target.path.starts_with("/models/") => {
                routing.show(team).map(Sent::Whole)
            }
            Some(_) => routing.pass(request, request_context, entry),
        }
    }
}

/// A request, and what decides where it goes.
struct Routing<'a> {
    router: &'a Router,
    /// The most bytes of a body that is read whole, and of an upload.
    limits: (u64, u64),
    head: &'a Head,
    /// Whose key the client sent; nothing for a preflight request.
    team: Option<&'a Team>,
    target: Target<'a>,
}

impl Routing<'_> {
    /// Passes a request to the component that serves its model. Of an alias's, the next one is asked if
    /// the one before cannot serve it.
    fn pass(
        &self,
        request: &ClientRequest,
        request_context: &RequestContext,
        entry: &mut Entry,
    ) -> Result<Sent<Spliced>, Error> {
        let head = self.head;
        let plan = BodyPlan::new(head, true, false);
        let limits = self.peer("");
        let (body, upload) = if plan == BodyPlan::Stream && self.router.plan(None, 0).is_err() {
            // It names no model, so it goes nowhere, and is not waited for.
            (Body::Stream, None)
        } else {
            request.read_body(&head.headers, plan, &limits)?
        };
        let model = body.model().map(ToOwned::to_owned);
        let plan = self.router.plan(model.as_deref(), host::random_number())?;
        entry.original_model = model;
        self.attempt(&plan, &body, upload.as_ref(), request_context, entry)
    }

    /// Sends the request to one component after the other, until one responds.
    fn attempt(
        &self,
        plan: &Plan,
        body: &Body,
        upload: Option<&Source>,
        request_context: &RequestContext,
        entry: &mut Entry,
    ) -> Result<Sent<Spliced>, Error> {
        let mut notes = Vec::with_capacity(plan.attempts.len());
        let mut recount = Recount::new(self.team);
        let mut attempts = plan.attempts.iter().peekable();
        loop {
            let Some(served) = attempts.next() else {
                return Err(Error::interrupted("there is no component to ask"));
            };
            let is_last = attempts.peek().is_none();
            let before = request_context.start.micros();
            let outcome = self.send(served, plan.alias.as_deref(), body, upload);
            entry.note_upstream(before, request_context.start.micros());
            let status = outcome.as_ref().ok().map(|(status, _)| *status);
            notes.push(format!("{} {}", served.name, status.map_or(0, |status| status.as_u16())));
            entry.attempts = Some(notes.join(", "));
            entry.model = Some(served.name.clone());
            match outcome {
                Err(error) if is_last => {
                    recount.end(None, entry);
                    return Err(error);
                }
                Err(_) => {}
                Ok((status, response)) => {
                    entry.upstream_status = Some(status.as_u16());
                    let mut headers = upstream::read_headers(&response);
                    if is_last || !may_fall_back(status, &headers) {
                        recount.end(Some(&headers), entry);
                        headers.retain(|name| !is_hop_by_hop(name) && name != COUNTED_HEADER);
                        headers.push(MODEL_HEADER, served.name.clone());
                        if let Some(alias) = &plan.alias {
                            headers.push(ALIAS_HEADER, alias.clone());
                        }
                        return pass_on(status, headers, &response, self.head);
                    }
                    // Dropped, so that its instance ends.
                    drop(std::mem::ManuallyDrop::into_inner(response));
                    recount.take_out(&headers, entry);
                }
            }
        }
    }

    /// Sends the request to a component and waits for the head of its response.
    fn send(
        &self,
        served: &Served,
        alias: Option<&str>,
        body: &Body,
        upload: Option<&Source>,
    ) -> Result<(StatusCode, std::mem::ManuallyDrop<IncomingResponse>), Error> {
        let host = host_of(&served.component);
        let outbound = self.outbound(served, alias, body);
        let response = kept(upstream::send(outbound, &self.peer(&host), upload)?);
        let status = StatusCode::from_u16(response.status())
            .map_err(|error| Error::interrupted(error.to_string()))?;
        Ok((status, response))
    }

    /// Creates the request to a component: the client's own, with the component's name for the model.
    fn outbound(&self, served: &Served, alias: Option<&str>, body: &Body) -> Outbound {
        let mut headers = self.head.headers.clone();
        headers.retain(passes_to_component);
        let body = match &served.model {
            Some(model) => body.clone().with_model(model),
            None => body.clone(),
        };
        match &body {
            Body::Absent => {}
            Body::Stream => {
                if let Some(length) = self.head.headers.content_length() {
                    headers.push("content-length", length.to_string());
                }
            }
            whole => headers.push("content-length", whole.bytes().len().to_string()),
        }
        if let Some(alias) = alias {
            headers.push(ALIAS_HEADER, alias.to_owned());
        }
        Outbound {
            method: self.head.method.clone(),
            path_with_query: self.target.below(&format!("/{}", served.component)),
            headers,
            body,
            original_model: None,
            model: None,
            edit: Edit::Nothing,
            class: Class::Inference,
            hides_usage: false,
        }
    }

    /// Asks the first component what a browser may do.
    fn preflight(
        &self,
        request_context: &RequestContext,
        entry: &mut Entry,
    ) -> Result<Sent<Spliced>, Error> {
        let component = self.router.prefixes().components().next().unwrap_or_default().to_owned();
        let served = Served { name: component.clone(), component, model: None };
        let plan = Plan { alias: None, attempts: vec![served] };
        self.attempt(&plan, &Body::Absent, None, request_context, entry)
    }

    /// Lists the models of all components that respond in time.
    fn list(&self, team: &Team) -> Response {
        let (models, unavailable) = self.collect(team);
        let mut response = Response::new(StatusCode::OK, models.into_body(), "application/json");
        if !unavailable.is_empty() {
            response.headers.push("x-gateway-unavailable", unavailable.join(", "));
        }
        response
    }

    /// Shows one model of the list.
    fn show(&self, team: &Team) -> Result<Response, Error> {
        let name = self.target.path.trim_start_matches("/models/");
        let (models, _) = self.collect(team);
        let entry = models.find(name).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            Error::ModelNotFound(format!("there is no model {name}: list them with GET /v1/models"))
        })?;
        Ok(Response::new(StatusCode::OK, entry.into_bytes(), "application/json"))
    }

    /// Collects the models of all components, and the names of those that did not respond in time.
    fn collect(&self, team: &Team) -> (ModelList, Vec<&str>) {
        let timeout = self.router.list_timeout();
        let start = Instant::now();
        let components: Vec<&str> = self.router.prefixes().components().collect();
        // All are asked before the first is waited for.
        let started: Vec<_> = components.iter().map(|id| self.start_list(id)).collect();
        let mut models = ModelList::default();
        models.add_aliases(self.router.aliases(), &team.scope);
        let mut unavailable = Vec::new();
        for (id, in_flight) in components.iter().zip(started) {
            let left = timeout.saturating_sub(start.millis());
            let body = in_flight.ok().and_then(|in_flight| read_list(in_flight, left));
            let prefix = self.router.prefixes().of_component(id);
            let is_listed = match &body {
                Some((status, body)) if status.is_success() => models.add_list(body, prefix),
                // A key that may not use a provider, or a provider without a list, is no failure.
                Some((status, _)) => matches!(status.as_u16(), 403..=405),
                None => false,
            };
            if !is_listed {
                unavailable.push(*id);
            }
        }
        (models, unavailable)
    }

    fn start_list(&self, id: &str) -> Result<InFlight, Error> {
        let served = Served { component: id.to_owned(), model: None, name: id.to_owned() };
        let mut outbound = self.outbound(&served, None, &Body::Absent);
        outbound.path_with_query = format!("/{id}/models");
        // A list is read, so it must not be compressed.
        outbound.headers.retain(|name| name != "accept-encoding" && name != "range");
        upstream::start(outbound, &self.peer(&host_of(id)))
    }

    /// Returns the address of a component, in the form of the AI Gateway's.
    fn peer<'a>(&self, host: &'a str) -> AiGateway<'a> {
        let (max_body, max_upload) = self.limits;
        AiGateway {
            is_tls: false,
            authority: host,
            base_path: String::new(),
            token: "",
            timeouts: TIMEOUTS,
            max_body,
            max_upload,
        }
    }
}

/// Returns the name of a component as a host.
fn host_of(component: &str) -> String {
    format!("{component}.spin.internal")
}

/// Reads a list of models, if it arrives within so many milliseconds.
fn read_list(in_flight: InFlight, millis: u64) -> Option<(StatusCode, Vec<u8>)> {
    let start = Instant::now();
    let response = kept(in_flight.wait_for(millis)?.ok()?);
    let status = StatusCode::from_u16(response.status()).ok()?;
    let reader = upstream::read_body(&response).ok()?;
    let is_wanted = |_: &gateway::http::pace::Pace| start.millis() <= millis;
    match reader.read(list::MAX_BYTES, Some(&is_wanted)) {
        Ok(Read::Whole(body)) => Some((status, body)),
        _ => None,
    }
}

/// Passes a response on to the client.
fn pass_on(
    status: StatusCode,
    headers: gateway::Headers,
    response: &IncomingResponse,
    head: &Head,
) -> Result<Sent<Spliced>, Error> {
    let is_bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if is_bodiless || head.method == Method::HEAD {
        return Ok(Sent::Whole(Response { status, headers, body: Vec::new() }));
    }
    let rest = upstream::read_body(response)?.of_length(headers.content_length());
    let body = Spliced::new(Vec::new(), rest.polling(POLL_INTERVAL));
    Ok(Sent::Stream(Response { status, headers, body }))
}
