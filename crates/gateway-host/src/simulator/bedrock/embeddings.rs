//! Embedding models behind `InvokeModel`. Each has a body of its own; all report tokens in a
//! header.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>

use serde_json::{Value, json};

use crate::simulator::bedrock::exception::Exception;
use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::model::Model;
use crate::simulator::bedrock::request::list;
use crate::simulator::bedrock::schema::{self, Schema};
use crate::simulator::reply::Reply;

/// A family of embedding models: its ID prefix, request schema and response.
struct Kind {
    prefix: &'static str,
    schema: &'static Schema,
    respond: fn(&Value) -> Value,
}

/// The families. The first match is used, so `cohere.embed-v4` comes before `cohere.embed-`.
static KINDS: [Kind; 7] = [
    Kind { prefix: "amazon.titan-embed-text-v2", schema: &schema::TITAN_V2, respond: titan_v2 },
    Kind { prefix: "amazon.titan-embed-text-v1", schema: &schema::TITAN_V1, respond: titan_v1 },
    Kind { prefix: "amazon.titan-embed-g1", schema: &schema::TITAN_V1, respond: titan_v1 },
    Kind { prefix: "amazon.titan-embed-image", schema: &schema::TITAN_IMAGE, respond: titan_image },
    Kind { prefix: "cohere.embed-v4", schema: &schema::COHERE_V4, respond: cohere_v4 },
    Kind { prefix: "cohere.embed-", schema: &schema::COHERE_V3, respond: cohere_v3 },
    Kind { prefix: "amazon.nova-2-multimodal-embeddings", schema: &schema::NOVA, respond: nova },
];

/// Responds to a request for embeddings.
pub(crate) fn respond(body: &Value, model: &Model, fault: &Fault) -> Result<Reply, Exception> {
    let kind = KINDS.iter().find(|kind| model.has_prefix(kind.prefix)).ok_or_else(|| {
        Exception::validation("Only embedding models are simulated behind InvokeModel.")
    })?;
    kind.schema.check(body)?;
    fault.check_whole()?;
    let count = tokens(body).to_string();
    let reply = Reply::json(200, &(kind.respond)(body));
    Ok(reply.with_header("x-amzn-bedrock-input-token-count", count))
}

/// Responds as Titan Text Embeddings G1.
fn titan_v1(body: &Value) -> Value {
    json!({"embedding": vector(&body["inputText"], 1536), "inputTextTokenCount": tokens(body)})
}

/// Responds as Titan Text Embeddings V2, whose dimensions the request chooses.
fn titan_v2(body: &Value) -> Value {
    let vector = vector(&body["inputText"], body["dimensions"].as_u64().unwrap_or(1024));
    json!({
        "embedding": vector,
        "embeddingsByType": {"float": vector},
        "inputTextTokenCount": tokens(body),
    })
}

/// Responds as Titan Multimodal Embeddings, with one vector for the text and the image together.
fn titan_image(body: &Value) -> Value {
    let length = body["embeddingConfig"]["outputEmbeddingLength"].as_u64().unwrap_or(1024);
    let vector = vector(&json!([body["inputText"], body["inputImage"]]), length);
    json!({"embedding": vector, "inputTextTokenCount": tokens(body), "message": null})
}

/// Responds as the older Cohere models do: with a plain list, unless the request names types.
fn cohere_v3(body: &Value) -> Value {
    if body.get("embedding_types").is_some() {
        return cohere_by_type(body, 1024);
    }
    cohere(body, &json!(cohere_vectors(body, 1024)), "embeddings_floats")
}

/// Responds as Cohere Embed 4, which always groups the vectors by type.
fn cohere_v4(body: &Value) -> Value {
    cohere_by_type(body, body["output_dimension"].as_u64().unwrap_or(1536))
}

/// Builds a Cohere response with vectors grouped by type.
fn cohere_by_type(body: &Value, dimensions: u64) -> Value {
    cohere(body, &json!({"float": cohere_vectors(body, dimensions)}), "embeddings_by_type")
}

/// Builds a Cohere response.
fn cohere(body: &Value, embeddings: &Value, kind: &str) -> Value {
    json!({
        "id": "simulated",
        "texts": body["texts"],
        "embeddings": embeddings,
        "response_type": kind,
    })
}

/// Computes one vector for each text of a Cohere request.
fn cohere_vectors(body: &Value, dimensions: u64) -> Vec<Vec<f32>> {
    list(&body["texts"]).iter().map(|text| vector(text, dimensions)).collect()
}

/// Responds as Nova Multimodal Embeddings.
fn nova(body: &Value) -> Value {
    let parameters = &body["singleEmbeddingParams"];
    let dimensions = parameters["embeddingDimension"].as_u64().unwrap_or(3072);
    let vector = vector(&parameters["text"]["value"], dimensions);
    json!({"embeddings": [{"embeddingType": "TEXT", "embedding": vector}]})
}

/// Computes a vector from the text. Its numbers are exact in 32 bits, so that they are unchanged
/// after every conversion between JSON and binary.
fn vector(text: &Value, dimensions: u64) -> Vec<f32> {
    (0..dimensions)
        .map(|index| {
            let [byte, ..] = crc32fast::hash(format!("{index} {text}").as_bytes()).to_be_bytes();
            f32::from(i8::from_be_bytes([byte])) / 128.0
        })
        .collect()
}

/// Counts the words of all texts, which stand for their tokens.
fn tokens(body: &Value) -> usize {
    let one = [&body["inputText"], &body["singleEmbeddingParams"]["text"]["value"]];
    let texts = one.into_iter().chain(list(&body["texts"]));
    texts.filter_map(Value::as_str).map(|text| text.split_whitespace().count()).sum()
}

#[cfg(test)]
mod tests;
