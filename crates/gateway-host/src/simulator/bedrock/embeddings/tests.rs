//! Tests that vectors have the requested length and differ between texts.

use serde_json::{Value, json};

use super::{respond, vector};
use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::model::Model;
use crate::simulator::reply::Content;

fn embed(model: &str, body: &Value) -> (Value, String) {
    let reply = respond(body, &Model::read(model).unwrap(), &Fault::default()).unwrap();
    let count = reply.headers.iter().find(|(name, _)| *name == "x-amzn-bedrock-input-token-count");
    let count = count.unwrap().1.clone();
    let Content::Whole(bytes) = reply.body else { panic!("a stream") };
    (serde_json::from_slice(&bytes).unwrap(), count)
}

#[test]
fn respond_each_model_has_own_shape() {
    let texts = |fields: Value| {
        let mut body = json!({"texts": ["a b", "c"], "input_type": "search_document"});
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let nova = json!({"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {
        "embeddingPurpose": "GENERIC_INDEX", "text": {"truncationMode": "END", "value": "a b c"}}});
    for (model, body, pointer, length, count) in [
        ("amazon.titan-embed-text-v1", json!({"inputText": "a b c"}), "/embedding", 1536, "3"),
        ("amazon.titan-embed-text-v2:0", json!({"inputText": "a b c"}), "/embedding", 1024, "3"),
        (
            "amazon.titan-embed-text-v2%3A0",
            json!({"inputText": "a b c", "dimensions": 256}),
            "/embeddingsByType/float",
            256,
            "3",
        ),
        ("amazon.titan-embed-image-v1", json!({"inputText": "a b c"}), "/embedding", 1024, "3"),
        ("cohere.embed-english-v3", texts(json!({})), "/embeddings/1", 1024, "3"),
        (
            "cohere.embed-multilingual-v3",
            texts(json!({"embedding_types": ["float"]})),
            "/embeddings/float/1",
            1024,
            "3",
        ),
        (
            "us.cohere.embed-v4:0",
            texts(json!({"output_dimension": 512})),
            "/embeddings/float/1",
            512,
            "3",
        ),
        ("amazon.nova-2-multimodal-embeddings-v1:0", nova, "/embeddings/0/embedding", 3072, "3"),
    ] {
        let (response, header) = embed(model, &body);
        let vector = response.pointer(pointer).and_then(Value::as_array);
        assert_eq!(vector.map(Vec::len), Some(length), "{model}");
        assert_eq!(header, count, "{model}");
    }
}

#[test]
fn vector_depends_on_text_only() {
    let (one, other) = (vector(&json!("one"), 8), vector(&json!("other"), 8));
    assert_eq!(one, vector(&json!("one"), 8));
    assert_ne!(one, other);
    assert_eq!(one, vector(&json!("one"), 16)[..8]);
}
