//! Rules of the models of single vendors, except Claude, which has a file of its own.

use serde_json::Value;

use crate::simulator::bedrock::request::{Request, has, list};
use crate::simulator::bedrock::rules::{Rule, extraneous};

/// The rules of the vendors.
pub(super) const RULES: [Rule; 12] = [
    nova_has_wide_schema,
    streams_tools,
    has_system_prompt,
    llama_mixes_blocks,
    has_image_in_result,
    samples_while_it_reasons,
    nova_has_cached_tools,
    llama_has_tool_choice,
    mistral_has_named_tool,
    mistral_has_odd_id,
    qwen_has_stop_sequences,
    other_has_reasoning,
];

/// Checks that models without system prompts get none.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>
fn has_system_prompt(request: &Request<'_>) -> Option<String> {
    const WITHOUT: [&str; 5] =
        ["mistral.mistral-7b", "mistral.mixtral", "amazon.titan", "cohere.command-text", "ai21.j2"];
    let is_without = WITHOUT.iter().any(|model| request.model.has_prefix(model));
    (is_without && !list(&request.body["system"]).is_empty()).then(|| {
        "This model doesn't support system messages. Try again without system messages or use a \
         model that supports system messages."
            .to_owned()
    })
}

/// Checks that models which cannot stream tool calls are not asked to.
fn streams_tools(request: &Request<'_>) -> Option<String> {
    const WITHOUT: [&str; 3] = ["meta.llama3", "mistral.mistral-large-240", "writer."];
    let is_without = WITHOUT.iter().any(|model| request.model.has_prefix(model));
    let has_tools = request.tools().next().is_some();
    (request.is_stream && has_tools && is_without)
        .then(|| "This model doesn't support tool use in streaming mode.".to_owned())
}

/// Checks that no turn for Llama has tool blocks next to others.
fn llama_mixes_blocks(request: &Request<'_>) -> Option<String> {
    if !request.model.has_prefix("meta.") {
        return None;
    }
    request.messages().iter().enumerate().find_map(|(index, message)| {
        let blocks = list(&message["content"]);
        let any = |kind: &str| blocks.iter().any(|block| has(block, kind));
        let (uses, results) = (any("toolUse"), any("toolResult"));
        let is_other = |block: &Value| !has(block, "toolUse") && !has(block, "toolResult");
        let is_mixed = (uses || results) && blocks.iter().any(is_other);
        let kind = if uses { "tool use" } else { "tool result" };
        is_mixed.then(|| {
            format!(
                "messages.{index}.content: Conversation blocks and {kind} blocks cannot be \
                 provided in the same turn."
            )
        })
    })
}

/// Checks that only models that see images in a tool's result get one.
fn has_image_in_result(request: &Request<'_>) -> Option<String> {
    const SEEING: [&str; 3] = ["anthropic.", "amazon.nova", "meta.llama4"];
    if SEEING.iter().any(|vendor| request.model.has_prefix(vendor)) {
        return None;
    }
    let placed = request.blocks().find(|placed| {
        list(&placed.block["toolResult"]["content"]).iter().any(|block| has(block, "image"))
    })?;
    Some(unsupported(&format!("{}.toolResult.content.image", placed.path())))
}

/// Checks that models which always reason get no sampling parameters.
fn samples_while_it_reasons(request: &Request<'_>) -> Option<String> {
    const REASONING: [&str; 3] = ["openai.gpt-5", "openai.gpt-6", "xai."];
    let is_reasoning = REASONING.iter().any(|model| request.model.has_prefix(model));
    let mut fields = ["temperature", "topP"].into_iter();
    let given = fields.find(|name| !request.inference(name).is_null())?;
    is_reasoning.then(|| unsupported(given))
}

/// Checks that the schemas of Nova's tools have three keywords at the top, and no references.
/// <https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html>
fn nova_has_wide_schema(request: &Request<'_>) -> Option<String> {
    const KNOWN: [&str; 3] = ["type", "properties", "required"];
    if !request.model.has_prefix("amazon.nova") {
        return None;
    }
    request.tools().enumerate().find_map(|(index, tool)| {
        let schema = &tool["inputSchema"]["json"];
        let mut keys = schema.as_object().into_iter().flat_map(|members| members.keys());
        let unknown = keys.find(|key| !KNOWN.contains(&key.as_str())).map(String::as_str);
        let key = unknown.or_else(|| refers(schema).then_some("$ref"))?;
        Some(extraneous(&format!("/toolConfig/tools/{index}/toolSpec/inputSchema/json"), key))
    })
}

/// Checks whether a schema has a reference anywhere.
fn refers(schema: &Value) -> bool {
    const VALUES: [&str; 4] = ["const", "default", "enum", "examples"];
    match schema {
        Value::Object(members) => {
            let nested = members.iter().filter(|(name, _)| !VALUES.contains(&name.as_str()));
            members.get("$ref").is_some_and(Value::is_string)
                || nested.map(|(_, schema)| schema).any(refers)
        }
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// Checks that tools for Nova have no cache point.
fn nova_has_cached_tools(request: &Request<'_>) -> Option<String> {
    let tools = list(&request.body["toolConfig"]["tools"]);
    let index = tools.iter().position(|tool| has(tool, "cachePoint"))?;
    (request.model.has_prefix("amazon.nova"))
        .then(|| extraneous(&format!("/toolConfig/tools/{index}"), "cachePoint"))
}

/// Checks that a request to Llama has no tool choice.
fn llama_has_tool_choice(request: &Request<'_>) -> Option<String> {
    let choice = request.tool_choice().as_object()?.keys().next()?;
    request
        .model
        .has_prefix("meta.")
        .then(|| unsupported(&format!("toolConfig.toolChoice.{choice}")))
}

/// Checks that a request to Mistral does not force a named tool.
fn mistral_has_named_tool(request: &Request<'_>) -> Option<String> {
    let is_named = request.model.has_prefix("mistral.") && has(request.tool_choice(), "tool");
    is_named.then(|| unsupported("toolConfig.toolChoice.tool"))
}

/// Checks that tool call IDs for Mistral have its own form.
fn mistral_has_odd_id(request: &Request<'_>) -> Option<String> {
    if !request.model.has_prefix("mistral.") {
        return None;
    }
    let odd = request.blocks().find(|placed| {
        let id = |kind: &str| placed.block[kind]["toolUseId"].as_str();
        id("toolUse").or_else(|| id("toolResult")).is_some_and(is_odd)
    })?;
    Some(format!(
        "The model returned the following errors: Tool call id at {} must be a-z, A-Z, 0-9, with \
         a length of 9.",
        odd.path()
    ))
}

/// Checks whether an ID does not have Mistral's form: nine letters and digits.
fn is_odd(id: &str) -> bool {
    id.len() != 9 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Checks that a request to Qwen has no stop sequences.
fn qwen_has_stop_sequences(request: &Request<'_>) -> Option<String> {
    let has_any =
        request.inference("stopSequences").as_array().is_some_and(|list| !list.is_empty());
    (has_any && request.model.has_prefix("qwen.")).then(|| unsupported("stopSequences"))
}

/// Checks that earlier reasoning is sent to Claude only. The vendors are listed, because an ARN
/// does not reveal the vendor of its model.
fn other_has_reasoning(request: &Request<'_>) -> Option<String> {
    const OTHERS: [&str; 5] = ["amazon.", "deepseek.", "meta.", "mistral.", "openai."];
    let is_other = OTHERS.iter().any(|vendor| request.model.has_prefix(vendor));
    let replays = |block: &Value| has(block, "reasoningContent");
    let placed = request.blocks().find(|placed| is_other && replays(placed.block))?;
    Some(unsupported(&format!("{}.reasoningContent", placed.path())))
}

/// Builds AWS's message for a field that the model does not support.
fn unsupported(field: &str) -> String {
    format!("This model does not support the {field} field. Remove {field} and try again.")
}
