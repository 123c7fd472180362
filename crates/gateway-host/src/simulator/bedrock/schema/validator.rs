//! The validator of JSON Schema.

use serde_json::Value;

/// A compiled schema.
pub(super) struct Validator(jsonschema::Validator);

impl Validator {
    /// Compiles `schema`.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub(super) fn new(schema: &Value) -> Result<Self, String> {
        jsonschema::draft202012::new(schema).map(Self).map_err(|error| error.to_string())
    }

    /// Returns the place and the kind of the first violation in `body`.
    pub(super) fn violation(&self, body: &Value) -> Option<(String, String)> {
        let error = self.0.iter_errors(body).next()?;
        // The value is masked, because it may be an image of several megabytes.
        Some((error.instance_path().to_string(), error.masked().to_string()))
    }
}
