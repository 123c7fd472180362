//! Checks bodies against AWS's published shapes, and reports violations in AWS's words.

use std::sync::LazyLock;

use serde_json::{Value, json};

use self::validator::Validator;
use crate::simulator::bedrock::exception::Exception;

#[cfg_attr(not(feature = "schemas"), path = "schema/no_validator.rs")]
mod validator;

/// A JSON Schema, compiled at first use.
pub(crate) struct Schema(LazyLock<Result<Validator, String>>);

/// The schema of a Converse request.
pub(crate) static CONVERSE: Schema =
    Schema(LazyLock::new(|| compile(include_str!("converse.schema.json"), None)));

/// The schema of Titan Text Embeddings G1.
pub(crate) static TITAN_V1: Schema = Schema(LazyLock::new(|| embedding("titanV1")));
/// The schema of Titan Text Embeddings V2.
pub(crate) static TITAN_V2: Schema = Schema(LazyLock::new(|| embedding("titanV2")));
/// The schema of Titan Multimodal Embeddings.
pub(crate) static TITAN_IMAGE: Schema = Schema(LazyLock::new(|| embedding("titanImage")));
/// The schema of Cohere Embed 3.
pub(crate) static COHERE_V3: Schema = Schema(LazyLock::new(|| embedding("cohereV3")));
/// The schema of Cohere Embed 4.
pub(crate) static COHERE_V4: Schema = Schema(LazyLock::new(|| embedding("cohereV4")));
/// The schema of Nova Multimodal Embeddings.
pub(crate) static NOVA: Schema = Schema(LazyLock::new(|| embedding("nova")));

impl Schema {
    /// Rejects a body that the schema does not allow, with the first violation.
    pub(crate) fn check(&self, body: &Value) -> Result<(), Exception> {
        let validator = self.0.as_ref().map_err(|broken| Exception::validation(broken.as_str()))?;
        let Some((place, problem)) = validator.violation(body) else {
            return Ok(());
        };
        Err(Exception::validation(format!(
            "Malformed input request: #{place}: {problem}, please reformat your input and try \
             again."
        )))
    }
}

/// Compiles the schema of an embedding model.
fn embedding(definition: &str) -> Result<Validator, String> {
    compile(include_str!("embeddings.schema.json"), Some(definition))
}

/// Compiles the schema in `text`, or one of its definitions.
fn compile(text: &str, definition: Option<&str>) -> Result<Validator, String> {
    let mut schema: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if let Some(name) = definition {
        schema = json!({"$ref": format!("#/$defs/{name}"), "$defs": schema["$defs"]});
    }
    Validator::new(&schema)
}

#[cfg(test)]
mod tests;
