//! A stand-in for Cloudflare AI Gateway and the providers behind it: strict about what reaches it,
//! true to the shapes of what it answers, and able to fail on demand ([`faults`]).
//!
//! Nothing of it is part of the app: tests, benches and a first `cargo xtask up` use it.
#![expect(clippy::indexing_slicing, reason = "a JSON value has a null for what it lacks")]

pub mod faults;

mod checks;
mod control;
mod openai;
mod reply;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::simulator::faults::Fault;
use crate::simulator::reply::{Body, Cut};

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
            None => fault.apply(&self, || openai::answer(&received)).await?,
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

/// A panic elsewhere leaves these collections as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
