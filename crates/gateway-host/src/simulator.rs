//! A simulation of Cloudflare AI Gateway and the providers behind it. It is strict about the
//! requests it receives, its responses have the vendors' shapes, and it fails on demand
//! ([`faults`]).
//!
//! It is not part of the app: tests, benchmarks and `cargo xtask up` use it.
#![expect(clippy::indexing_slicing, reason = "indexing a JSON value gives null for what is absent")]

pub mod bedrock;
pub mod faults;

mod anthropic;
mod azure;
mod checks;
mod compat;
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

/// The path of the only gateway that is simulated.
pub const BASE_PATH: &str = "/v1/simulated-account/simulated-gateway";

/// The token that the gateway accepts in `cf-aig-authorization`.
pub const TOKEN: &str = "simulated-gateway-token";

/// Maximum number of requests that are kept for [`Simulator::received`]; the oldest are dropped, so
/// that a benchmark does not fill the memory.
const MAX_KEPT: usize = 1000;

/// Maximum size of a body that is kept with its request.
const MAX_KEPT_BODY: usize = 1024 * 1024;

/// The simulated gateway. Clones share the requests they have received.
#[derive(Clone, Debug, Default)]
pub struct Simulator(Arc<State>);

/// The state that the clones of a simulator share.
#[derive(Debug, Default)]
struct State {
    received: Mutex<VecDeque<Received>>,
    open_gates: Mutex<HashSet<String>>,
    gate_opened: Notify,
    failures: Mutex<HashMap<String, u32>>,
}

/// A request that the simulated gateway has received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The raw path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty in [`Simulator::received`] if it is longer than 1 MiB.
    pub body: Bytes,
}

impl Simulator {
    /// Creates a simulator that has received no request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves the connections of `listener` until the future is dropped.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(self.clone().serve_connection(stream));
            }
        }
    }

    /// Returns the requests whose header `x-case` is `case`, in the order of their arrival.
    pub fn received(&self, case: &str) -> Vec<Received> {
        let is_of_case = |received: &&Received| {
            received.headers.get("x-case").is_some_and(|value| value.as_bytes() == case.as_bytes())
        };
        lock(&self.0.received).iter().filter(is_of_case).cloned().collect()
    }

    /// Opens the gate `name` for good: streams that wait at it continue, and later ones do not
    /// wait.
    pub fn open_gate(&self, name: &str) {
        lock(&self.0.open_gates).insert(name.to_owned());
        self.0.gate_opened.notify_waiters();
    }

    /// Waits until the gate `name` is open.
    pub(crate) async fn pass_gate(&self, name: &str) {
        loop {
            // Created before the check, so that a gate opened in between is not missed.
            let opened = self.0.gate_opened.notified();
            if lock(&self.0.open_gates).contains(name) {
                return;
            }
            opened.await;
        }
    }

    /// Counts a request for the failure `name` and returns whether it is one of the first `times`.
    pub(crate) fn is_failure_due(&self, name: &str, times: u32) -> bool {
        let mut failures = lock(&self.0.failures);
        let count = failures.entry(name.to_owned()).or_default();
        *count += 1;
        *count <= times
    }

    /// Serves the requests of one connection.
    async fn serve_connection(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let simulator = self.clone();
            async move { simulator.respond(request).await }
        });
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    /// Responds to a request. An error cuts the connection without a response.
    async fn respond(self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let received = Received {
            method: parts.method,
            target: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            headers: parts.headers,
            body,
        };
        // Tests control the simulator from here, so these requests are neither recorded nor
        // checked.
        if let Some(reply) = control::respond(&self, &received) {
            return Ok(reply.into_response(&self, &Fault::default()));
        }
        // Recorded before the checks, so that a test can inspect a request that was rejected.
        self.record(&received);
        let fault = Fault::read(&received.headers);
        let reply = match checks::violation(&received) {
            Some(reply) => reply,
            None => respond(&self, &received, &fault).await?,
        };
        Ok(reply.into_response(&self, &fault))
    }

    /// Keeps a request for [`Simulator::received`].
    fn record(&self, received: &Received) {
        let mut list = lock(&self.0.received);
        if list.len() == MAX_KEPT {
            list.pop_front();
        }
        let mut kept = received.clone();
        if kept.body.len() > MAX_KEPT_BODY {
            kept.body.clear();
        }
        list.push_back(kept);
    }
}

/// Responds as the provider that the first segment of the path names.
async fn respond(simulator: &Simulator, received: &Received, fault: &Fault) -> Result<Reply, Cut> {
    let path = received.path();
    let (provider, path) = path.split_once('/').unwrap_or((path, ""));
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    // The one place to add a provider: an arm with the first segment of its path at AI Gateway, and
    // a module that implements `Provider`. The list is the simulator's own, because it stands for
    // the providers that exist rather than those that the app has a component for.
    let provider: &dyn Provider = match provider {
        "openai" => &openai::OpenAi,
        "anthropic" => &anthropic::Anthropic,
        "google-ai-studio" => &google::AiStudio,
        "compat" => &compat::Compat,
        "azure-openai" => &azure::Azure,
        "workers-ai" => &workers_ai::WorkersAi,
        "aws-bedrock" => &bedrock::Bedrock,
        _ => return Ok(faults::gateway_error(2001)),
    };
    // Credentials are checked before faults are applied: a test of a fault must not pass with a
    // request that the provider would have rejected.
    if let Some(rejection) = provider.refuse_credential(received) {
        return Ok(rejection);
    }
    let failure = |status| provider.error(received, status, "simulated failure");
    fault.apply(simulator, failure, || provider.respond(received, &segments)).await
}

/// A provider behind the simulated gateway.
trait Provider: Sync {
    /// Lists the headers that may carry the provider's own credentials.
    fn credentials(&self) -> &'static [&'static str];
    /// Rejects a request whose credentials are not configured.
    fn refuse_credential(&self, received: &Received) -> Option<Reply> {
        let problem = checks::wrong_credential(&received.headers, self.credentials())?;
        Some(checks::refuse(&problem))
    }
    /// Responds to a request that has passed all checks. `segments` are those of the path after the
    /// provider's name.
    fn respond(&self, received: &Received, segments: &[&str]) -> Reply;
    /// Builds an error with `status` in the provider's own shape.
    fn error(&self, received: &Received, status: u16, message: &str) -> Reply;
}

impl Received {
    /// Returns the path below the gateway's base, which starts with the provider's name.
    fn path(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.strip_prefix(BASE_PATH).unwrap_or(path).trim_start_matches('/')
    }

    /// Returns the query; empty if the target has no `?`.
    fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Returns the first value of a header, if it is text.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Parses the body as JSON; null if it is not JSON.
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Locks a collection. A poisoned lock is used all the same: the collections are consistent after
/// every operation, so a panic elsewhere does not damage them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
