//! Asking a model to reason, in its family's own words, and making room for it.

use gateway::Error;

use crate::converse::{Block, ConverseRequest, InferenceConfig, Json, Role, Turn};
use crate::json::{Members, invalid};
use crate::model::{Effort, Model, Reasoning};
use crate::openai::ChatRequest;

/// The least tokens Claude takes as a budget.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>
const LEAST_BUDGET: u64 = 1024;

/// Tokens for the answer itself, where the client sets no limit: the budget must be below it, and
/// Bedrock's own limit may be lower.
const ROOM: u64 = 8192;

/// The lowest `topP` that goes with Claude's thinking.
const LEAST_TOP_P: f64 = 0.95;

/// Asks `model` for the reasoning that `request` wants, and takes out what does not go with it. What
/// the client has said in the model's own words counts first.
///
/// # Errors
/// A client's error for an effort that is none.
pub(crate) fn ask(
    request: &ChatRequest<'_>,
    model: &Model,
    converse: &mut ConverseRequest<'_>,
) -> Result<(), Error> {
    if let Some(effort) = request.reasoning_effort.as_deref() {
        let effort = read_effort(effort)?;
        match model.abilities.reasoning {
            Reasoning::No => {}
            Reasoning::Budget => set_budget(effort, converse),
            Reasoning::Adaptive => set_adaptive(effort.min(model.abilities.max_effort), converse),
            Reasoning::Nova => set_nova(effort, converse),
            Reasoning::Flat => {
                if let Some(level) = level(effort) {
                    set(converse, "reasoning_effort", format!(r#""{level}""#));
                }
            }
            Reasoning::Nested => {
                let effort = effort.min(model.abilities.max_effort);
                set(converse, "reasoning", effort_of(name(effort)));
            }
        }
    }
    if is_thinking(converse) {
        make_way(converse);
    }
    Ok(())
}

/// Whether Claude is asked to think, by us or by the client. It can be forced to no call then.
pub(crate) fn is_thinking(converse: &ConverseRequest<'_>) -> bool {
    let thinking = converse.additional_model_request_fields.get("thinking");
    let members: Option<Members<'_>> =
        thinking.and_then(|thinking| serde_json::from_str(thinking.as_str()).ok());
    let kind = members.and_then(|members| members.get("type"));
    kind.is_some_and(|kind| matches!(kind.get(), r#""enabled""# | r#""adaptive""#))
}

/// Claude is drawn in its own way while it thinks.
fn make_way(converse: &mut ConverseRequest<'_>) {
    let InferenceConfig { temperature, top_p, .. } = &mut converse.inference_config;
    *temperature = None;
    *top_p = top_p.filter(|top_p| *top_p >= LEAST_TOP_P);
    converse.additional_model_request_fields.remove("top_k");
}

/// A budget below the client's limit, or none where that leaves too little.
fn set_budget(effort: Effort, converse: &mut ConverseRequest<'_>) {
    let budget = match effort {
        Effort::None => return,
        Effort::Minimal | Effort::Low => LEAST_BUDGET,
        Effort::Medium => 2048,
        Effort::High => 4096,
        Effort::XHigh => 8192,
        Effort::Max => 16384,
    };
    let has_own = converse.additional_model_request_fields.has("thinking");
    if has_own || lacks_thought(&converse.messages) {
        return;
    }
    let limit = *converse.inference_config.max_tokens.get_or_insert(budget + ROOM);
    let budget = budget.min(limit.saturating_sub(1));
    if budget >= LEAST_BUDGET {
        let thinking = format!(r#"{{"type":"enabled","budget_tokens":{budget}}}"#);
        set(converse, "thinking", thinking);
    }
}

/// Whether the model is amid calls that it made without reasoning that has come back: Claude refuses
/// to start thinking there.
fn lacks_thought(turns: &[Turn<'_>]) -> bool {
    let [.., calling, Turn { role: Role::User, content: results }] = turns else { return false };
    let is_loop = results.iter().any(|block| matches!(block, Block::ToolResult(_)));
    is_loop && !matches!(calling.content.first(), Some(Block::ReasoningContent(_)))
}

fn set_adaptive(effort: Effort, converse: &mut ConverseRequest<'_>) {
    if effort != Effort::None {
        let effort = if effort == Effort::Minimal { Effort::Low } else { effort };
        set(converse, "thinking", r#"{"type":"adaptive"}"#.to_owned());
        set(converse, "output_config", effort_of(name(effort)));
    }
}

/// Nova takes no limits with its highest effort. A limit of the client's is no advice, an effort is.
/// <https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html>
fn set_nova(effort: Effort, converse: &mut ConverseRequest<'_>) {
    let Some(level) = level(effort) else { return };
    let config = &mut converse.inference_config;
    let level = match level {
        "high" if config.max_tokens.is_some() => "medium",
        level => level,
    };
    if level == "high" {
        (config.temperature, config.top_p) = (None, None);
    }
    let config = format!(r#"{{"type":"enabled","maxReasoningEffort":"{level}"}}"#);
    set(converse, "reasoningConfig", config);
}

fn effort_of(name: &str) -> String {
    format!(r#"{{"effort":"{name}"}}"#)
}

/// Sets the model's own parameter `name` to `json`.
fn set(converse: &mut ConverseRequest<'_>, name: &'static str, json: String) {
    converse.additional_model_request_fields.set(name, Json::from_text(json));
}

/// The effort for models that know three.
fn level(effort: Effort) -> Option<&'static str> {
    match effort {
        Effort::None => None,
        Effort::Minimal | Effort::Low => Some("low"),
        Effort::Medium => Some("medium"),
        Effort::High | Effort::XHigh | Effort::Max => Some("high"),
    }
}

const EFFORTS: [(&str, Effort); 7] = [
    ("none", Effort::None),
    ("minimal", Effort::Minimal),
    ("low", Effort::Low),
    ("medium", Effort::Medium),
    ("high", Effort::High),
    ("xhigh", Effort::XHigh),
    ("max", Effort::Max),
];

fn read_effort(text: &str) -> Result<Effort, Error> {
    let known = EFFORTS.into_iter().find(|(name, _)| *name == text);
    known.map(|(_, effort)| effort).ok_or_else(|| {
        let names = EFFORTS.map(|(name, _)| name).join(", ");
        invalid("reasoning_effort", &format!("must be one of {names}"))
    })
}

fn name(effort: Effort) -> &'static str {
    EFFORTS.into_iter().find(|(_, known)| *known == effort).map_or("none", |(name, _)| name)
}

#[cfg(test)]
mod tests;
