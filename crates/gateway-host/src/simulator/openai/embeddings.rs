//! The embeddings API. Vectors are short and depend on the input.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::simulator::Received;
use crate::simulator::openai::error;
use crate::simulator::reply::Reply;

/// The dimensions of a vector if the client does not choose them.
const DIMENSIONS: u64 = 8;

/// Responds to an embeddings request. Google and Workers AI return numbers, whatever is requested.
pub(crate) fn respond(received: &Received, body: &Value) -> Reply {
    let inputs: Vec<&Value> = match &body["input"] {
        Value::String(_) => vec![&body["input"]],
        Value::Array(inputs) => inputs.iter().collect(),
        _ => return error(400, "'input' is a required property", Some("input")),
    };
    let dimensions = body["dimensions"].as_u64().unwrap_or(DIMENSIONS);
    let returns_numbers =
        ["/google-ai-studio/", "/workers-ai/"].iter().any(|part| received.path().contains(part));
    let is_base64 = body["encoding_format"] == "base64" && !returns_numbers;
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector(&input.to_string(), dimensions);
            let embedding = if is_base64 { to_base64(&vector).into() } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let usage = json!({"prompt_tokens": 5, "total_tokens": 5});
    let body = json!({"object": "list", "data": data, "model": body["model"], "usage": usage});
    Reply::json(200, &body)
}

/// Computes a vector from the length of the input.
fn vector(text: &str, dimensions: u64) -> Vec<f32> {
    let seed = u8::try_from(text.len() % 64).unwrap_or_default();
    (0..dimensions)
        .map(|index| f32::from(seed) / f32::from(u8::try_from(index % 255).unwrap_or_default() + 1))
        .collect()
}

/// Encodes a vector as little-endian 32-bit floats in Base64, as the SDKs decode it.
fn to_base64(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}
