//! Bedrock as an AWS service: its endpoint, signatures, errors and settings.

pub(crate) mod endpoint;
pub(crate) mod errors;
pub(crate) mod response;
pub(crate) mod settings;
mod sign;
