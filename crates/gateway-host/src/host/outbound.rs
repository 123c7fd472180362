//! Sends the components' outgoing requests: only to allowed hosts, over pooled connections, and
//! within the timeouts that the guest sets.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::host::allowed_hosts::AllowedHost;
use crate::host::chaining::{self, Siblings};
use crate::host::variables::Values;

#[cfg(feature = "tls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

type Pool = legacy::Client<Connector, WasiBody>;

/// Default of each timeout, as in Spin.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

/// The connections shared by all instances. There is one pool for each connect timeout, because a
/// connector has a single timeout and guests may set different ones.
#[derive(Clone)]
pub(crate) struct Client(Arc<Mutex<HashMap<Duration, Pool>>>);

/// Handles the outgoing requests of one instance.
pub(crate) struct Hooks {
    client: Client,
    siblings: Siblings,
    allowed_hosts: Arc<[AllowedHost]>,
    /// The variables of the app, until the first request.
    values: Option<Arc<Values>>,
}

/// A response body that fails if no frame arrives within `limit`.
struct TimedBody {
    body: Incoming,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl Client {
    /// Creates a client without connections.
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Returns the pool for a connect timeout, and creates it for the first request that uses it.
    fn pool(&self, connect_timeout: Duration) -> Pool {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pools.entry(connect_timeout).or_insert_with(|| new_pool(connect_timeout)).clone()
    }
}

/// Creates a pool of connections, which use the HTTP version that the server chooses.
fn new_pool(connect_timeout: Duration) -> Pool {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(connect_timeout));
    legacy::Client::builder(TokioExecutor::new()).build(with_tls(connector))
}

/// Adds TLS to a connector.
#[cfg(feature = "tls")]
fn with_tls(mut connector: HttpConnector) -> Connector {
    connector.enforce_http(false);
    hyper_rustls::HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(connector)
}

/// Returns the connector unchanged: this build reaches simulated upstreams only.
#[cfg(not(feature = "tls"))]
fn with_tls(connector: HttpConnector) -> Connector {
    connector
}

impl Hooks {
    /// Creates the handler of an instance that may reach `allowed_hosts`.
    pub(crate) fn new(
        client: Client,
        siblings: Siblings,
        allowed_hosts: Arc<[AllowedHost]>,
        values: Arc<Values>,
    ) -> Self {
        Self { client, siblings, allowed_hosts, values: Some(values) }
    }
}

/// The future of a response, and of the rest of the exchange, which the pool drives.
type ResponseFuture = Box<
    dyn Future<
            Output = Result<
                (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>),
                Error,
            >,
        > + Send,
>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_outcome: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> ResponseFuture {
        // As in Spin, the first request of an instance looks up all variables, for the allowed hosts.
        if let Some(values) = self.values.take() {
            values.prepare();
        }
        // Checked before a connection is opened, so that a denied host sees no traffic at all.
        if !self.allowed_hosts.iter().any(|allowed| allowed.allows(request.uri())) {
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        if let Some(component) = self.siblings.find(request.uri()) {
            return Box::new(async move {
                let response = chaining::call(component, request).await?;
                let exchange: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
                Ok((response, exchange))
            });
        }
        let options = options.unwrap_or_default();
        let pool = self.client.pool(options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT));
        Box::new(async move {
            let response = send(pool, request, options).await?;
            let exchange: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((response, exchange))
        })
    }
}

/// Sends a request and waits for the response headers.
async fn send(
    pool: Pool,
    request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    let first_byte = options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let between_bytes = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let response = tokio::time::timeout(first_byte, pool.request(request))
        .await
        .map_err(|_| Error::ConnectionReadTimeout)?
        .map_err(|error| to_wasi_error(&error))?;
    Ok(response.map(|body| TimedBody::new(body, between_bytes).boxed_unsync()))
}

/// Converts a client error into the matching WASI error.
fn to_wasi_error(error: &legacy::Error) -> Error {
    // The client wraps the I/O error several times, so the whole chain is searched.
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(std::io::ErrorKind::TimedOut) => return Error::ConnectionTimeout,
            Some(std::io::ErrorKind::ConnectionRefused) => return Error::ConnectionRefused,
            _ => source = cause.source(),
        }
    }
    if error.is_connect() { Error::DestinationUnavailable } else { Error::ConnectionTerminated }
}

// === impl TimedBody ===

impl TimedBody {
    /// Starts the time limit of the first frame.
    fn new(body: Incoming, limit: Duration) -> Self {
        Self { body, limit, deadline: Box::pin(tokio::time::sleep(limit)) }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // The body is polled before the deadline: a frame that has arrived is delivered even if the
        // guest was slow to read it.
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let deadline = Instant::now() + self.limit;
            self.deadline.as_mut().reset(deadline);
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
