//! Every situation in which the gateway responds instead of an upstream.

pub mod dialect;
pub mod fault;

use std::borrow::Cow;

use http::StatusCode;

pub use self::fault::{Fault, Shape};
use crate::Headers;
use crate::ai_gateway::error::AiGatewayError;
use crate::limits::refusal::RateLimit;

/// A situation in which the gateway responds instead of an upstream.
///
/// The text is for the client: stable, lower case, without secrets. Causes are for the log.
///
/// ```
/// use gateway::error::{Cause, Fault};
/// use gateway::{Dialect, Error};
///
/// let error = Error::StoreUnavailable(Cause("connection refused".to_owned()));
/// assert_eq!(error.shape().fault, Fault::Gateway);
/// assert!(error.chain().ends_with(": connection refused"));
///
/// let response = Dialect::OpenAi.response(&error);
/// assert_eq!(response.status, 503);
/// assert_eq!(response.headers.get_str("retry-after"), Some("1"));
/// assert!(!String::from_utf8_lossy(&response.body).contains("refused"));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request carries no credential.
    #[error("no api key given: send your team key as `Authorization: Bearer sk_…`")]
    MissingKey,
    /// The credential does not have the form of a team key.
    #[error("malformed api key: a team key is `sk_` followed by 64 hex digits")]
    MalformedKey,
    /// The key is well formed but not valid: unknown, expired, disabled or revoked.
    #[error("invalid api key: ask your platform team for a new one")]
    InvalidKey,
    /// The admin token is missing or wrong.
    #[error("invalid admin token: send it as `Authorization: Bearer …`")]
    InvalidAdminToken,
    /// No usable admin token is configured, so keys cannot be managed.
    #[error("token management is disabled: {0}")]
    ManagementDisabled(&'static str),
    /// The body is not what the route accepts.
    #[error("{message}")]
    InvalidBody {
        /// What is wrong and what to do.
        message: String,
        /// The field at fault.
        param: Option<Cow<'static, str>>,
    },
    /// The body asks for something the provider does not support.
    #[error("{message}")]
    Unsupported {
        /// What is not supported and what to do instead.
        message: String,
        /// The field at fault.
        param: Cow<'static, str>,
    },
    /// A header that the gateway interprets is invalid.
    #[error("{message}")]
    InvalidHeader {
        /// What is wrong and what to do.
        message: String,
        /// The header's name.
        name: &'static str,
    },
    /// The body is compressed or not UTF-8, but has to be read.
    #[error("{message}")]
    UnsupportedEncoding {
        /// What is not supported and what to do instead.
        message: &'static str,
        /// The name of the header that says so.
        name: &'static str,
    },
    /// Another hop could read the URL differently, or it contains a credential.
    #[error("unsafe request url: {0}")]
    UnsafePath(&'static str),
    /// The route serves nothing at this path.
    #[error("unknown request url: this route serves {supported}")]
    UnknownUrl {
        /// What the route serves.
        supported: &'static str,
    },
    /// No provider serves the model.
    #[error("{0}")]
    ModelNotFound(String),
    /// The team may not use this model here.
    #[error("model not allowed: {0}")]
    ModelNotAllowed(String),
    /// The key's scope does not allow the request.
    #[error("this key {0}")]
    NotInScope(String),
    /// A rate limit of the key or its team is reached.
    #[error("{}", .0.message)]
    RateLimited(Box<RateLimit>),
    /// A budget of the key or its team is used up, or smaller than the request.
    #[error("{message}")]
    QuotaExceeded {
        /// Which budget, what it was, and when it starts again.
        message: String,
        /// The label of the budget.
        limit: String,
    },
    /// The key or its team has a budget in dollars, and the model has no price.
    #[error(
        "this {word} has a budget in USD, and the model {model} has no price: use another model, or ask your platform team to add its price"
    )]
    ModelNotPriced {
        /// Whose budget it is.
        word: &'static str,
        /// The model.
        model: String,
    },
    /// The operation concerns the account that all teams share, or is unknown.
    #[error(
        "this operation concerns the provider's whole account, or is unknown to the gateway: \
         it needs a key with `account`"
    )]
    AccountOperation,
    /// There is no key with this id.
    #[error("no such key: list them with GET /tokens")]
    UnknownKeyId,
    /// There is no team with this id.
    #[error("no such team: list them with GET /tokens/teams")]
    UnknownTeam,
    /// The request was already carried out.
    #[error(
        "already done: created key {id}; if its response was lost, rotate that key with the admin token"
    )]
    AlreadyDone {
        /// The key that was created then.
        id: String,
    },
    /// The same request is being carried out, or was interrupted a moment ago.
    #[error("the same request is in progress: retry, for up to half a minute")]
    InProgress,
    /// The key was rotated too recently to be rotated again.
    #[error("this key was created by a rotation a moment ago: retry in {seconds} seconds")]
    RotatedTooRecently {
        /// How long to wait.
        seconds: u64,
    },
    /// The key is gone, but one that replaced it is not.
    #[error(
        "no such key: key {id} replaced it and is still stored; `?lineage=true` revokes that, too"
    )]
    Replaced {
        /// The key that replaced it.
        id: String,
    },
    /// The path is served, but not with this method.
    #[error("method not allowed: use {allowed}")]
    MethodNotAllowed {
        /// The methods the route accepts, as an `Allow` header.
        allowed: &'static str,
    },
    /// The client asks for a WebSocket.
    #[error("websockets are not supported: send the request over http")]
    UpgradeNotSupported,
    /// The body is larger than the limit.
    #[error("request too large: the body may have at most {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The client's body ended before its announced length, or arrived too slowly.
    #[error("incomplete request body")]
    IncompleteBody,
    /// The operator's settings are missing or wrong.
    #[error("gateway configuration: {0}")]
    Configuration(String),
    /// The upstream could not be reached, or closed the connection before its response headers.
    #[error("the upstream could not be reached")]
    UpstreamUnreachable(#[source] Cause),
    /// The upstream took too long to respond.
    #[error("the upstream did not respond in time")]
    UpstreamTimeout(#[source] Cause),
    /// The upstream closed the connection in the middle of its response.
    #[error("the upstream closed the connection before its response was complete")]
    UpstreamInterrupted(#[source] Cause),
    /// The upstream sent nothing more of its response for too long.
    #[error(
        "the upstream fell silent in the middle of its response, for longer than the setting `between_bytes_timeout` allows"
    )]
    UpstreamSilent(#[source] Cause),
    /// The upstream's response is not what its API documents.
    #[error("the upstream sent an invalid response")]
    InvalidUpstreamResponse(#[source] Cause),
    /// Cloudflare AI Gateway responded with an error of its own.
    #[error("{0}")]
    AiGateway(AiGatewayError),
    /// A provider's error, translated.
    #[error("{}", .0.message)]
    Provider(Box<ProviderError>),
    /// The key-value store failed.
    #[error("the key store is unavailable: retry shortly")]
    StoreUnavailable(#[source] Cause),
    /// A stored record is unreadable.
    #[error(
        "a stored key record is unreadable: a newer version of the gateway may have written it"
    )]
    CorruptRecord(#[source] Cause),
    /// The host broke the contract of its interface.
    #[error("internal error")]
    Internal(#[source] Cause),
}

/// What the host reported; for the log, never for the client.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub String);

/// A provider's error, in a form that OpenAI clients understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// Status, type, code and fault.
    pub shape: Shape,
    /// The provider's message.
    pub message: String,
    /// The headers that came with it.
    pub headers: Headers,
}

impl Error {
    /// Creates an error in the body's field `param`.
    pub fn invalid_param(param: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::InvalidBody { message: message.into(), param: Some(param.into()) }
    }

    /// Creates an error for a value of the body's field `param` that the provider does not support.
    pub fn unsupported(param: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::Unsupported { message: message.into(), param: param.into() }
    }

    /// Creates an error for a response that ended too early.
    pub fn interrupted(cause: impl Into<String>) -> Self {
        Self::UpstreamInterrupted(Cause(cause.into()))
    }

    /// Creates an error for a response that is not what its API documents.
    pub fn invalid_response(cause: impl Into<String>) -> Self {
        Self::InvalidUpstreamResponse(Cause(cause.into()))
    }

    /// Creates an error in the header `name`.
    pub fn invalid_header(name: &'static str, message: impl Into<String>) -> Self {
        Self::InvalidHeader { message: message.into(), name }
    }

    /// Returns the status, type, code and fault of this situation.
    pub fn shape(&self) -> Shape {
        use Fault::{Client, Gateway, Operator, Upstream};
        const INVALID: &str = "invalid_request_error";
        const SERVER: &str = "server_error";
        let (status, kind, code, fault) = match self {
            Self::MissingKey | Self::MalformedKey | Self::InvalidKey => {
                (401, INVALID, "invalid_api_key", Client)
            }
            Self::InvalidAdminToken => (401, INVALID, "invalid_admin_token", Client),
            Self::ManagementDisabled(_) => (503, SERVER, "token_management_disabled", Operator),
            Self::InvalidBody { .. } => (400, INVALID, "invalid_body", Client),
            Self::Unsupported { .. } => (400, INVALID, "unsupported_value", Client),
            Self::InvalidHeader { .. } => (400, INVALID, "invalid_header", Client),
            Self::UnsupportedEncoding { .. } => (415, INVALID, "unsupported_encoding", Client),
            Self::UnsafePath(_) => (400, INVALID, "unsafe_path", Client),
            Self::UnknownUrl { .. } => (404, INVALID, "unknown_url", Client),
            Self::ModelNotFound(_) => (404, INVALID, "model_not_found", Client),
            Self::ModelNotAllowed(_) | Self::NotInScope(_) => {
                (403, "permission_error", "model_not_allowed", Client)
            }
            Self::AccountOperation => (403, "permission_error", "operation_not_allowed", Client),
            Self::RateLimited(limit) => (429, limit.kind, "rate_limit_exceeded", Client),
            Self::QuotaExceeded { .. } => (429, "insufficient_quota", "insufficient_quota", Client),
            Self::ModelNotPriced { .. } => (403, "permission_error", "model_not_priced", Client),
            Self::UnknownKeyId | Self::Replaced { .. } => (404, INVALID, "unknown_key", Client),
            Self::UnknownTeam => (404, INVALID, "unknown_team", Client),
            Self::InProgress => (409, INVALID, "in_progress", Client),
            Self::RotatedTooRecently { .. } => (429, INVALID, "rotated_too_recently", Client),
            Self::AlreadyDone { .. } => (409, INVALID, "already_done", Client),
            Self::MethodNotAllowed { .. } => (405, INVALID, "unknown_url", Client),
            Self::UpgradeNotSupported => (426, INVALID, "upgrade_not_supported", Client),
            Self::TooLarge { .. } => (413, INVALID, "request_too_large", Client),
            Self::IncompleteBody => (400, INVALID, "incomplete_body", Client),
            Self::Configuration(_) => (500, SERVER, "gateway_configuration", Operator),
            Self::UpstreamUnreachable(_) => (502, SERVER, "upstream_unreachable", Upstream),
            Self::UpstreamTimeout(_) | Self::UpstreamSilent(_) => {
                (504, SERVER, "upstream_timeout", Upstream)
            }
            Self::UpstreamInterrupted(_) => (502, SERVER, "upstream_interrupted", Upstream),
            Self::InvalidUpstreamResponse(_) => (502, SERVER, "bad_upstream_response", Upstream),
            Self::AiGateway(error) => return error.shape(),
            Self::Provider(error) => return error.shape,
            Self::StoreUnavailable(_) => (503, SERVER, "store_unavailable", Gateway),
            Self::CorruptRecord(_) => (500, SERVER, "corrupt_record", Gateway),
            Self::Internal(_) => (500, SERVER, "internal_error", Gateway),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Shape { status, kind, code, fault }
    }

    /// Returns the body field or the header at fault.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::InvalidBody { param, .. } => param.as_deref(),
            Self::Unsupported { param, .. } => Some(param),
            Self::InvalidHeader { name, .. } | Self::UnsupportedEncoding { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Returns the label of the limit that refused the request, if one did.
    pub fn limit(&self) -> Option<&str> {
        match self {
            Self::RateLimited(limit) => Some(&limit.label),
            Self::QuotaExceeded { limit, .. } => Some(limit),
            _ => None,
        }
    }

    /// Returns this error and all its causes, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    }
}

#[cfg(test)]
mod tests;
