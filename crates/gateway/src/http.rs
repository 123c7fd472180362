//! HTTP as the rules see it: requests, responses and their parts. Knows nothing of teams or
//! providers, and of keys only what one looks like, to reject a URL that contains one.

pub mod body;
pub mod bytes;
pub mod cors;
pub mod headers;
pub mod json;
pub mod model_field;
pub mod multipart;
pub mod pace;
mod parameters;
pub mod request;
pub mod response;
pub mod target;
pub mod trace;
