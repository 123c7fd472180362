//! The demand that a model call a tool: by `toolChoice` where it supports one, otherwise in the
//! system prompt.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html>

use std::borrow::Cow;

use crate::catalog::capabilities::Choices;
use crate::converse::request::{Choice, ToolEntry};

/// What the model must call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ToolDemand<'a> {
    /// Nothing: the model decides whether it calls a tool.
    #[default]
    Nothing,
    /// At least one tool.
    Any,
    /// The tool of this name.
    Tool(Cow<'a, str>),
}

/// How the demand is expressed in the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ToolChoicePlan<'a> {
    /// The value of `toolChoice`.
    pub(crate) choice: Option<Choice<'a>>,
    /// The text for the system prompt, for models whose `toolChoice` does not support the demand.
    pub(crate) prompt: Option<String>,
}

/// Plans how to express `demand` with the `choices` that the model supports.
///
/// For a model that cannot be forced to call a certain tool, the other tools are removed instead.
pub(crate) fn plan<'a>(
    demand: ToolDemand<'a>,
    choices: Choices,
    tools: &mut Vec<ToolEntry<'a>>,
) -> ToolChoicePlan<'a> {
    let forced = |choice| ToolChoicePlan { choice: Some(choice), prompt: None };
    let prompted = |prompt| ToolChoicePlan { choice: None, prompt: Some(prompt) };
    match demand {
        ToolDemand::Nothing => ToolChoicePlan::default(),
        ToolDemand::Any if choices.any => forced(Choice::Any {}),
        ToolDemand::Any => prompted(
            "You must call at least one of the available tools. Do not answer in text.".to_owned(),
        ),
        ToolDemand::Tool(name) if choices.tool => forced(Choice::Tool { name }),
        ToolDemand::Tool(name) => {
            tools.retain(|entry| matches!(entry, ToolEntry::ToolSpec(spec) if spec.name == name));
            if choices.any {
                forced(Choice::Any {})
            } else {
                prompted(format!("You must call the tool `{name}`. Do not answer in text."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::request::{InputSchema, Json, ToolSpec};

    fn tool(name: &'static str) -> ToolEntry<'static> {
        let input_schema = InputSchema { json: Json::empty_object() };
        ToolEntry::ToolSpec(ToolSpec {
            name: name.into(),
            description: None,
            input_schema,
            strict: None,
        })
    }

    /// Returns the choice, whether there is a prompt, and how many of two tools are left.
    fn planned(demand: &ToolDemand<'static>, any: bool, tool_: bool) -> (String, bool, usize) {
        let mut tools = vec![tool("f"), tool("g")];
        let ToolChoicePlan { choice, prompt } =
            plan(demand.clone(), Choices { any, tool: tool_ }, &mut tools);
        (serde_json::to_string(&choice).unwrap(), prompt.is_some(), tools.len())
    }

    #[test]
    fn plan_by_choices_is_a_tool_choice_or_a_prompt() {
        let f = ToolDemand::Tool("f".into());
        let (any, named) = (r#"{"any":{}}"#, r#"{"tool":{"name":"f"}}"#);
        for (demand, takes_any, takes_tool, expected) in [
            (&ToolDemand::Nothing, true, true, ("null", false, 2)),
            (&ToolDemand::Any, true, true, (any, false, 2)),
            (&ToolDemand::Any, false, false, ("null", true, 2)),
            (&f, true, true, (named, false, 2)),
            (&f, true, false, (any, false, 1)),
            (&f, false, false, ("null", true, 1)),
        ] {
            let (choice, has_prompt, left) = planned(demand, takes_any, takes_tool);
            assert_eq!((&*choice, has_prompt, left), expected, "{demand:?}");
        }
    }
}
