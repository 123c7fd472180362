//! The parameters for each way to ask for reasoning.

use serde_json::{Value, json};

use super::*;
use crate::catalog::capabilities::{Family, UP_TO_HIGH};
use crate::catalog::sample;
use crate::converse::request::{Reasoning as Thought, ToolResult, ToolUse};

const UP_TO_MAX: &[Effort] =
    &[Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max];

const WITHOUT_XHIGH: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High, Effort::Max];

fn model(reasoning: Reasoning, efforts: &'static [Effort]) -> Model {
    let mut model = sample::model(Family::Claude);
    model.capabilities.reasoning = reasoning;
    model.capabilities.efforts = efforts;
    model
}

fn with_effort(effort: &'static str) -> ChatRequest<'static> {
    ChatRequest { reasoning_effort: Some(effort.into()), ..ChatRequest::default() }
}

/// Asks `model` for `effort` in a request with these limits, and returns its fields and limits.
fn asked(model: &Model, effort: &'static str, config: InferenceConfig<'static>) -> (Value, Value) {
    let mut converse = ConverseRequest { inference_config: config, ..ConverseRequest::default() };
    ask(&with_effort(effort), model, &mut converse).unwrap();
    let fields = serde_json::to_value(&converse.additional_model_request_fields).unwrap();
    (fields, serde_json::to_value(&converse.inference_config).unwrap())
}

fn limited(max_tokens: Option<u64>) -> InferenceConfig<'static> {
    InferenceConfig { max_tokens, temperature: Some(0.5), top_p: Some(0.9), ..Default::default() }
}

#[test]
fn ask_with_a_budget_leaves_half_of_the_limit() {
    let model = model(Reasoning::Budget, &UP_TO_HIGH);
    let thinking = |budget: u64| json!({"thinking": {"type": "enabled", "budget_tokens": budget}});
    let levels = json!({"maxTokens": 1024, "temperature": 0.5, "topP": 0.9});
    for (effort, max_tokens, fields, config) in [
        ("minimal", None, thinking(1024), json!({"maxTokens": 9216})),
        ("low", None, thinking(1024), json!({"maxTokens": 9216})),
        ("medium", None, thinking(2048), json!({"maxTokens": 10240})),
        ("high", Some(9000), thinking(4096), json!({"maxTokens": 9000})),
        ("xhigh", Some(3000), thinking(1500), json!({"maxTokens": 3000})),
        ("max", Some(2048), thinking(1024), json!({"maxTokens": 2048})),
        ("max", None, thinking(16384), json!({"maxTokens": 24576})),
        (
            "high",
            Some(2046),
            json!({}),
            json!({"maxTokens": 2046, "temperature": 0.5, "topP": 0.9}),
        ),
        ("none", Some(1024), json!({}), levels),
    ] {
        let found = asked(&model, effort, limited(max_tokens));
        assert_eq!(found, (fields, config), "{effort} {max_tokens:?}");
    }
}

#[test]
fn ask_with_any_effort_uses_one_that_the_model_supports() {
    let adaptive = |effort: &str| json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}});
    for (reasoning, efforts, effort, expected) in [
        (Reasoning::No, UP_TO_HIGH.as_slice(), "high", json!({})),
        (Reasoning::Adaptive, &UP_TO_HIGH, "none", json!({})),
        (Reasoning::Adaptive, &UP_TO_HIGH, "minimal", adaptive("low")),
        (Reasoning::Adaptive, &UP_TO_HIGH, "max", adaptive("high")),
        (Reasoning::Adaptive, UP_TO_MAX, "xhigh", adaptive("xhigh")),
        (Reasoning::Adaptive, WITHOUT_XHIGH, "xhigh", adaptive("high")),
        (Reasoning::Adaptive, WITHOUT_XHIGH, "max", adaptive("max")),
        (Reasoning::Nested, UP_TO_MAX, "minimal", json!({"reasoning": {"effort": "low"}})),
        (
            Reasoning::Summarized,
            UP_TO_MAX,
            "high",
            json!({
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "high"},
            }),
        ),
        (Reasoning::Flat, &UP_TO_HIGH, "none", json!({})),
        (Reasoning::Flat, &UP_TO_HIGH, "minimal", json!({"reasoning_effort": "low"})),
        (Reasoning::Flat, &UP_TO_HIGH, "max", json!({"reasoning_effort": "high"})),
        (Reasoning::Nested, &UP_TO_HIGH, "none", json!({"reasoning": {"effort": "none"}})),
        (Reasoning::Nested, &UP_TO_HIGH, "xhigh", json!({"reasoning": {"effort": "high"}})),
    ] {
        let (found, _) = asked(&model(reasoning, efforts), effort, InferenceConfig::default());
        assert_eq!(found, expected, "{reasoning:?} {effort}");
    }
}

#[test]
fn ask_of_an_adaptive_model_leaves_room_for_the_response() {
    let model = model(Reasoning::Adaptive, UP_TO_MAX);
    for (effort, max_tokens, expected) in [
        ("high", None, Some("high")),
        ("high", Some(8192), Some("high")),
        ("high", Some(8191), Some("low")),
        ("low", Some(2048), Some("low")),
        ("high", Some(2047), None),
        ("none", Some(9000), None),
    ] {
        let mut converse = ConverseRequest::default();
        let request = ChatRequest { max_tokens, ..with_effort(effort) };
        ask(&request, &model, &mut converse).unwrap();
        let fields = serde_json::to_value(&converse.additional_model_request_fields).unwrap();
        let found = fields.pointer("/output_config/effort").and_then(Value::as_str);
        assert_eq!((found, is_thinking(&converse)), (expected, expected.is_some()), "{effort}");
    }
}

#[test]
fn ask_of_any_family_leaves_room_for_the_response() {
    let effort = |effort: &str| json!({"reasoning": {"effort": effort}});
    let flat = json!({"reasoning_effort": "low"});
    let nova = json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}});
    for (reasoning, unreasoned, max_tokens, expected) in [
        (Reasoning::Nested, Unreasoned::Omit, 2047, effort("none")),
        (Reasoning::Nested, Unreasoned::Omit, 8191, effort("low")),
        (Reasoning::Nested, Unreasoned::Omit, 8192, effort("high")),
        (Reasoning::Flat, Unreasoned::Lowest, 100, flat.clone()),
        (Reasoning::Flat, Unreasoned::Omit, 100, json!({})),
        (Reasoning::Flat, Unreasoned::Omit, 2048, flat),
        (Reasoning::Nova, Unreasoned::Omit, 100, json!({})),
        (Reasoning::Nova, Unreasoned::Omit, 4000, nova),
    ] {
        let mut model = model(reasoning, &UP_TO_HIGH);
        model.capabilities.unreasoned = unreasoned;
        let mut converse = ConverseRequest::default();
        let request = ChatRequest { max_tokens: Some(max_tokens), ..with_effort("high") };
        ask(&request, &model, &mut converse).unwrap();
        let fields = serde_json::to_value(&converse.additional_model_request_fields).unwrap();
        assert_eq!(fields, expected, "{reasoning:?} {max_tokens}");
    }
}

#[test]
fn ask_for_none_uses_what_the_model_has_for_it() {
    let disabled = json!({"thinking": {"type": "disabled"}});
    for (reasoning, unreasoned, expected) in [
        (Reasoning::Summarized, Unreasoned::Disabled, disabled),
        (Reasoning::Adaptive, Unreasoned::Omit, json!({})),
        (Reasoning::Nova, Unreasoned::Omit, json!({})),
        (Reasoning::Flat, Unreasoned::Lowest, json!({"reasoning_effort": "low"})),
        (Reasoning::Nested, Unreasoned::Omit, json!({"reasoning": {"effort": "none"}})),
    ] {
        let mut model = model(reasoning, UP_TO_MAX);
        model.capabilities.unreasoned = unreasoned;
        let (found, limits) = asked(&model, "none", limited(None));
        assert_eq!(found, expected, "{reasoning:?}");
        assert_eq!(limits, json!({"temperature": 0.5, "topP": 0.9}), "{reasoning:?}");
    }
}

#[test]
fn ask_of_nova_keeps_the_client_limit() {
    let model = model(Reasoning::Nova, &UP_TO_HIGH);
    let config =
        |level: &str| json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": level}});
    let levels = json!({"temperature": 0.5, "topP": 0.9});
    let mut limits = levels.clone();
    limits["maxTokens"] = json!(100);
    for (effort, max_tokens, fields, left) in [
        ("low", None, config("low"), levels.clone()),
        ("high", None, config("high"), json!({})),
        ("max", Some(100), config("medium"), limits),
        ("none", None, json!({}), levels),
    ] {
        let (found, found_left) = asked(&model, effort, limited(max_tokens));
        assert_eq!((found, found_left), (fields, left), "{effort}");
    }
}

#[test]
fn ask_with_the_clients_own_thinking_keeps_it_and_drops_sampling() {
    for (own, is_kept) in [
        (json!({"type": "enabled", "budget_tokens": 9000}), false),
        (json!({"type": "disabled"}), true),
    ] {
        let mut converse =
            ConverseRequest { inference_config: limited(Some(1)), ..ConverseRequest::default() };
        set(&mut converse, "thinking", own.to_string());
        set(&mut converse, "top_k", "5".to_owned());
        ask(&with_effort("high"), &model(Reasoning::Budget, &UP_TO_HIGH), &mut converse).unwrap();
        let fields = &converse.additional_model_request_fields;
        assert_eq!(fields.get("thinking"), Some(&Json::of(&own)));
        assert_eq!(fields.has("top_k"), is_kept, "{own}");
        assert_eq!(converse.inference_config.temperature.is_some(), is_kept, "{own}");
    }
}

#[test]
fn ask_with_a_high_top_p_keeps_it() {
    let config = InferenceConfig { top_p: Some(0.97), ..Default::default() };
    let (_, left) = asked(&model(Reasoning::Adaptive, &UP_TO_HIGH), "low", config);
    assert_eq!(left, json!({"topP": 0.97}));
}

#[test]
fn ask_between_calls_without_reasoning_starts_none() {
    let call =
        Block::ToolUse(ToolUse { id: "1".into(), name: "f".into(), input: Json::empty_object() });
    let result = Block::ToolResult(ToolResult { id: "1".into(), content: vec![] });
    let thought = Block::ReasoningContent(Thought::RedactedContent("AAAA".into()));
    let user = |content| Turn { role: Role::User, content };
    let assistant = |content| Turn { role: Role::Assistant, content };
    for (turns, thinks) in [
        (vec![user(vec![Block::text("a")])], true),
        (vec![assistant(vec![call.clone()]), user(vec![result.clone()])], false),
        (vec![assistant(vec![thought, call.clone()]), user(vec![result.clone()])], true),
        (
            vec![
                assistant(vec![call]),
                user(vec![result]),
                assistant(vec![Block::text("b")]),
                user(vec![Block::text("c")]),
            ],
            true,
        ),
    ] {
        let mut converse = ConverseRequest { messages: turns.clone(), ..Default::default() };
        ask(&with_effort("high"), &model(Reasoning::Budget, &UP_TO_HIGH), &mut converse).unwrap();
        assert_eq!(is_thinking(&converse), thinks, "{turns:?}");
    }
}

#[test]
fn ask_with_an_unknown_effort_is_rejected_for_any_model() {
    let mut converse = ConverseRequest::default();
    let model = model(Reasoning::No, &UP_TO_HIGH);
    let error = ask(&with_effort("huge"), &model, &mut converse).unwrap_err();
    assert_eq!(error.param(), Some("reasoning_effort"));
}
