//! The request for reasoning in each family's own parameters, and the room that it needs.

use gateway::Error;

use crate::catalog::capabilities::{Capabilities, Effort, Reasoning, Unreasoned};
use crate::catalog::model::Model;
use crate::converse::request::{Block, ConverseRequest, InferenceConfig, Json, Role, Turn};
use crate::json::{Members, invalid};
use crate::openai::request::ChatRequest;

/// The smallest budget that Claude accepts.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>
const MIN_BUDGET: u64 = 1024;

/// Tokens for the response itself, next to the budget: the limit is for both.
const RESPONSE_TOKENS: u64 = 8192;

/// The values of `thinking` for models that decide how much they think.
/// <https://docs.claude.com/en/docs/build-with-claude/adaptive-thinking>
const DISABLED: &str = r#"{"type":"disabled"}"#;
const ADAPTIVE: &str = r#"{"type":"adaptive"}"#;
const SUMMARIZED: &str = r#"{"type":"adaptive","display":"summarized"}"#;

/// The lowest `topP` that Claude accepts while thinking.
const MIN_TOP_P: f64 = 0.95;

/// Asks `model` for the reasoning that `request` wants, and removes parameters that are
/// incompatible with it. Parameters of the model that the client sets itself win.
///
/// # Errors
/// A client error for an unknown effort.
pub(crate) fn ask(
    request: &ChatRequest<'_>,
    model: &Model,
    converse: &mut ConverseRequest<'_>,
) -> Result<(), Error> {
    if let Some(effort) = request.reasoning_effort.as_deref() {
        let asked = read_effort(effort)?;
        let effort = supported(asked, request.max_tokens, &model.capabilities);
        match model.capabilities.reasoning {
            Reasoning::No => {}
            // A budget is made for any effort, and fitted into the limit.
            Reasoning::Budget => set_budget(asked, converse),
            Reasoning::Adaptive => set_adaptive(effort, ADAPTIVE, model, converse),
            Reasoning::Summarized => set_adaptive(effort, SUMMARIZED, model, converse),
            Reasoning::Nova => set_nova(effort, converse),
            Reasoning::Flat if effort == Effort::None => {}
            Reasoning::Flat => set(converse, "reasoning_effort", format!(r#""{}""#, name(effort))),
            Reasoning::Nested => set(converse, "reasoning", effort_of(name(effort))),
        }
    }
    // After the client's own parameters too: Claude may think although no effort was asked for.
    if is_thinking(converse) {
        drop_incompatible(converse);
    }
    Ok(())
}

/// Checks whether Claude is asked to think, by the gateway or by the client. If so, no call can be
/// forced.
pub(crate) fn is_thinking(converse: &ConverseRequest<'_>) -> bool {
    let thinking = converse.additional_model_request_fields.get("thinking").map(Json::text);
    let object = thinking.as_deref().filter(|thinking| thinking.starts_with('{'));
    let members: Option<Members<'_>> = object.and_then(|text| serde_json::from_str(text).ok());
    let kind = members.and_then(|members| members.get("type"));
    kind.is_some_and(|kind| matches!(kind.get(), r#""enabled""# | r#""adaptive""#))
}

/// Removes the sampling parameters that Claude rejects while thinking.
fn drop_incompatible(converse: &mut ConverseRequest<'_>) {
    let InferenceConfig { temperature, top_p, .. } = &mut converse.inference_config;
    *temperature = None;
    *top_p = top_p.filter(|top_p| *top_p >= MIN_TOP_P);
    converse.additional_model_request_fields.remove("top_k");
}

/// Sets a budget that leaves room for the response itself, half the limit if it is low; no budget if
/// the limit is too low for one.
fn set_budget(effort: Effort, converse: &mut ConverseRequest<'_>) {
    let budget = match effort {
        Effort::None => return,
        Effort::Minimal | Effort::Low => MIN_BUDGET,
        Effort::Medium => 2048,
        Effort::High => 4096,
        Effort::XHigh => 8192,
        Effort::Max => 16384,
    };
    let has_own = converse.additional_model_request_fields.has("thinking");
    if has_own || lacks_reasoning(&converse.messages) {
        return;
    }
    let limit = *converse.inference_config.max_tokens.get_or_insert(budget + RESPONSE_TOKENS);
    let budget = budget.min(limit - RESPONSE_TOKENS.min(limit / 2));
    if budget >= MIN_BUDGET {
        let thinking = format!(r#"{{"type":"enabled","budget_tokens":{budget}}}"#);
        set(converse, "thinking", thinking);
    }
}

/// Checks whether the conversation is in the middle of calls that were made without reasoning, or
/// whose reasoning the client did not send back: Claude rejects a request to start thinking there.
fn lacks_reasoning(turns: &[Turn<'_>]) -> bool {
    let [.., calling, Turn { role: Role::User, content: results }] = turns else { return false };
    let is_loop = results.iter().any(|block| matches!(block, Block::ToolResult(_)));
    is_loop && !matches!(calling.content.first(), Some(Block::ReasoningContent(_)))
}

/// Returns the effort of the model that is nearest to the one that the client asks for, and leaves room
/// for the response within the client's `limit`. A model that always reasons has no effort below its
/// lowest.
fn supported(asked: Effort, limit: Option<u64>, capabilities: &Capabilities) -> Effort {
    let lowest = match capabilities.unreasoned {
        Unreasoned::Lowest => capabilities.efforts.first().copied(),
        Unreasoned::Omit | Unreasoned::Disabled => None,
    };
    match fitting(asked, limit) {
        Effort::None => lowest.unwrap_or(Effort::None),
        effort => nearest(effort, capabilities.efforts),
    }
}

/// Returns the one of the `known` efforts that is nearest to `effort`, the lower one of two.
fn nearest(effort: Effort, known: &[Effort]) -> Effort {
    let distance = |known: &&Effort| (**known as u8).abs_diff(effort as u8);
    known.iter().min_by_key(distance).copied().unwrap_or(effort)
}

/// Lowers an effort for which the client's limit leaves little room next to the response: the model
/// decides how much it thinks, and the limit is for both.
fn fitting(effort: Effort, limit: Option<u64>) -> Effort {
    match limit {
        Some(limit) if limit < 2 * MIN_BUDGET => Effort::None,
        Some(limit) if limit < RESPONSE_TOKENS => effort.min(Effort::Low),
        _ => effort,
    }
}

/// Sets an effort, and lets the model decide how much it thinks, as `thinking` says.
fn set_adaptive(effort: Effort, thinking: &str, model: &Model, converse: &mut ConverseRequest<'_>) {
    if effort != Effort::None {
        set(converse, "thinking", thinking.to_owned());
        set(converse, "output_config", effort_of(name(effort)));
    } else if model.capabilities.unreasoned == Unreasoned::Disabled {
        set(converse, "thinking", DISABLED.to_owned());
    }
}

/// Sets the effort of a Nova model, which rejects limits at its highest effort: the client's token
/// limit is binding, its effort is a hint.
/// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>
fn set_nova(effort: Effort, converse: &mut ConverseRequest<'_>) {
    let config = &mut converse.inference_config;
    let effort = match effort {
        Effort::None => return,
        Effort::High if config.max_tokens.is_some() => Effort::Medium,
        effort => effort,
    };
    if effort == Effort::High {
        (config.temperature, config.top_p) = (None, None);
    }
    let level = name(effort);
    let config = format!(r#"{{"type":"enabled","maxReasoningEffort":"{level}"}}"#);
    set(converse, "reasoningConfig", config);
}

/// Writes the JSON object of an effort.
fn effort_of(name: &str) -> String {
    format!(r#"{{"effort":"{name}"}}"#)
}

/// Sets the model's own parameter `name` to `json`, unless the client has set it.
fn set(converse: &mut ConverseRequest<'_>, name: &'static str, json: String) {
    converse.additional_model_request_fields.set(name, Json::from_text(json));
}

/// The efforts of OpenAI's API.
const EFFORTS: [(&str, Effort); 7] = [
    ("none", Effort::None),
    ("minimal", Effort::Minimal),
    ("low", Effort::Low),
    ("medium", Effort::Medium),
    ("high", Effort::High),
    ("xhigh", Effort::XHigh),
    ("max", Effort::Max),
];

/// Parses `reasoning_effort`.
fn read_effort(text: &str) -> Result<Effort, Error> {
    let known = EFFORTS.into_iter().find(|(name, _)| *name == text);
    known.map(|(_, effort)| effort).ok_or_else(|| {
        let names = EFFORTS.map(|(name, _)| name).join(", ");
        invalid("reasoning_effort", &format!("must be one of {names}"))
    })
}

/// Returns OpenAI's name for `effort`.
fn name(effort: Effort) -> &'static str {
    EFFORTS.into_iter().find(|(_, known)| *known == effort).map_or("none", |(name, _)| name)
}

#[cfg(test)]
mod tests;
