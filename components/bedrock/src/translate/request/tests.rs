//! Golden requests in `golden/requests`, and properties of any request.

use gateway_host::simulator::bedrock::refusal;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::translate::golden;
use crate::translate::request::messages::properties::message;

/// Translates a request to `model`.
fn built(body: &str, model: &str, fallback: Fallback) -> Result<Value, Error> {
    let request = ChatRequest::parse(body.as_bytes())?;
    let (converse, _) = build(&request, &Model::of(model), fallback)?;
    Ok(serde_json::to_value(converse).unwrap())
}

fn formatted(outcome: Result<Value, Error>) -> String {
    match outcome {
        Ok(body) => serde_json::to_string_pretty(&body).unwrap(),
        Err(error) => format!("{} at {:?}: {error}", error.shape().code, error.param()),
    }
}

/// Reads what the second attempt leaves out, by the names of a golden file.
fn fallback(case: &Value) -> Fallback {
    let without = case["without"].as_str().unwrap_or_default();
    let is_left_out = |name: &str| without.split(' ').any(|left_out| left_out == name);
    Fallback {
        output_config: is_left_out("output_config"),
        sampling: is_left_out("sampling"),
        top_p: is_left_out("top_p"),
        top_k: is_left_out("top_k"),
        stop_sequences: is_left_out("stop_sequences"),
        tool_choice: is_left_out("tool_choice"),
        strict_tools: is_left_out("strict_tools"),
        system_prompt: is_left_out("system_prompt"),
        mixed_turns: is_left_out("mixed_turns"),
        tool_stream: is_left_out("tool_stream"),
        caching: is_left_out("caching"),
        reasoning: is_left_out("reasoning"),
        max_tokens: is_left_out("max_tokens"),
    }
}

/// Checks the golden request `name`, whose translation Bedrock must accept.
fn check(name: &str) {
    let case = golden::case("requests", name);
    let model = case["request"]["model"].as_str().unwrap();
    let outcome = built(&case["request"].to_string(), model, fallback(&case));
    if let Ok(body) = &outcome {
        assert_eq!(refusal(model, body), None, "{body}");
    }
    golden::assert_snapshot("requests", name, &case, &formatted(outcome));
}

mod responses;

mod cases {
    use crate::translate::golden::golden_cases;

    golden_cases! {
        "requests", super::check:
        arguments_of_any_kind_are_objects
        blank_messages_are_dropped
        cache_marks_on_llama_are_left_out
        cache_marks_on_nova_tools_are_left_out
        cache_point_before_one_of_an_hour_lasts_an_hour
        caching_after_rejection_is_left_out
        choice_after_rejection_is_a_prompt
        choice_auto_is_left_out
        choice_none_with_history_is_text
        choice_none_without_history_has_no_tools
        choice_of_allowed_tools_leaves_no_other
        choice_of_an_unknown_tool_is_rejected
        choice_of_one_tool
        choice_of_one_tool_on_mistral_leaves_no_other
        choice_required_is_any
        choice_required_on_llama_is_a_prompt
        choice_required_while_thinking_is_a_prompt
        choice_required_without_tools_is_rejected
        conversation_starts_with_the_user
        custom_tools_are_rejected
        documents_get_names_and_text
        duplicate_id_gets_another
        empty_message_is_a_dot
        extensions_are_sent_unchanged
        file_id_is_rejected
        five_cache_marks_are_four_points
        hints_are_left_out
        ids_on_mistral_have_nine_characters
        image_as_data
        image_in_a_tool_result
        image_in_a_tool_result_follows_it_on_an_unknown_model
        image_in_a_tool_result_follows_it_on_gpt_oss
        image_in_a_tool_result_on_llama_4
        image_in_s3
        image_on_the_web_is_rejected
        invalid_ids_and_names_are_replaced
        json_object_is_a_prompt
        json_object_with_json_in_the_messages_has_no_prompt
        limit_of_an_unknown_claude
        max_completion_tokens_overrides_max_tokens
        metadata_and_tier
        min_tokens_of_gpt_6
        mixed_turns_after_rejection_are_separate
        mixed_turns_on_llama_are_separate
        no_messages_are_rejected
        no_reasoning_on_claude_that_always_reasons_is_the_lowest
        no_reasoning_on_claude_that_reasons_by_default
        no_reasoning_on_gpt_oss_is_the_lowest
        parallel_calls_are_forbidden_on_claude
        parallel_calls_are_forbidden_with_a_choice
        parallel_calls_cannot_be_forbidden_on_nova
        prefill_is_trimmed
        prefill_without_support_is_rejected
        reasoning_between_calls_without_reasoning_is_left_out
        reasoning_by_a_budget
        reasoning_by_a_budget_without_a_limit
        reasoning_in_model_parameters_wins
        reasoning_is_adaptive
        reasoning_is_adaptive_at_max_effort
        reasoning_of_an_unknown_effort_is_rejected
        reasoning_on_deepseek
        reasoning_on_gpt_6
        reasoning_on_gpt_oss
        reasoning_on_llama_is_left_out
        reasoning_on_nova
        reasoning_on_nova_keeps_the_limit
        reasoning_without_room_is_left_out
        result_without_a_call_is_text
        results_of_parallel_calls_are_one_turn
        sampling_after_rejection_is_left_out
        sampling_is_left_out_on_claude_opus_4_7
        sampling_is_left_out_on_gpt_5_6
        sampling_is_left_out_on_grok
        schema_after_rejection_is_a_tool
        schema_by_a_grammar
        schema_by_a_grammar_describes_what_it_does_not_hold
        schema_by_a_grammar_with_a_tool
        schema_by_a_tool
        schema_by_a_tool_on_mistral
        schema_by_a_tool_on_nova_has_three_keywords
        schema_by_a_tool_that_cannot_be_forced
        schema_by_a_tool_while_thinking
        schema_by_a_tool_with_another
        schema_gives_way_to_a_required_call
        schema_of_a_list_by_a_tool
        schema_of_a_map_is_a_tool
        schema_that_is_recursive_is_a_tool
        signed_reasoning_is_sent_back
        signed_reasoning_is_sent_back_to_claude_only
        stop_after_rejection_is_left_out
        stop_drops_empty_sequences
        stop_is_a_list
        stop_on_qwen_is_rejected
        strict_after_rejection_is_left_out
        strict_tools_describe_what_a_grammar_does_not_hold
        strict_tools_with_support_are_strict
        strict_tools_without_support_are_not_strict
        system_after_rejection_begins_the_conversation
        system_alone_is_a_user_turn
        system_and_developer_are_hoisted
        system_in_mid_conversation_stays
        system_on_mistral_7b_begins_the_conversation
        temperature_alone_on_claude_haiku_4_5
        temperature_is_at_most_one
        tier_auto_is_left_out
        tier_scale_is_rejected
        tool_history_without_tools_is_text
        tool_schemas_get_a_type
        tool_schemas_on_nova_have_three_keywords
        top_p_after_rejection_is_left_out
        turns_of_one_role_are_merged
        two_choices_are_rejected
        two_rejections_leave_out_both
        unsigned_reasoning_is_not_sent_back
        video_and_audio
    }
}

#[test]
fn build_of_a_request_returns_the_context_of_its_response() {
    let schema =
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}});
    let tools = json!([{"type": "function", "function": {"name": "a.b"}}]);
    for (members, include_usage, json_tool) in [
        (json!({}), false, None),
        (json!({"stream_options": {"include_usage": true}}), true, None),
        (json!({"response_format": schema}), false, Some(JsonTool { is_wrapped: true })),
        (json!({"response_format": schema, "tool_choice": "required"}), false, None),
    ] {
        let mut body = json!({"model": "mine", "messages": [{"role": "user", "content": "a"}], "tools": tools});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let body = body.to_string();
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        let model = Model::of("amazon.nova-pro-v1:0");
        let (converse, context) = build(&request, &model, Fallback::default()).unwrap();
        let found = (context.include_usage, context.json_tool, context.model.as_str());
        assert_eq!(found, (include_usage, json_tool, "mine"), "{members}");
        let ToolEntry::ToolSpec(spec) = &converse.tool_config.unwrap().tools[0] else { panic!() };
        assert_eq!(context.names.original(&spec.name), "a.b");
    }
}

const MODELS: [&str; 18] = [
    "amazon.nova-pro-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "anthropic.claude-3-7-sonnet-20250219-v1:0",
    "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic.claude-sonnet-4-6",
    "global.anthropic.claude-opus-4-7",
    "anthropic.claude-opus-5-5",
    "meta.llama3-1-70b-instruct-v1:0",
    "us.meta.llama4-maverick-17b-instruct-v1:0",
    "mistral.mistral-large-2407-v1:0",
    "mistral.mistral-7b-instruct-v0:2",
    "openai.gpt-5.6-mini",
    "xai.grok-4.6",
    "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3",
    "deepseek.v3-v1:0",
    "openai.gpt-oss-120b-1:0",
    "qwen.qwen3-32b-v1:0",
    "cohere.command-text-v14",
];

/// Errors that only the client can fix: how the conversation ends, and how much it contains.
const CLIENTS: [&str; 3] =
    ["Expected toolResult blocks", "more than the maximum", "final assistant content"];

fn tool() -> impl Strategy<Value = Value> {
    let name = select(vec!["f", "g", "a.b", "tool with spaces", JSON_TOOL]);
    let parameters = select(vec![
        Value::Null,
        json!({}),
        json!({"type": "object", "properties": {"city": {"type": "string"}}}),
        json!({
            "$schema": "s", "title": "T", "$ref": "#/$defs/A", "additionalProperties": false,
            "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}},
        }),
        json!({
            "type": "object", "additionalProperties": false,
            "properties": {"a": {"oneOf": [{"type": "integer", "minimum": 1}], "maxItems": 3}},
        }),
        json!({"type": "object", "additionalProperties": {"type": "string"}}),
        json!({"anyOf": [{"$ref": "#/definitions/B"}], "definitions": {"B": {"minProperties": 1}}}),
        json!({
            "type": "object", "properties": {"a": {"format": "color"}, "b": {"pattern": "(?!a)"}},
        }),
    ]);
    let mark = select(vec![Value::Null, json!({"type": "ephemeral", "ttl": "1h"})]);
    (name, parameters, any::<bool>(), mark).prop_map(|(name, parameters, strict, mark)| {
        let function =
            json!({"name": name, "description": "", "parameters": parameters, "strict": strict});
        json!({"type": "function", "function": function, "cache_control": mark})
    })
}

fn choice() -> impl Strategy<Value = Value> {
    let function = json!({"type": "function", "function": {"name": "f"}});
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function]}});
    select(vec![json!(null), json!("auto"), json!("none"), json!("required"), function, allowed])
}

fn format() -> impl Strategy<Value = Value> {
    let schema = |schema: Value| json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    select(vec![
        Value::Null,
        json!({"type": "json_object"}),
        schema(json!({"type": "object", "properties": {"a": {"type": "object"}}})),
        schema(json!({"type": "array", "items": {"type": "object"}})),
        schema(
            json!({"type": "object", "properties": {"a": {"minLength": 1, "oneOf": [{"not": {}}]}}}),
        ),
        schema(json!({"type": "object", "additionalProperties": {"type": "string"}})),
        schema(json!({"$ref": "#/$defs/A", "$defs": {"A": {"items": {"$ref": "#/$defs/A"}}}})),
    ])
}

fn limits() -> impl Strategy<Value = Value> {
    let effort =
        select(vec![json!(null), json!("none"), json!("low"), json!("high"), json!("max")]);
    let max_tokens = select(vec![json!(null), json!(1), json!(1500), json!(9000)]);
    let level = select(vec![json!(null), json!(0), json!(0.5), json!(0.99)]);
    let top_k = select(vec![json!(null), json!(5)]);
    (effort, max_tokens, level.clone(), level, top_k, any::<bool>()).prop_map(
        |(effort, max_tokens, temperature, top_p, top_k, parallel)| {
            json!({
                "reasoning_effort": effort, "max_tokens": max_tokens, "temperature": temperature,
                "top_p": top_p, "top_k": top_k, "parallel_tool_calls": parallel,
            })
        },
    )
}

/// Generates requests for chat completions.
fn request() -> impl Strategy<Value = Value> {
    let metadata = select(vec![json!(null), json!({"a b": "ü", "": "x"})]);
    let model = select(MODELS.as_slice());
    let body = (vec(message(), 1..8), vec(tool(), 0..3), choice(), format(), metadata, model);
    (body, limits()).prop_map(|((messages, mut tools, choice, format, metadata, model), limits)| {
        tools.sort_by_key(|tool| tool["function"]["name"].to_string());
        tools.dedup_by_key(|tool| tool["function"]["name"].to_string());
        let mut body = json!({
            "model": model, "messages": messages, "tools": tools, "tool_choice": choice,
            "response_format": format, "metadata": metadata,
        });
        body.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        body
    })
}

proptest! {
    #[test]
    fn build_of_any_request_is_rejected_here_or_accepted_by_bedrock(body in request()) {
        let model = body["model"].as_str().unwrap();
        match built(&body.to_string(), model, Fallback::default()) {
            Err(error) => prop_assert!(error.shape().status == 400, "{} {error}", body),
            Ok(converse) => if let Some(message) = refusal(model, &converse) {
                let is_clients = CLIENTS.iter().any(|known| message.contains(known));
                prop_assert!(is_clients, "{}\n{}\n{}", message, body, converse);
            }
        }
    }
}
