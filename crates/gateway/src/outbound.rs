//! A client's request made into the one that leaves: URL, headers and body together.

use http::Method;

use crate::body::{self, Probe};
use crate::headers::{RequestRule, request_rule};
use crate::settings::Gateway;
use crate::url::Target;
use crate::{Error, Headers, Provider, Request, Settings, Team, Upstream, cache, key, metadata};

/// The methods of HTTP APIs. `CONNECT` and `TRACE` are for proxies, and this is none.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

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
    /// Whole, not looked into.
    Whole(Vec<u8>),
    /// Still with the client; moved without being looked at.
    Stream,
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
}

impl Outbound {
    /// Makes the request that leaves for `P`.
    ///
    /// # Errors
    /// Any refusal of the path, the provider or a header.
    pub fn new<P: Provider>(
        inbound: Inbound,
        team: &Team,
        settings: &Settings,
        gateway: &Gateway<'_>,
    ) -> Result<Self, Error> {
        let upstream = route::<P>(&inbound, settings)?;
        let asked = inbound.body.model().map(ToOwned::to_owned);
        let sent = upstream.model.clone().or_else(|| asked.clone());
        let path_with_query = format!("{}{}", gateway.base_path, upstream.path);
        let body = inbound.body.with_model(upstream.model.as_deref());

        let ours = [
            ("accept-encoding", Some(b"identity".to_vec())),
            ("cf-aig-authorization", Some(format!("Bearer {}", gateway.token).into_bytes())),
            (
                "cf-aig-cache-key",
                cache::key(&inbound.headers, team, &path_with_query, body.bytes()),
            ),
            ("cf-aig-metadata", {
                let client = inbound.headers.get("cf-aig-metadata");
                Some(metadata::merge(team, asked.as_deref(), sent.as_deref(), client)?.into_bytes())
            }),
            ("content-length", content_length(&body, &inbound.headers)),
        ];
        let mut headers = inbound.headers;
        headers.retain(|name| request_rule(name) == RequestRule::Pass);
        for (name, value) in ours {
            if let Some(value) = value {
                headers.push(name, value);
            }
        }
        if let Some((name, value)) = upstream.credential {
            headers.push(name, value);
        }
        Ok(Self { method: inbound.method, path_with_query, headers, body, asked, sent })
    }
}

/// Asks the provider's rule where the request goes.
fn route<P: Provider>(inbound: &Inbound, settings: &Settings) -> Result<Upstream, Error> {
    if !METHODS.split(", ").any(|method| method == inbound.method.as_str()) {
        return Err(Error::MethodNotAllowed { allowed: METHODS });
    }
    if key::appears_in(&inbound.path_with_query) {
        return Err(Error::UnsafePath("a team key, which belongs into a header"));
    }
    let target = Target::parse(&inbound.path_with_query, P::SLUG)?;
    let request = Request {
        method: &inbound.method,
        target,
        headers: &inbound.headers,
        probe: inbound.body.probe(),
    };
    P::upstream(&request, settings)
}

/// What leaves is announced with its length; only a client that announces none streams without.
fn content_length(body: &Body, client: &Headers) -> Option<Vec<u8>> {
    match body {
        Body::Absent => None,
        Body::Json(bytes, _) | Body::Whole(bytes) => Some(bytes.len().to_string().into_bytes()),
        Body::Stream => client.content_length().map(|length| length.to_string().into_bytes()),
    }
}

// === impl Body ===

impl Body {
    /// The bytes of a whole body.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Json(bytes, _) | Self::Whole(bytes) => bytes,
            Self::Absent | Self::Stream => &[],
        }
    }

    fn probe(&self) -> &Probe {
        const NOTHING: &Probe = &Probe { model: None, is_stream: false };
        match self {
            Self::Json(_, probe) => probe,
            _ => NOTHING,
        }
    }

    fn model(&self) -> Option<&str> {
        self.probe().model.as_ref().map(|model| model.name.as_str())
    }

    /// The same body with another model; without one, not a byte is touched or copied.
    fn with_model(self, name: Option<&str>) -> Self {
        match (self, name) {
            (Self::Json(bytes, probe), Some(name)) => {
                let edited =
                    probe.model.as_ref().map(|model| body::with_model(&bytes, model, name));
                Self::Json(edited.unwrap_or(bytes), probe)
            }
            (body, _) => body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::team::tests::team;

    struct Echo;

    impl Provider for Echo {
        const SLUG: &'static str = "echo";

        fn upstream(request: &Request<'_>, settings: &Settings) -> Result<Upstream, Error> {
            let model = request.headers.get_str("x-model").map(ToOwned::to_owned);
            let upstream = Upstream::at(request.target.below("/echo"));
            Ok(Upstream { model, ..upstream.with_bearer(settings, "echo_key") })
        }
    }

    fn settings() -> Settings {
        let lines = "ai_gateway_host=https://h\nai_gateway_account_id=a\nai_gateway_id=g\n\
            ai_gateway_token=operator\necho_key=own";
        Settings::from_lines(lines.to_owned())
    }

    fn send(inbound: Inbound) -> Result<Outbound, Error> {
        let settings = settings();
        Outbound::new::<Echo>(inbound, &team("blue"), &settings, &settings.gateway().unwrap())
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
