//! The translation between OpenAI's wire format and Converse's: requests in, responses out.

mod block;
mod citations;
pub(crate) mod context;
pub(crate) mod fallback;
mod finish_reason;
#[cfg(test)]
pub(crate) mod golden;
mod json_tool;
pub(crate) mod request;
pub(crate) mod response;
mod state;
pub(crate) mod stream;
mod usage;
