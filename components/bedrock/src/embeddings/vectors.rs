//! The vectors of one response, whatever the model that returned it.

use serde_json::value::RawValue;

/// The vectors of one response.
#[derive(Debug)]
pub(crate) struct Vectors<'a> {
    /// The vectors, as JSON that is not parsed before it is needed.
    pub(crate) vectors: Vec<&'a RawValue>,
    /// The tokens of the texts, if the body contains them.
    pub(crate) tokens: Option<u64>,
}
