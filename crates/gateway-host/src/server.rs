//! Connections that come in, and the instance that serves each request.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};

use crate::engine::Component;
use crate::instance::Instance;
use crate::routes::{Route, Routes};

type Table = Routes<Arc<Component>>;

/// Accepts connections for as long as the task lives.
pub(crate) async fn serve(routes: Arc<Table>, listener: TcpListener) {
    loop {
        // An accept that fails is a client that is gone, or no file handles: try the next.
        if let Ok((stream, client)) = listener.accept().await {
            tokio::spawn(serve_connection(routes.clone(), stream, client));
        }
    }
}

async fn serve_connection(routes: Arc<Table>, stream: TcpStream, client: SocketAddr) {
    // Without it, each chunk of a stream could wait for the last one's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let routes = routes.clone();
        async move { Ok::<_, std::convert::Infallible>(respond(&routes, request, client).await) }
    });
    // Whatever ends a connection early is the client's to know.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Answers with the component's response; 404 without a route, 500 if the component fails.
async fn respond(
    routes: &Table,
    mut request: Request<Incoming>,
    client: SocketAddr,
) -> Response<WasiBody> {
    let Some((route, component)) = routes.find(request.uri().path()) else {
        return plain(StatusCode::NOT_FOUND);
    };
    let path = request.uri().path().to_owned();
    add_spin_headers(request.headers_mut(), route, &path, client);
    match run(component.clone(), request).await {
        Ok(response) => response,
        Err(error) => {
            report(&error);
            plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Runs one instance for one request.
async fn run(component: Arc<Component>, request: Request<Incoming>) -> Result<Response<WasiBody>> {
    let instance = Instance::new(component.clone());
    let mut store = Store::new(component.pre.engine(), instance);
    let (sender, receiver) = oneshot::channel();
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let out = store.data_mut().http().new_response_outparam(sender)?;

    // The instance goes on after its response's head is sent: the body is still to come.
    let task = tokio::spawn(async move {
        let proxy = component.pre.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, out).await
    });
    if let Ok(response) = receiver.await {
        return Ok(response?);
    }
    task.await??;
    Err(anyhow!("the component gave no response"))
}

/// Spin's request headers, appended behind whatever the client sent under the same names.
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

fn plain(status: StatusCode) -> Response<WasiBody> {
    let body = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

#[expect(clippy::print_stderr, reason = "a trap is for whoever runs the host")]
fn report(error: &anyhow::Error) {
    eprintln!("component failed: {error:#}");
}
