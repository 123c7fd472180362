//! AWS's errors: a name in a header, a message in the body.

use serde_json::{Value, json};

use crate::simulator::reply::Reply;

/// Where AWS's services keep the names of their errors.
const NAMESPACE: &str = "http://internal.amazon.com/coral/com.amazonaws.bedrock/";

/// Statuses and names; the first name of a status stands for it.
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

/// An error of AWS.
#[derive(Debug)]
pub(crate) struct Exception {
    kind: String,
    pub(crate) message: String,
}

impl Exception {
    pub(crate) fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: kind.into(), message: message.into() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// The error that a status stands for.
    pub(crate) fn of_status(status: u16, message: &str) -> Self {
        let kind = KINDS.iter().find(|(its, _)| *its == status).map(|(_, kind)| *kind);
        let other = if status < 500 { "ValidationException" } else { "InternalServerException" };
        Self::new(kind.unwrap_or(other), message)
    }

    /// The error by the name that a stream has for it, which begins in lower case.
    pub(crate) fn of_stream(name: &str, message: &str) -> Self {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        Self::new(first.into_iter().chain(letters).collect::<String>(), message)
    }

    pub(crate) fn reply(&self) -> Reply {
        let status = KINDS.iter().find(|(_, kind)| *kind == self.kind).map(|(status, _)| *status);
        self.reply_of(status.unwrap_or(500))
    }

    /// The answer, of a status that need not be the error's own.
    pub(crate) fn reply_of(&self, status: u16) -> Reply {
        let body = if self.message.is_empty() { json!({}) } else { self.body() };
        let reply = Reply::json(status, &body)
            .with_header("x-amzn-errortype", format!("{}:{NAMESPACE}", self.kind));
        match status {
            429 | 503 => reply.with_header("retry-after", "3"),
            _ => reply,
        }
    }

    fn body(&self) -> Value {
        json!({"message": self.message})
    }
}
