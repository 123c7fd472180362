//! A model: the id that requests use, and its capabilities.

use crate::catalog::capabilities::{Capabilities, Family};
use crate::catalog::table;

/// A model: its id, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    /// A model id, an inference profile's id or an ARN, before it is encoded for the URL.
    pub(crate) id: String,
    pub(crate) family: Family,
    pub(crate) capabilities: Capabilities,
}

impl Model {
    /// Looks up what is known about the model `id`.
    pub(crate) fn of(id: &str) -> Self {
        let known = base_model_id(id).and_then(table::find);
        let (family, capabilities) = known.unwrap_or((Family::Other, Capabilities::UNKNOWN));
        Self { id: id.to_owned(), family, capabilities }
    }
}

/// Returns the id of the model itself: without the region of an inference profile, or the last part
/// of an ARN. None if the ARN hides the model.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
pub(crate) fn base_model_id(id: &str) -> Option<&str> {
    let Some(arn) = id.strip_prefix("arn:") else {
        return Some(without_region(id));
    };
    let (kind, name) = arn.splitn(5, ':').nth(4)?.split_once('/')?;
    matches!(kind, "foundation-model" | "inference-profile").then(|| without_region(name))
}

/// Strips the region. New regions appear every year, so the prefix ends at a known vendor name.
fn without_region(id: &str) -> &str {
    match id.split_once('.') {
        Some((_, rest)) if !table::names_vendor_of(id) && table::names_vendor_of(rest) => rest,
        _ => id,
    }
}

#[cfg(test)]
mod tests;
