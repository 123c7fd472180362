//! Service chaining: a component calls another one of the app by its name, without a socket.
//! <https://spinframework.dev/v3/http-outbound#local-service-chaining>

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};

use http::header::HOST;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::host::engine::Component;
use crate::host::server::{report, run, text_response};

/// The end of the names of components as hosts.
const SUFFIX: &str = ".spin.internal";

/// The components of an app, by their ids. They share this, so that each can call the others.
#[derive(Clone, Default)]
pub(crate) struct Siblings(Arc<OnceLock<BTreeMap<String, Weak<Component>>>>);

impl Siblings {
    /// Sets the components, once they are loaded.
    pub(crate) fn set(&self, components: &BTreeMap<&str, Arc<Component>>) {
        let weak = components.iter().map(|(id, found)| ((*id).to_owned(), Arc::downgrade(found)));
        // A second time does not happen: an app is loaded once.
        let _ = self.0.set(weak.collect());
    }

    /// Returns the component that `uri` names as its host.
    pub(crate) fn find(&self, uri: &Uri) -> Option<Arc<Component>> {
        let id = uri.host()?.strip_suffix(SUFFIX)?;
        self.0.get()?.get(id)?.upgrade()
    }
}

/// Checks whether `host` names a component. From outside, no request may: it could be taken for one of a
/// component.
pub(crate) fn is_internal(host: &HeaderValue) -> bool {
    let host = host.to_str().unwrap_or_default();
    host.split(':').next().is_some_and(|host| host.ends_with(SUFFIX))
}

/// Runs a new instance of `component` for a request of another one. As in Spin, a failure in it is a
/// response with status 500, and the request's own timeouts do not apply.
pub(crate) async fn call(
    component: Arc<Component>,
    mut request: Request<WasiBody>,
) -> Result<Response<WasiBody>, Error> {
    let path = request.uri().path().to_owned();
    let headers = request.headers_mut();
    headers.remove(HOST);
    for (name, value) in [("spin-path-info", path.as_str()), ("spin-client-addr", "0.0.0.0:0")] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(name, value);
        }
    }
    Ok(run(component, request).await.unwrap_or_else(|error| {
        report(&error);
        text_response(StatusCode::INTERNAL_SERVER_ERROR, "")
    }))
}
