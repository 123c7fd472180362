//! Rules of Claude models, with the messages of Anthropic's own API.
//! <https://docs.claude.com/en/docs/build-with-claude/extended-thinking>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::simulator::bedrock::request::{Request, has, list};
use crate::simulator::bedrock::rules::Rule;

/// The rules of Claude models.
pub(super) const RULES: [Rule; 11] = [
    has_bad_strict_tools,
    exceeds_output_limit,
    has_bad_budget,
    thinks_in_wrong_way,
    thinks_and_forces,
    thinks_and_samples,
    thinks_without_past_thought,
    has_unsigned_thought,
    samples_wrongly,
    has_text_format,
    ends_with_prefill,
];

/// Models that accept no sampling parameters, no formats and no strict tools.
const NEWEST: [&str; 6] = ["opus-4-7", "opus-4-8", "fable-5", "haiku-5", "opus-5", "sonnet-5"];

/// Models that cannot be kept from thinking; Opus 4.7 does not think unless it is asked to.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html>
const ALWAYS_THINKING: [&str; 6] =
    ["opus-4-7", "fable-5", "mythos", "sonnet-5", "opus-5-5", "haiku-5-5"];

/// Further models that, like the newest, do not continue an assistant message.
const WITHOUT_PREFILL: [&str; 2] = ["opus-4-6", "sonnet-4-6"];

/// Models that accept either `temperature` or `top_p`, but not both.
const SAMPLES_ONE_WAY: [&str; 5] =
    ["haiku-4-5", "sonnet-4-5", "opus-4-5", "sonnet-4-6", "opus-4-6"];

/// Keywords of JSON Schema that grammars do not hold.
/// <https://docs.claude.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations>
const UNKNOWN: [&str; 9] = [
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "oneOf",
    "not",
];

/// The formats of texts that grammars hold.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// The maximum number of strict tools.
const STRICT_TOOLS: usize = 20;

/// The minimum thinking budget, in tokens.
const BUDGET: u64 = 1024;

/// The output limits of models, in tokens. The first whose name is in a model's id applies.
/// <https://docs.claude.com/en/docs/about-claude/models/overview>
const OUTPUT_LIMITS: [(&str, u64); 8] = [
    ("claude-3-7", 64_000),
    ("claude-3-5", 8192),
    ("claude-3", 4096),
    ("opus-4-1", 32_000),
    ("opus-4-2", 32_000),
    ("haiku-4-5", 64_000),
    ("sonnet-4", 64_000),
    ("claude-", 128_000),
];

/// Checks that the token limit is not above the model's own.
fn exceeds_output_limit(request: &Request<'_>) -> Option<String> {
    is_claude(request)?;
    let mut limits = OUTPUT_LIMITS.into_iter();
    let (_, limit) = limits.find(|(name, _)| request.model.contains_any(&[name]))?;
    let requested = request.inference("maxTokens").as_u64()?;
    (requested > limit).then(|| {
        format!(
            "The maximum tokens you requested exceeds the model limit of {limit}. Try again with a \
             maximum tokens value that is lower than {limit}."
        )
    })
}

/// Checks that a thinking budget is present, large enough, and below the token limit.
fn has_bad_budget(request: &Request<'_>) -> Option<String> {
    if thinking(request)? != "enabled" {
        return None;
    }
    let Some(budget) = request.model_field("thinking")["budget_tokens"].as_u64() else {
        return Some(refused("thinking.enabled.budget_tokens: Field required"));
    };
    if budget < BUDGET {
        return Some(refused(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ));
    }
    let maximum = request.inference("maxTokens").as_u64()?;
    (maximum <= budget)
        .then(|| refused("`max_tokens` must be greater than `thinking.budget_tokens`."))
}

/// Checks the kind of thinking: the newest models only choose their budget themselves, and older
/// ones cannot.
fn thinks_in_wrong_way(request: &Request<'_>) -> Option<String> {
    const OLDER: [&str; 6] =
        ["claude-3", "opus-4-1", "opus-4-2", "sonnet-4-2", "haiku-4-5", "sonnet-4-5"];
    is_claude(request)?;
    match request.model_field("thinking")["type"].as_str()? {
        "enabled"
            if request.model.contains_any(&NEWEST)
                || request.model.contains_any(&ALWAYS_THINKING) =>
        {
            Some(refused(
                "\"thinking.type.enabled\" is not supported for this model. Use \
                 \"thinking.type.adaptive\".",
            ))
        }
        "disabled" if request.model.contains_any(&ALWAYS_THINKING) => Some(refused(
            "\"thinking.type.disabled\" is not supported for this model. Use \
                 \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.",
        )),
        "adaptive" if request.model.contains_any(&OLDER) => {
            Some(refused("adaptive thinking is not supported on this model"))
        }
        _ => None,
    }
}

/// Checks that a thinking model is not forced to call a tool.
fn thinks_and_forces(request: &Request<'_>) -> Option<String> {
    thinking(request)?;
    request
        .is_forced()
        .then(|| refused("Thinking may not be enabled when tool_choice forces tool use."))
}

/// Checks that the sampling parameters are within the limits of thinking.
fn thinks_and_samples(request: &Request<'_>) -> Option<String> {
    thinking(request)?;
    let temperature = request.inference("temperature").as_f64();
    if temperature.is_some_and(|temperature| temperature < 1.0) {
        return Some(refused("`temperature` may only be set to 1 when thinking is enabled."));
    }
    if !request.model_field("top_k").is_null() {
        return Some(refused("`top_k` must be unset when thinking is enabled."));
    }
    request.inference("topP").as_f64().filter(|top_p| *top_p < 0.95).map(|_| {
        refused("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
    })
}

/// Checks that a turn whose tool calls have just returned starts with the thought that led to them.
fn thinks_without_past_thought(request: &Request<'_>) -> Option<String> {
    if thinking(request)? != "enabled" {
        return None;
    }
    let [.., calling, returning] = request.messages() else {
        return None;
    };
    let is_loop = list(&returning["content"]).iter().any(|block| has(block, "toolResult"));
    let blocks = list(&calling["content"]);
    let is_thought = blocks.first().is_some_and(|block| has(block, "reasoningContent"));
    let index = request.messages().len().saturating_sub(2);
    (is_loop && !is_thought).then(|| {
        refused(&format!(
            "messages.{index}.content.0.type: Expected `thinking` or `redacted_thinking`, but \
             found `tool_use`. When `thinking` is enabled, a final `assistant` message must start \
             with a thinking block."
        ))
    })
}

/// Checks that every thought has a signature.
fn has_unsigned_thought(request: &Request<'_>) -> Option<String> {
    is_claude(request)?;
    let unsigned = request.blocks().find(|placed| {
        let thought = &placed.block["reasoningContent"]["reasoningText"];
        thought.is_object() && thought["signature"].as_str().is_none_or(str::is_empty)
    })?;
    Some(refused(&format!("{}.thinking.signature: Field required", unsigned.path())))
}

/// Checks that the model accepts the sampling parameters, alone and together.
fn samples_wrongly(request: &Request<'_>) -> Option<String> {
    is_claude(request)?;
    let fields = [
        ("temperature", request.inference("temperature")),
        ("top_p", request.inference("topP")),
        ("top_k", request.model_field("top_k")),
    ];
    let given: Vec<&str> =
        fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| *name).collect();
    if request.model.contains_any(&NEWEST) {
        let name = given.first()?;
        return Some(refused(&format!("{name} is deprecated for this model")));
    }
    let is_both = given.starts_with(&["temperature", "top_p"]);
    (is_both && request.model.contains_any(&SAMPLES_ONE_WAY)).then(|| {
        refused(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only \
             one.",
        )
    })
}

/// Checks that the model accepts formats and strict tools, which are one feature, and that objects
/// in a format allow no additional properties.
fn has_text_format(request: &Request<'_>) -> Option<String> {
    let format = request.body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema");
    if request.model.contains_any(&NEWEST) {
        if format.is_some() {
            return Some(refused("output_config.format: Extra inputs are not permitted"));
        }
        let index = request.tools().position(|tool| tool["strict"] == true)?;
        return Some(refused(&format!(
            "tools.{index}.custom.strict: Extra inputs are not permitted"
        )));
    }
    let Ok(schema) = serde_json::from_str::<Value>(format?.as_str()?) else {
        return Some(refused("output_config.format.schema: not valid JSON"));
    };
    fault(&schema).map(|why| refused(&format!("output_config.format.schema: {why}")))
}

/// Checks that strict tools are few, and that a grammar holds their schemas.
fn has_bad_strict_tools(request: &Request<'_>) -> Option<String> {
    is_claude(request)?;
    let is_strict = |tool: &&Value| tool["strict"] == true;
    let count = request.tools().filter(is_strict).count();
    if count > STRICT_TOOLS {
        return Some(refused(&format!(
            "Too many strict tools ({count}). The maximum number of strict tools supported is \
             {STRICT_TOOLS}. Try reducing the number of tools marked as strict."
        )));
    }
    request.tools().enumerate().filter(|(_, tool)| is_strict(tool)).find_map(|(index, tool)| {
        let why = fault(&tool["inputSchema"]["json"])?;
        Some(refused(&format!("tools.{index}.custom: {why}")))
    })
}

/// Returns what of a schema a grammar does not hold.
fn fault(schema: &Value) -> Option<String> {
    if is_open(schema) {
        let why = "For 'object' type, 'additionalProperties' must be explicitly set to false";
        return Some(why.to_owned());
    }
    if is_recursive(schema, schema, &mut BTreeMap::new()) {
        return Some("Circular reference detected in schema definitions".to_owned());
    }
    unknown_keyword(schema).map(|keyword| format!("property '{keyword}' is not supported"))
}

/// Checks whether a schema refers to itself. `seen` has the references that were followed, and whether
/// each still is.
fn is_recursive<'a>(
    root: &'a Value,
    schema: &'a Value,
    seen: &mut BTreeMap<&'a str, bool>,
) -> bool {
    let Some(target) = schema["$ref"].as_str() else {
        return parts(schema).any(|part| is_recursive(root, part, seen));
    };
    if let Some(is_open) = seen.insert(target, true) {
        seen.insert(target, is_open);
        return is_open;
    }
    let next = root.pointer(target.trim_start_matches('#'));
    let is_circle = next.is_some_and(|next| is_recursive(root, next, seen));
    seen.insert(target, false);
    is_circle
}

/// Returns the schemas inside a schema.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["anyOf", "oneOf", "allOf"].iter().flat_map(|name| list(&schema[name]));
    let maps = ["properties", "$defs", "definitions"].iter();
    let named = maps.filter_map(|name| schema[name].as_object()).flat_map(|map| map.values());
    lists.chain(named).chain(schema.get("items"))
}

/// Finds a keyword that grammars do not hold, in a schema or in one inside it.
fn unknown_keyword(schema: &Value) -> Option<&str> {
    let members = schema.as_object()?;
    let is_unknown = |(name, value): (&String, &Value)| match name.as_str() {
        "minItems" => value.as_u64() > Some(1),
        "format" => value.as_str().is_some_and(|format| !FORMATS.contains(&format)),
        "pattern" => value.as_str().is_some_and(|pattern| pattern.contains("(?")),
        name => UNKNOWN.contains(&name),
    };
    if let Some((name, _)) = members.iter().find(|(name, value)| is_unknown((name, value))) {
        return Some(name);
    }
    parts(schema).find_map(unknown_keyword)
}

/// Checks whether any object in the schema allows additional properties.
fn is_open(schema: &Value) -> bool {
    let is_object = schema["type"] == json!("object");
    let closed = schema["additionalProperties"] == json!(false);
    (is_object && !closed) || parts(schema).any(is_open)
}

/// Checks that a model that cannot continue an assistant message need not.
fn ends_with_prefill(request: &Request<'_>) -> Option<String> {
    let last = request.messages().last()?;
    let takes_none =
        request.model.contains_any(&WITHOUT_PREFILL) || request.model.contains_any(&NEWEST);
    (takes_none && last["role"] == "assistant").then(|| {
        refused(
            "This model does not support assistant message prefill. The conversation must end \
             with a user message.",
        )
    })
}

/// Returns the requested kind of thinking, if the model is Claude and thinking is on.
fn thinking<'a>(request: &Request<'a>) -> Option<&'a str> {
    is_claude(request)?;
    request.model_field("thinking")["type"].as_str().filter(|kind| *kind != "disabled")
}

/// Returns `Some` if the model is Claude.
fn is_claude(request: &Request<'_>) -> Option<()> {
    request.model.has_prefix("anthropic.").then_some(())
}

/// Builds AWS's message for an error that the model returned.
fn refused(message: &str) -> String {
    format!("The model returned the following errors: {message}")
}
