//! A stand-in for Cloudflare AI Gateway and the providers behind it: strict about what reaches it,
//! true to the shapes of what it answers, and able to fail on demand ([`faults`]).
//!
//! Nothing of it is part of the app: tests, benches and a first `cargo xtask up` use it.
#![expect(clippy::indexing_slicing, reason = "a JSON value has a null for what it lacks")]

pub mod bedrock;
pub mod faults;

mod anthropic;
mod azure;
mod checks;
mod control;
mod google;
mod openai;
mod reply;
mod workers_ai;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::simulator::faults::Fault;
use crate::simulator::reply::{Body, Cut, Reply};

/// The path of the one gateway that is simulated.
pub const BASE_PATH: &str = "/v1/simulated-account/simulated-gateway";

/// The token it takes in `cf-aig-authorization`.
pub const TOKEN: &str = "simulated-gateway-token";

/// Requests that are remembered.
const REMEMBERED: usize = 1000;

/// Bodies up to this size are remembered with their request.
const REMEMBERED_BODY: usize = 1024 * 1024;

/// The simulated gateway. Clones share what they have seen.
#[derive(Clone, Debug, Default)]
pub struct Simulator(Arc<State>);

#[derive(Debug, Default)]
struct State {
    received: Mutex<VecDeque<Received>>,
    open_gates: Mutex<HashSet<String>>,
    gate_opened: Notify,
    failures: Mutex<HashMap<String, u32>>,
}

/// A request as it reached the simulated gateway.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The raw path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty if it is very long.
    pub body: Bytes,
}

impl Simulator {
    /// A gateway that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves connections of `listener` until the task is dropped.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(self.clone().serve_connection(stream));
            }
        }
    }

    /// The requests whose header `x-case` is `case`, in the order they came.
    pub fn received(&self, case: &str) -> Vec<Received> {
        let is_of_case = |received: &&Received| {
            received.headers.get("x-case").is_some_and(|value| value.as_bytes() == case.as_bytes())
        };
        lock(&self.0.received).iter().filter(is_of_case).cloned().collect()
    }

    /// Lets streams that wait at the gate `name` go on, now and later.
    pub fn open_gate(&self, name: &str) {
        lock(&self.0.open_gates).insert(name.to_owned());
        self.0.gate_opened.notify_waiters();
    }

    /// Waits until the gate `name` is open.
    pub(crate) async fn pass_gate(&self, name: &str) {
        loop {
            let opened = self.0.gate_opened.notified();
            if lock(&self.0.open_gates).contains(name) {
                return;
            }
            opened.await;
        }
    }

    /// Counts a failure called `name` and tells whether it is one of the first `times`.
    pub(crate) fn is_due(&self, name: &str, times: u32) -> bool {
        let mut failures = lock(&self.0.failures);
        let count = failures.entry(name.to_owned()).or_default();
        *count += 1;
        *count <= times
    }

    async fn serve_connection(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let simulator = self.clone();
            async move { simulator.respond(request).await }
        });
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    /// Answers a request; an error cuts the connection without an answer.
    async fn respond(self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let received = Received {
            method: parts.method,
            target: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            headers: parts.headers,
            body,
        };
        if let Some(reply) = control::answer(&self, &received) {
            return Ok(reply.into_response(&self, &Fault::default()));
        }
        self.remember(&received);
        let fault = Fault::read(&received.headers);
        let reply = match checks::violation(&received) {
            Some(reply) => reply,
            None => answer(&self, &received, &fault).await?,
        };
        Ok(reply.into_response(&self, &fault))
    }

    fn remember(&self, received: &Received) {
        let mut list = lock(&self.0.received);
        if list.len() == REMEMBERED {
            list.pop_front();
        }
        let mut kept = received.clone();
        if kept.body.len() > REMEMBERED_BODY {
            kept.body.clear();
        }
        list.push_back(kept);
    }
}

/// Answers as the provider that the path names would.
async fn answer(simulator: &Simulator, received: &Received, fault: &Fault) -> Result<Reply, Cut> {
    let path = received.path();
    let (provider, path) = path.split_once('/').unwrap_or((path, ""));
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let provider: &dyn Provider = match provider {
        "openai" => &openai::OpenAi,
        "anthropic" => &anthropic::Anthropic,
        "google-ai-studio" => &google::AiStudio,
        "compat" => &google::Compat,
        "azure-openai" => &azure::Azure,
        "workers-ai" => &workers_ai::WorkersAi,
        "aws-bedrock" => &bedrock::Bedrock,
        _ => return Ok(faults::gateway_error(2001)),
    };
    if let Some(refusal) = provider.refuse_credential(received) {
        return Ok(refusal);
    }
    let failure = |status| provider.error(received, status, "simulated failure");
    fault.apply(simulator, failure, || provider.answer(received, &segments)).await
}

/// A provider behind the simulated gateway.
trait Provider: Sync {
    /// The headers its own credentials may come in.
    fn credentials(&self) -> &'static [&'static str];
    /// Its answer to a request whose credentials nobody configured.
    fn refuse_credential(&self, received: &Received) -> Option<Reply> {
        let problem = checks::wrong_credential(&received.headers, self.credentials())?;
        Some(checks::refuse(&problem))
    }
    /// Its answer to a request that has passed all checks.
    fn answer(&self, received: &Received, segments: &[&str]) -> Reply;
    /// Its error of a status, in its own shape.
    fn error(&self, received: &Received, status: u16, message: &str) -> Reply;
}

impl Received {
    /// The path below the gateway's base.
    fn path(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.strip_prefix(BASE_PATH).unwrap_or(path).trim_start_matches('/')
    }

    fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A panic elsewhere leaves these collections as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
