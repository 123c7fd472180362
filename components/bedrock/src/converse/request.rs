//! A chat completion request made a request of Converse.

use std::borrow::Cow;

use gateway::Error;

use crate::converse::choice::{self, Pressure, Wanted};
use crate::converse::format::{self, Form};
use crate::converse::messages::{self, ToolHistory};
use crate::converse::names::Names;
use crate::converse::tools::{self, Offer};
use crate::converse::{
    Block, ConverseRequest, Fields, Json, ToolConfig, ToolEntry, cache, metadata, reasoning,
    sampling,
};
use crate::json::{self, Members};
use crate::model::{Choices, Model};
use crate::openai::{ChatRequest, Extensions};

/// What is left out at the second try, because the model has refused it at the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a refusal of its own")]
pub(crate) struct Degraded {
    /// The schema goes out as a tool.
    pub(crate) output_config: bool,
    /// No `temperature` and no `topP`.
    pub(crate) sampling: bool,
    /// Of both, `temperature` alone.
    pub(crate) top_p: bool,
    pub(crate) stop_sequences: bool,
    pub(crate) tool_choice: bool,
}

/// What the translation of the answer has to know of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// The model by the client's name for it.
    pub(crate) model: String,
    /// Unix time in seconds.
    pub(crate) created: u64,
    pub(crate) include_usage: bool,
    pub(crate) names: Names,
    /// The tool that stands for a schema of the answer, if there is one.
    pub(crate) json_tool: Option<JsonTool>,
}

/// A tool whose input is the answer: how a schema is kept by a model that knows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonTool {
    /// Whether the answer is the input's member `value`, because it is no object.
    pub(crate) is_wrapped: bool,
}

/// The name of that tool.
pub(crate) const JSON_TOOL: &str = "json_tool_call";

/// Translates `request` for `model`.
///
/// # Errors
/// A client's error that names the member at fault.
pub(crate) fn build<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
    degraded: Degraded,
) -> Result<(ConverseRequest<'a>, Exchange), Error> {
    let mut names = Names::default();
    let offer = tools::offer(request, model, &mut names)?;
    let form = format::form(request, model, degraded)?;
    let mut converse = ConverseRequest {
        inference_config: sampling::config(request, model, degraded)?,
        request_metadata: metadata::pairs(request),
        service_tier: metadata::service_tier(request)?,
        ..extended(&request.extensions)
    };
    converse.additional_model_request_fields = fields(request)?;
    let history = if offer.tools.is_empty() { ToolHistory::Text } else { ToolHistory::Blocks };
    let conversation = messages::convert(&request.messages, model, &mut names, history)?;
    (converse.system, converse.messages) = (conversation.system, conversation.turns);
    sampling::set_top_k(request, model, degraded, &mut converse.additional_model_request_fields);
    // What was said may forbid to think, and to think forbids to force a call.
    reasoning::ask(request, model, &mut converse)?;
    let (offer, json_tool) = shape(form, offer, &mut converse);
    let choices = choices(model, degraded, reasoning::is_thinking(&converse));
    equip(offer, choices, &mut converse);
    if request.parallel_tool_calls == Some(false) && model.abilities.parallel_tool_config {
        forbid_parallel_calls(&mut converse);
    }
    cache::clamp(&mut converse);
    let (model, include_usage) = (request.model.to_string(), request.include_usage);
    Ok((converse, Exchange { model, created: 0, include_usage, names, json_tool }))
}

/// A request with nothing but the client's own members of Converse.
fn extended<'a>(extensions: &Extensions<'a>) -> ConverseRequest<'a> {
    ConverseRequest {
        additional_model_response_field_paths: extensions.additional_model_response_field_paths,
        guardrail_config: extensions.guardrail_config,
        performance_config: extensions.performance_config,
        prompt_variables: extensions.prompt_variables,
        ..ConverseRequest::default()
    }
}

/// Parameters of the model's own: those the client calls so, then the members nobody knows.
fn fields<'a>(request: &ChatRequest<'a>) -> Result<Fields<'a>, Error> {
    const NAME: &str = "additionalModelRequestFields";
    let own = request.extensions.additional_model_request_fields;
    let Members(own) = match own {
        Some(own) => json::read(NAME, own, "an object")?,
        None => Members::default(),
    };
    let known = json::set(own.iter().map(|(name, _)| &**name));
    let unknown = request.unknown.iter().filter(|(name, _)| !known.contains(&**name));
    let given = own.iter().chain(unknown).cloned();
    Ok(Fields(given.map(|(name, value)| (name, Json::Given(value))).collect()))
}

/// Gives the answer its `form`, if need be by one more tool. Where the client wants a call, it gets
/// that in place of such an answer.
fn shape<'a>(
    form: Form<'a>,
    mut offer: Offer<'a>,
    converse: &mut ConverseRequest<'a>,
) -> (Offer<'a>, Option<JsonTool>) {
    match form {
        Form::Words(words) => converse.system.push(Block::text(words)),
        Form::Grammar(config) => converse.output_config = Some(config),
        Form::Tool(spec, tool) if offer.wanted == Wanted::Nothing => {
            let is_alone = offer.tools.is_empty();
            offer.wanted =
                if is_alone { Wanted::Tool(Cow::Borrowed(JSON_TOOL)) } else { Wanted::Any };
            offer.tools.push(ToolEntry::ToolSpec(spec));
            return (offer, Some(tool));
        }
        Form::Free | Form::Tool(..) => {}
    }
    (offer, None)
}

/// What the model can be told to call.
fn choices(model: &Model, degraded: Degraded, is_thinking: bool) -> Choices {
    let is_forceable = model.abilities.forced_tool && !is_thinking && !degraded.tool_choice;
    let Choices { any, tool } = model.abilities.tool_choice;
    Choices { any: any && is_forceable, tool: tool && is_forceable }
}

/// Hands the tools on offer to the model.
fn equip<'a>(offer: Offer<'a>, choices: Choices, converse: &mut ConverseRequest<'a>) {
    let Offer { mut tools, wanted } = offer;
    let Pressure { choice: tool_choice, words } = choice::press(wanted, choices, &mut tools);
    converse.system.extend(words.map(Block::text));
    // Bedrock refuses an empty list.
    converse.tool_config = (!tools.is_empty()).then_some(ToolConfig { tools, tool_choice });
}

/// Claude's own `tool_choice`, which Bedrock merges with the one in `toolConfig`: given there, its
/// type must not be said again.
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
mod tests;
