//! What an error looks like from outside, and who has to act on it.

use http::StatusCode;
use serde::Serialize;

/// Who has to act on an error. Determines the log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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
