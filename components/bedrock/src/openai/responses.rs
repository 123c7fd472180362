//! OpenAI's Responses API: a request becomes one for a chat completion, and the chunks of a completion
//! become a response.
//! <https://platform.openai.com/docs/api-reference/responses>

pub(crate) mod echo;
mod emitter;
mod fields;
mod input;
mod items;
mod places;
mod reasoning;
pub(crate) mod request;
mod response;
mod tools;
pub(crate) mod writer;
