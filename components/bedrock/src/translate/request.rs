//! The translation of a chat completion request into a request of Converse.

mod cache;
mod conform;
mod content;
mod documents;
mod inference_config;
mod media;
mod messages;
mod metadata;
mod reasoning;
mod response_format;
mod schema;
mod tool_choice;
mod tool_ids;
pub(crate) mod tool_names;
mod tool_pairing;
pub(crate) mod tools;
mod turn;

use std::borrow::Cow;

use gateway::Error;

use crate::catalog::capabilities::Choices;
use crate::catalog::model::Model;
use crate::converse::request::{Block, ConverseRequest, Fields, Json, ToolConfig, ToolEntry};
use crate::json::{self, Members};
use crate::openai::request::{ChatRequest, Extensions};
use crate::translate::context::ResponseContext;
use crate::translate::fallback::Fallback;
use crate::translate::json_tool::{JSON_TOOL, JsonTool};
use crate::translate::request::response_format::FormatStrategy;
use crate::translate::request::tool_choice::{ToolChoicePlan, ToolDemand};
use crate::translate::request::tool_names::ToolNames;
use crate::translate::request::tool_pairing::ToolHistory;
use crate::translate::request::tools::OfferedTools;

/// Translates `request` for `model`, without what `fallback` takes from the model's capabilities.
///
/// # Errors
/// A client error that names the field at fault.
pub(crate) fn build<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
    fallback: Fallback,
) -> Result<(ConverseRequest<'a>, ResponseContext), Error> {
    let reduced;
    let model = if fallback == Fallback::default() {
        model
    } else {
        reduced = fallback.applied_to(model);
        &reduced
    };
    let mut names = ToolNames::default();
    let offered = tools::offer(request, model, &mut names)?;
    let format = response_format::choose_format(request, model)?;
    let mut converse = ConverseRequest {
        inference_config: inference_config::config(request, model, fallback)?,
        request_metadata: metadata::pairs(request),
        service_tier: metadata::service_tier(request)?,
        ..with_extensions(&request.extensions)
    };
    // Set before any field of ours, because a field that the client sets itself wins.
    converse.additional_model_request_fields = model_fields(request)?;
    let history = if offered.tools.is_empty() { ToolHistory::Text } else { ToolHistory::Blocks };
    let conversation = messages::convert(&request.messages, model, &mut names, history)?;
    (converse.system, converse.messages) = (conversation.system, conversation.turns);
    let fields = &mut converse.additional_model_request_fields;
    inference_config::set_top_k(request, model, fields);
    // Needs the messages: earlier turns may rule out thinking. Comes before the tool choice:
    // thinking rules out a forced call.
    reasoning::ask(request, model, &mut converse)?;
    let (offered, json_tool) = apply_format(format, offered, &mut converse);
    let choices = choices(model, reasoning::is_thinking(&converse));
    set_tools(offered, choices, &mut converse);
    if request.parallel_tool_calls == Some(false) && model.capabilities.parallel_tool_config {
        forbid_parallel_calls(&mut converse);
    }
    conform::conform(&mut converse, &model.capabilities);
    // Last, because the limit is for the cache points of tools, system prompt and messages
    // together.
    cache::clamp(&mut converse);
    cache::lengthen(&mut converse);
    let (model, include_usage) = (request.model.to_string(), request.include_usage);
    let context =
        ResponseContext { model, include_usage, names, json_tool, ..ResponseContext::default() };
    Ok((converse, context))
}

/// Creates a request with only those fields of Converse that the client sets itself.
fn with_extensions<'a>(extensions: &Extensions<'a>) -> ConverseRequest<'a> {
    ConverseRequest {
        additional_model_response_field_paths: extensions.additional_model_response_field_paths,
        guardrail_config: extensions.guardrail_config,
        performance_config: extensions.performance_config,
        prompt_variables: extensions.prompt_variables,
        ..ConverseRequest::default()
    }
}

/// Collects the model's own parameters: the client's `additionalModelRequestFields`, then the
/// those at the top level of the request.
fn model_fields<'a>(request: &ChatRequest<'a>) -> Result<Fields<'a>, Error> {
    const NAME: &str = "additionalModelRequestFields";
    let own = request.extensions.additional_model_request_fields;
    let own = match own {
        Some(own) => json::read_members(NAME, own, "an object")?,
        None => Members::default(),
    };
    json::check_names(&own)?;
    let Members(own) = own;
    // A name given in both places would be sent twice: the explicit one wins.
    let known = json::set(own.iter().map(|(name, _)| &**name));
    let others = request.model_fields.iter().filter(|(name, _)| !known.contains(&**name));
    let given = own.iter().chain(others).cloned();
    Ok(Fields(given.map(|(name, value)| (name, Json::Given(value))).collect()))
}

/// Applies `format` to the request, by one more tool if need be.
///
/// Where the client demands a call of one of its own tools, that call takes precedence over a
/// response by a schema: both cannot be forced.
fn apply_format<'a>(
    format: FormatStrategy<'a>,
    mut offered: OfferedTools<'a>,
    converse: &mut ConverseRequest<'a>,
) -> (OfferedTools<'a>, Option<JsonTool>) {
    match format {
        FormatStrategy::Prompt(text) => converse.system.push(Block::text(text)),
        FormatStrategy::Grammar(config) => converse.output_config = Some(config),
        FormatStrategy::Tool(spec, tool) if offered.demand == ToolDemand::Nothing => {
            // Next to other tools it cannot be forced by name, or they could never be called.
            let is_alone = offered.tools.is_empty();
            offered.demand =
                if is_alone { ToolDemand::Tool(Cow::Borrowed(JSON_TOOL)) } else { ToolDemand::Any };
            offered.tools.push(ToolEntry::ToolSpec(spec));
            return (offered, Some(tool));
        }
        FormatStrategy::Free | FormatStrategy::Tool(..) => {}
    }
    (offered, None)
}

/// Returns the values of `toolChoice` that can be used in this request.
fn choices(model: &Model, is_thinking: bool) -> Choices {
    let is_forceable = model.capabilities.forced_tool && !is_thinking;
    let Choices { any, tool } = model.capabilities.tool_choice;
    Choices { any: any && is_forceable, tool: tool && is_forceable }
}

/// Sets the tools and the tool choice of the request.
fn set_tools<'a>(offered: OfferedTools<'a>, choices: Choices, converse: &mut ConverseRequest<'a>) {
    let OfferedTools { mut tools, demand } = offered;
    let ToolChoicePlan { choice: tool_choice, prompt } =
        tool_choice::plan(demand, choices, &mut tools);
    converse.system.extend(prompt.map(Block::text));
    // Bedrock rejects an empty list.
    converse.tool_config = (!tools.is_empty()).then_some(ToolConfig { tools, tool_choice });
}

/// Disables parallel calls by Claude's own `tool_choice`.
///
/// Bedrock merges it with the one in `toolConfig`; where that one is set, the type must not be
/// repeated.
fn forbid_parallel_calls(converse: &mut ConverseRequest<'_>) {
    let Some(config) = &converse.tool_config else { return };
    let value = match config.tool_choice {
        Some(_) => r#"{"disable_parallel_tool_use":true}"#,
        None => r#"{"type":"auto","disable_parallel_tool_use":true}"#,
    };
    let value = Json::from_text(value.to_owned());
    converse.additional_model_request_fields.set("tool_choice", value);
}

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod tests;
