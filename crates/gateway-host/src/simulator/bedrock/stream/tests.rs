//! Tests of the events of streams.

use serde_json::{Value, json};

use super::frames;
use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::frames::tests::decode;
use crate::simulator::bedrock::model::Model;
use crate::simulator::bedrock::request::Request;
use crate::simulator::bedrock::turn::Turn;

/// Returns the events of a stream, each as its name and its payload without padding.
fn events(body: &Value, fault: &Fault, count: Option<usize>) -> Vec<(String, Value)> {
    let model = Model::read("amazon.nova-lite-v1:0").unwrap();
    let request = Request { body, model: &model, is_stream: true };
    let frames = frames(&request, &Turn::new(&request, fault), count);
    let read = |frame: &[u8]| {
        let (headers, mut payload) = decode(frame);
        assert_eq!(payload.as_object_mut().unwrap().remove("p"), Some(json!("abcdef")));
        (headers[0].1.clone(), payload)
    };
    frames.iter().map(|frame| read(&frame.encode())).collect()
}

fn deltas(events: &[(String, Value)], index: usize, pointer: &str) -> Vec<Value> {
    let of_block = events.iter().filter(|(_, payload)| payload["contentBlockIndex"] == index);
    of_block.filter_map(|(_, payload)| payload["delta"].pointer(pointer).cloned()).collect()
}

#[test]
fn frames_text_is_split_into_words() {
    let body = json!({"messages": [{"role": "user", "content": [{"text": "hello"}]}]});
    let events = events(&body, &Fault::default(), None);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "messageStart",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ];
    assert_eq!(names, expected);
    assert_eq!(deltas(&events, 0, "/text"), ["You ", "said: ", "hello"]);
    assert_eq!(events[5].1, json!({"stopReason": "end_turn"}));
    assert_eq!(
        events[6].1,
        json!({"usage": {"inputTokens": 14, "outputTokens": 12, "totalTokens": 26},
            "metrics": {"latencyMs": 42}})
    );
}

#[test]
fn frames_blocks_of_all_kinds_share_one_index() {
    let tool = |name: &str| {
        let schema = json!({"json": {"type": "object"}});
        json!({"toolSpec": {"name": name, "inputSchema": schema}})
    };
    let prompt = "Think aloud, then use both tools";
    let body = json!({
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "toolConfig": {"tools": [tool("weather"), tool("time")]},
        "additionalModelRequestFields": {"reasoningConfig": {"type": "enabled"}},
    });
    let events = events(&body, &Fault::default(), None);
    assert_eq!(deltas(&events, 0, "/reasoningContent/text").len(), 3);
    assert_eq!(deltas(&events, 0, "/reasoningContent/signature"), ["c2ln"]);
    assert_eq!(deltas(&events, 1, "/text").len(), 3);
    let input = deltas(&events, 2, "/toolUse/input");
    let input: Vec<&str> = input.iter().filter_map(Value::as_str).collect();
    assert!(input.len() > 1, "{input:?}");
    assert_eq!(input.concat(), r#"{"city":"Paris"}"#);
    assert_eq!(deltas(&events, 3, "/toolUse/input"), Vec::<Value>::new());
    let starts: Vec<&Value> = events
        .iter()
        .filter(|(name, _)| name == "contentBlockStart")
        .map(|(_, payload)| payload)
        .collect();
    assert_eq!(
        starts,
        [
            &json!({"contentBlockIndex": 2, "start":
                {"toolUse": {"toolUseId": "tooluse_simulated1", "name": "weather"}}}),
            &json!({"contentBlockIndex": 3, "start":
                {"toolUse": {"toolUseId": "tooluse_simulated2", "name": "time"}}}),
        ]
    );
}

#[test]
fn frames_with_count_have_that_many_tokens() {
    let body = json!({"messages": [{"role": "user", "content": [{"text": "hello"}]}]});
    let mut fault = Fault::default();
    (fault.has_citations, fault.is_redacted) = (true, true);
    let events = events(&body, &fault, Some(5));
    assert_eq!(deltas(&events, 0, "/reasoningContent/redactedContent").len(), 1);
    assert_eq!(deltas(&events, 1, "/text"), vec![json!("token "); 5]);
    assert_eq!(deltas(&events, 1, "/citation/location/web/domain"), ["example.com"]);
}
