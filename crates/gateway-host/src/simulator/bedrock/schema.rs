//! Checks bodies against AWS's published shapes, and says as AWS does what is wrong where.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::simulator::bedrock::exception::Exception;

/// A schema, compiled at first use.
pub(crate) struct Schema(LazyLock<Result<Validator, String>>);

/// The whole body of a Converse request.
pub(crate) static CONVERSE: Schema =
    Schema(LazyLock::new(|| compile(include_str!("converse.schema.json"), None)));

/// The bodies of embedding models.
pub(crate) static TITAN_V1: Schema = Schema(LazyLock::new(|| embedding("titanV1")));
pub(crate) static TITAN_V2: Schema = Schema(LazyLock::new(|| embedding("titanV2")));
pub(crate) static TITAN_IMAGE: Schema = Schema(LazyLock::new(|| embedding("titanImage")));
pub(crate) static COHERE_V3: Schema = Schema(LazyLock::new(|| embedding("cohereV3")));
pub(crate) static COHERE_V4: Schema = Schema(LazyLock::new(|| embedding("cohereV4")));
pub(crate) static NOVA: Schema = Schema(LazyLock::new(|| embedding("nova")));

impl Schema {
    /// Refuses a body for the first thing in it that the schema does not allow.
    pub(crate) fn check(&self, body: &Value) -> Result<(), Exception> {
        let validator = self.0.as_ref().map_err(|broken| Exception::validation(broken.as_str()))?;
        let Some(error) = validator.iter_errors(body).next() else {
            return Ok(());
        };
        let place = error.instance_path();
        // Masked, for a body may hold megabytes of an image.
        let problem = error.masked();
        Err(Exception::validation(format!(
            "Malformed input request: #{place}: {problem}, please reformat your input and try \
             again."
        )))
    }
}

fn embedding(definition: &str) -> Result<Validator, String> {
    compile(include_str!("embeddings.schema.json"), Some(definition))
}

/// Compiles the schema of `text`, or one that it defines.
fn compile(text: &str, definition: Option<&str>) -> Result<Validator, String> {
    let mut schema: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if let Some(name) = definition {
        schema = json!({"$ref": format!("#/$defs/{name}"), "$defs": schema["$defs"]});
    }
    jsonschema::draft202012::new(&schema).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
