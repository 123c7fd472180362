//! OpenAI's wire formats, which clients use: chat completions, and responses, which are made from them.

pub(crate) mod completion;
pub(crate) mod events;
mod members;
pub(crate) mod request;
pub(crate) mod responses;
mod slots;
pub(crate) mod writer;
