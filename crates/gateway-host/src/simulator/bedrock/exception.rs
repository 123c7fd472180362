//! AWS's errors, which have their name in a header and a message in the body.

use serde_json::{Value, json};

use crate::simulator::reply::Reply;

/// The namespace of error names, which AWS appends to them.
const NAMESPACE: &str = "http://internal.amazon.com/coral/com.amazonaws.bedrock/";

/// Statuses and error names. The first name of a status is used for a status without a name.
const KINDS: [(u16, &str); 17] = [
    (400, "ValidationException"),
    (400, "IncompleteSignatureException"),
    (400, "SerializationException"),
    (400, "ServiceQuotaExceededException"),
    (403, "AccessDeniedException"),
    (403, "ExpiredTokenException"),
    (403, "InvalidSignatureException"),
    (403, "UnrecognizedClientException"),
    (404, "ResourceNotFoundException"),
    (404, "UnknownOperationException"),
    (408, "ModelTimeoutException"),
    (424, "ModelErrorException"),
    (424, "ModelStreamErrorException"),
    (429, "ThrottlingException"),
    (429, "ModelNotReadyException"),
    (500, "InternalServerException"),
    (503, "ServiceUnavailableException"),
];

/// An error that AWS returns.
#[derive(Debug)]
pub(crate) struct Exception {
    kind: String,
    pub(crate) message: String,
}

impl Exception {
    /// Creates the error called `kind`.
    pub(crate) fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into() }
    }

    /// Creates the error for an invalid request.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// Creates the error that is typical of a status.
    pub(crate) fn from_status(status: u16, message: &str) -> Self {
        let kind = KINDS.iter().find(|(its, _)| *its == status).map(|(_, kind)| *kind);
        let other = if status < 500 { "ValidationException" } else { "InternalServerException" };
        Self::new(kind.unwrap_or(other), message)
    }

    /// Creates the error by its name in streams, which starts in lower case.
    pub(crate) fn from_stream_name(name: &str, message: &str) -> Self {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        Self::new(first.into_iter().chain(letters).collect::<String>(), message)
    }

    /// Builds the response with the error's own status.
    pub(crate) fn reply(&self) -> Reply {
        let status = KINDS.iter().find(|(_, kind)| *kind == self.kind).map(|(status, _)| *status);
        self.reply_with_status(status.unwrap_or(500))
    }

    /// Builds the response with a status that need not be the error's own.
    pub(crate) fn reply_with_status(&self, status: u16) -> Reply {
        let body = if self.message.is_empty() { json!({}) } else { self.body() };
        let reply = Reply::json(status, &body)
            .with_header("x-amzn-errortype", format!("{}:{NAMESPACE}", self.kind));
        match status {
            429 | 503 => reply.with_header("retry-after", "3"),
            _ => reply,
        }
    }

    /// Builds the body of an error that has a message.
    fn body(&self) -> Value {
        json!({"message": self.message})
    }
}
