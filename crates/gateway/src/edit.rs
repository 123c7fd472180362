//! What is done with an upstream's response before the client receives it.

use http::{Method, StatusCode};

use crate::ai_gateway::error as ai_gateway_error;
use crate::models::echo::ModelEcho;
use crate::models::list::ModelFilter;
use crate::{Error, Headers, Response};

/// The one edit that a response may need. It is decided with the request and travels with it.
#[derive(Clone, Debug, Default)]
pub enum Edit {
    /// The response is forwarded as it is.
    #[default]
    Nothing,
    /// The provider's name for the model is replaced by the name that was requested from the gateway:
    /// the client's, or the operator's for a limited team.
    EchoModel(ModelEcho),
    /// A list of models is filtered.
    FilterModels(ModelFilter),
    /// The vectors of embeddings are encoded.
    EncodeVectors,
}

/// How a response is read.
#[derive(Clone, Debug)]
pub enum Reading {
    /// It has no body.
    Bodiless,
    /// Whole, because it may be an error of the AI Gateway itself.
    Error {
        /// Whether one longer than [`MAX_BYTES`](ai_gateway_error::MAX_BYTES), which is a provider's,
        /// may be streamed. Not in place of a list that had to be filtered.
        may_be_long: bool,
    },
    /// Whole, and filtered.
    List(ModelFilter),
    /// Whole, and its vectors are encoded.
    Vectors,
    /// As a stream, in which the model's name may have to be replaced.
    Stream(Option<ModelEcho>),
}

impl Edit {
    /// Decides how the response to a request with `method` is read.
    pub fn reading(self, method: &Method, status: StatusCode, headers: &Headers) -> Reading {
        let is_bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if is_bodiless || method == Method::HEAD {
            return Reading::Bodiless;
        }
        // Before the edits: an error is neither a list nor does it echo a model.
        if status.as_u16() >= 400 && headers.is_json() {
            return Reading::Error { may_be_long: !matches!(self, Self::FilterModels(_)) };
        }
        match self {
            Self::EchoModel(echo) => Reading::Stream(Some(echo).filter(|_| headers.is_text())),
            Self::FilterModels(filter) => Reading::List(filter),
            Self::EncodeVectors if headers.is_json() => Reading::Vectors,
            Self::Nothing | Self::EncodeVectors => Reading::Stream(None),
        }
    }
}

/// Returns the client's response for an error that was read whole. A provider's error passes
/// unchanged.
///
/// # Errors
/// [`Error::AiGateway`] for an error of the AI Gateway itself, which is translated into the client's
/// dialect.
pub fn check_error(status: StatusCode, headers: Headers, body: Vec<u8>) -> Result<Response, Error> {
    match ai_gateway_error::parse(status, &headers, &body) {
        Some(error) => Err(Error::AiGateway(error)),
        None => Ok(Response::passed(status, headers, body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;

    const JSON: &str = "application/json";

    fn reading(edit: Edit, method: &Method, status: u16, media_type: &str) -> Reading {
        let headers = [("content-type", media_type)].into_iter().collect();
        edit.reading(method, StatusCode::from_u16(status).unwrap(), &headers)
    }

    fn filter() -> Edit {
        Edit::FilterModels(ModelFilter::new("echo", &Scope::default(), |name| name))
    }

    #[test]
    fn reading_finds_responses_without_a_body() {
        for (method, status) in [(&Method::HEAD, 200), (&Method::GET, 204), (&Method::GET, 304)] {
            let found = reading(filter(), method, status, JSON);
            assert!(matches!(found, Reading::Bodiless), "{method} {status}: {found:?}");
        }
    }

    #[test]
    fn reading_takes_only_json_of_a_failure_for_an_error() {
        for (status, media_type, expected) in [
            (399, JSON, false),
            (400, JSON, true),
            (502, "application/problem+json", true),
            (502, "text/html", false),
        ] {
            let found = reading(Edit::Nothing, &Method::POST, status, media_type);
            assert_eq!(
                matches!(found, Reading::Error { may_be_long: true }),
                expected,
                "{status} {media_type}"
            );
        }
    }

    #[test]
    fn reading_streams_no_error_in_place_of_a_filtered_list() {
        let found = reading(filter(), &Method::GET, 500, JSON);
        assert!(matches!(found, Reading::Error { may_be_long: false }), "{found:?}");
    }

    #[test]
    fn reading_applies_the_edit_where_it_can() {
        let echo = || Edit::EchoModel(ModelEcho::new("a", "b"));
        for (media_type, expected) in
            [(JSON, true), ("text/event-stream", true), ("audio/mpeg", false)]
        {
            let found = reading(echo(), &Method::POST, 200, media_type);
            let Reading::Stream(found) = found else { panic!("{found:?}") };
            assert_eq!(found.is_some(), expected, "{media_type}");
        }
        assert!(matches!(reading(filter(), &Method::GET, 200, JSON), Reading::List(_)));
        let list = reading(filter(), &Method::GET, 200, "text/html");
        assert!(matches!(list, Reading::List(_)), "what cannot be filtered is not shown either");
    }

    #[test]
    fn check_error_distinguishes_a_providers_from_the_ai_gateways() {
        let check = |body: &str| {
            check_error(StatusCode::BAD_REQUEST, Headers::default(), body.as_bytes().to_vec())
        };
        let body = r#"{"error":{"message":"m"}}"#;
        assert_eq!(check(body).unwrap().body, body.as_bytes());
        let own = check(r#"{"success":false,"error":[{"code":2003,"message":"m"}]}"#);
        assert!(matches!(own, Err(Error::AiGateway(_))), "{own:?}");
    }
}
