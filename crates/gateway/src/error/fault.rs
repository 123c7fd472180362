//! What an error looks like from outside, and who has to act on it.

use http::StatusCode;

/// Who has to act on an error. Determines the log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The client can fix its request.
    Client,
    /// The upstream failed.
    Upstream,
    /// The operator has to fix a setting.
    Operator,
    /// The gateway or its platform failed.
    Gateway,
}

/// How a client sees an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// HTTP status.
    pub status: StatusCode,
    /// `type` of the envelope.
    pub kind: &'static str,
    /// `code` of the envelope.
    pub code: &'static str,
    /// Who has to act.
    pub fault: Fault,
}

impl Fault {
    /// Returns the word for it in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Operator => "operator",
            Self::Gateway => "gateway",
        }
    }
}
