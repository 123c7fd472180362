//! The models: their names, their ids and what each of them can do.

pub(crate) mod aliases;
pub(crate) mod capabilities;
#[cfg(test)]
pub(crate) mod describe;
pub(crate) mod model;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod table;

/// This provider's name in `limited_models` and in the scope of a key, and its route.
pub(crate) const SLUG: &str = "bedrock";
