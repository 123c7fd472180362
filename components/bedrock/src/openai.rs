//! OpenAI's wire format, which clients use.

pub(crate) mod completion;
pub(crate) mod events;
mod members;
pub(crate) mod request;
pub(crate) mod slots;
