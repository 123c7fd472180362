//! Requests of the Responses API: golden ones, and a property that any is translated as the same
//! request for a chat completion is.

use super::*;
use crate::openai::responses::request::ResponsesRequest;

/// Translates a request for a response.
fn built_for_response(body: &str, model: &str) -> Result<Value, Error> {
    let request = ResponsesRequest::parse(body.as_bytes())?;
    let built = build(&request.chat, &Model::of(model), Fallback::default());
    let (converse, _) = built.map_err(|error| request.restate(error))?;
    Ok(serde_json::to_value(converse).unwrap())
}

/// Checks the golden request `name`, whose translation Bedrock must accept.
pub(super) fn check(name: &str) {
    let case = golden::case("responses_requests", name);
    let model = case["model"].as_str().unwrap();
    let outcome = built_for_response(&case.to_string(), model);
    if let Ok(body) = &outcome {
        assert_eq!(refusal(model, body), None, "{body}");
    }
    golden::assert_snapshot("responses_requests", name, &case, &formatted(outcome));
}

mod cases {
    use crate::translate::golden::golden_cases;

    golden_cases! {
        "responses_requests", super::check:
        agent
        input_as_text
    }
}

/// Returns the items that say the same as a message of a chat.
fn items(message: &Value) -> Vec<Value> {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let mut items = match text("role") {
        "tool" => vec![json!({
            "type": "function_call_output", "call_id": text("tool_call_id"),
            "output": content(message),
        })],
        "function" => vec![json!({
            "type": "function_call_output", "call_id": text("name"), "output": content(message),
        })],
        "assistant" => assistant(message),
        role => vec![json!({"role": role, "content": content(message)})],
    };
    if let Some(last) = items.last_mut() {
        last["cache_control"] = message["cache_control"].clone();
    }
    items
}

fn assistant(message: &Value) -> Vec<Value> {
    let list = |name: &str| message[name].as_array().cloned().unwrap_or_default();
    let mut items: Vec<_> = list("thinking_blocks")
        .iter()
        .map(|block| {
            json!({"type": "reasoning", "summary": [], "encrypted_content": block.to_string()})
        })
        .collect();
    if !message["content"].is_null() {
        items.push(json!({"role": "assistant", "content": content(message)}));
    }
    let call = |id: &Value, function: &Value| {
        json!({
            "type": "function_call", "call_id": id, "name": function["name"],
            "arguments": function["arguments"],
        })
    };
    items.extend(list("tool_calls").iter().map(|made| call(&made["id"], &made["function"])));
    let old = &message["function_call"];
    items.extend((!old.is_null()).then(|| call(&old["name"], old)));
    if items.is_empty() {
        items.push(json!({"role": "assistant", "content": ""}));
    }
    items
}

/// Returns the content of a message with the parts of a response.
fn content(message: &Value) -> Value {
    let Some(parts) = message["content"].as_array() else { return message["content"].clone() };
    let part = |part: &Value| {
        let mut converted = json!({"cache_control": part["cache_control"]});
        if part["type"] == "text" {
            converted["type"] = "input_text".into();
            converted["text"] = part["text"].clone();
        } else {
            converted["type"] = "input_file".into();
            converted["filename"] = part["file"]["filename"].clone();
            converted["file_data"] = part["file"]["file_data"].clone();
        }
        converted
    };
    parts.iter().map(part).collect()
}

/// Returns the request for a response that asks for the same as one for a chat completion.
fn as_response(chat: &Value) -> Value {
    let messages = chat["messages"].as_array().unwrap();
    let function = |tool: &Value| {
        let mut function = tool["function"].clone();
        function["type"] = "function".into();
        function["cache_control"] = tool["cache_control"].clone();
        function
    };
    let tools: Vec<_> = chat["tools"].as_array().unwrap().iter().map(function).collect();
    let choice = match chat["tool_choice"]["type"].as_str() {
        Some("function") => json!({"type": "function", "name": "f"}),
        Some(_) => {
            let tools = [json!({"type": "function", "name": "f"})];
            json!({"type": "allowed_tools", "mode": "required", "tools": tools})
        }
        None => chat["tool_choice"].clone(),
    };
    let mut format = chat["response_format"].clone();
    if let Some(schema) = format.get("json_schema").cloned() {
        format["name"] = schema["name"].clone();
        format["schema"] = schema["schema"].clone();
    }
    json!({
        "model": chat["model"], "input": messages.iter().flat_map(items).collect::<Vec<_>>(),
        "tools": tools, "tool_choice": choice, "text": {"format": format},
        "metadata": chat["metadata"], "max_output_tokens": chat["max_tokens"],
        "reasoning": {"effort": chat["reasoning_effort"]}, "temperature": chat["temperature"],
        "top_p": chat["top_p"], "top_k": chat["top_k"],
        "parallel_tool_calls": chat["parallel_tool_calls"],
    })
}

proptest! {
    #[test]
    fn build_of_a_response_is_that_of_the_same_chat_completion(chat in request()) {
        let model = chat["model"].as_str().unwrap();
        let response = as_response(&chat);
        let expected = built(&chat.to_string(), model, Fallback::default());
        match (built_for_response(&response.to_string(), model), expected) {
            (Ok(found), Ok(expected)) => prop_assert_eq!(found, expected, "{}", response),
            (Err(found), Err(expected)) => {
                prop_assert_eq!(found.shape(), expected.shape());
                let param = found.param().unwrap_or_default();
                prop_assert!(!param.starts_with("messages"), "{param}");
            }
            (found, expected) => prop_assert!(false, "{response}\n{found:?}\n{expected:?}"),
        }
    }
}
