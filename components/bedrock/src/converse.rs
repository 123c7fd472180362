//! The wire format of Bedrock's Converse API, and no translation of it.

pub(crate) mod event;
pub(crate) mod frames;
mod pieces;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod usage;
