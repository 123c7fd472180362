//! Accepts connections and runs one instance for each request.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wasmtime::{CallHook, Store};
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpView as _};

use crate::host::chaining::is_internal;
use crate::host::engine::Component;
use crate::host::instance::Instance;
use crate::host::routes::{Route, Routes};

type AppRoutes = Routes<Arc<Component>>;

/// Accepts connections for as long as the task lives.
pub(crate) async fn serve(routes: Arc<AppRoutes>, listener: TcpListener) {
    loop {
        // Accepting fails if the client has disconnected or file handles have run out. Neither is a
        // reason to stop serving.
        if let Ok((stream, client)) = listener.accept().await {
            tokio::spawn(serve_connection(routes.clone(), stream, client));
        }
    }
}

/// Serves the requests of one connection.
async fn serve_connection(routes: Arc<AppRoutes>, stream: TcpStream, client: SocketAddr) {
    // Without `TCP_NODELAY`, a chunk of a stream could wait for the acknowledgement of the previous
    // one.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let routes = routes.clone();
        async move { Ok::<_, std::convert::Infallible>(respond(&routes, request, client).await) }
    });
    // A connection that ends early is ignored: the client has disconnected.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Returns the component's response, 404 if no route matches, or 500 if the component fails.
async fn respond(
    routes: &AppRoutes,
    mut request: Request<Incoming>,
    client: SocketAddr,
) -> Response<WasiBody> {
    if !ensure_host(&mut request) {
        return text_response(StatusCode::BAD_REQUEST, "the header `host` is missing");
    }
    let Some((route, component)) = routes.find(request.uri().path()) else {
        return text_response(StatusCode::NOT_FOUND, "");
    };
    let path = request.uri().path().to_owned();
    add_spin_headers(request.headers_mut(), route, &path, client);
    match run(component.clone(), request).await {
        Ok(response) => response,
        Err(error) => {
            report(&error);
            text_response(StatusCode::INTERNAL_SERVER_ERROR, "")
        }
    }
}

/// Runs one instance for one request.
pub(crate) async fn run<B>(
    component: Arc<Component>,
    request: Request<B>,
) -> Result<Response<WasiBody>>
where
    B: Body<Data = Bytes, Error: Into<Error>> + Send + 'static,
{
    let instance = Instance::new(component.clone());
    let mut store = Store::new(component.pre.engine(), instance);
    store.limiter(|instance| instance);
    let counted = component.clone();
    store.call_hook(move |_, hook| {
        if let CallHook::CallingHost = hook {
            counted.note_host_call();
        }
        Ok(())
    });
    let (sender, receiver) = oneshot::channel();
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let out = store.data_mut().http().new_response_outparam(sender)?;

    // The instance runs in a task of its own, because it is still writing the body when the
    // response headers are returned.
    let task = tokio::spawn(async move {
        let proxy = component.pre.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, out).await
    });
    if let Ok(response) = receiver.await {
        return Ok(response?);
    }
    // The sender is gone, so the instance has ended. A trap explains a missing response better than
    // the message below.
    task.await??;
    Err(anyhow!("the component returned no response"))
}

/// Appends Spin's request headers after any that the client sent under the same names, so that
/// tests show what a component does with forged ones.
fn add_spin_headers(headers: &mut HeaderMap, route: &Route, path: &str, client: SocketAddr) {
    let info = path.strip_prefix(route.base()).unwrap_or_default();
    for (name, value) in [
        ("spin-path-info", info),
        ("spin-matched-route", route.pattern()),
        ("spin-raw-component-route", route.pattern()),
        ("spin-component-route", route.base()),
        ("spin-base-path", "/"),
        ("spin-client-addr", &client.to_string()),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name, value);
        }
    }
}

/// Checks that a request names its host, as HTTP/1.1 demands. HTTP/1.0, which some health checks
/// speak, does not: such a request gets one, because WASI has none without.
fn ensure_host(request: &mut Request<Incoming>) -> bool {
    // As in Spin, a host that names a component is removed.
    if request.headers().get(HOST).is_some_and(is_internal) {
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    }
    if request.headers().contains_key(HOST) || request.uri().authority().is_some() {
        return true;
    }
    if request.version() > Version::HTTP_10 {
        return false;
    }
    request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    true
}

/// Builds a response with a short text.
pub(crate) fn text_response(status: StatusCode, text: &'static str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from_static(text.as_bytes()));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

#[expect(clippy::print_stderr, reason = "a trap is reported to the person who runs the host")]
pub(crate) fn report(error: &anyhow::Error) {
    eprintln!("component failed: {error:#}");
}
