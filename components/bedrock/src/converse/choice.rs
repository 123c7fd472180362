//! Making a model call a tool: by `toolChoice` where it takes one, and in words where not.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html>

use std::borrow::Cow;

use crate::converse::{Choice, ToolEntry};
use crate::model::Choices;

/// What the model is to call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// Nothing, or what it likes.
    #[default]
    Nothing,
    Any,
    Tool(Cow<'a, str>),
}

/// How it is brought to do so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pressure<'a> {
    pub(crate) choice: Option<Choice<'a>>,
    /// What stands in the system prompt where no choice can be made.
    pub(crate) words: Option<String>,
}

/// Presses for what is `wanted`, by the `choices` that the model takes. Where it cannot be told to
/// call one certain tool, that becomes the only one on offer.
pub(crate) fn press<'a>(
    wanted: Wanted<'a>,
    choices: Choices,
    tools: &mut Vec<ToolEntry<'a>>,
) -> Pressure<'a> {
    let forced = |choice| Pressure { choice: Some(choice), words: None };
    let asked = |words| Pressure { choice: None, words: Some(words) };
    match wanted {
        Wanted::Nothing => Pressure::default(),
        Wanted::Any if choices.any => forced(Choice::Any {}),
        Wanted::Any => asked(
            "Call at least one of your tools: an answer without a call is of no use.".to_owned(),
        ),
        Wanted::Tool(name) if choices.tool => forced(Choice::Tool { name }),
        Wanted::Tool(name) => {
            tools.retain(|entry| matches!(entry, ToolEntry::ToolSpec(spec) if spec.name == name));
            if choices.any {
                forced(Choice::Any {})
            } else {
                asked(format!("Call the tool `{name}`: an answer without that call is of no use."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converse::{InputSchema, Json, ToolSpec};

    fn tool(name: &'static str) -> ToolEntry<'static> {
        let input_schema = InputSchema { json: Json::empty_object() };
        ToolEntry::ToolSpec(ToolSpec {
            name: name.into(),
            description: None,
            input_schema,
            strict: None,
        })
    }

    /// The choice, whether there are words, and how many tools are left of two.
    fn pressed(wanted: &Wanted<'static>, any: bool, tool_: bool) -> (String, bool, usize) {
        let mut tools = vec![tool("f"), tool("g")];
        let Pressure { choice, words } =
            press(wanted.clone(), Choices { any, tool: tool_ }, &mut tools);
        (serde_json::to_string(&choice).unwrap(), words.is_some(), tools.len())
    }

    #[test]
    fn a_call_is_forced_as_far_as_the_model_can_be() {
        let f = Wanted::Tool("f".into());
        let (any, named) = (r#"{"any":{}}"#, r#"{"tool":{"name":"f"}}"#);
        for (wanted, takes_any, takes_tool, expected) in [
            (&Wanted::Nothing, true, true, ("null", false, 2)),
            (&Wanted::Any, true, true, (any, false, 2)),
            (&Wanted::Any, false, false, ("null", true, 2)),
            (&f, true, true, (named, false, 2)),
            (&f, true, false, (any, false, 1)),
            (&f, false, false, ("null", true, 1)),
        ] {
            let (choice, has_words, left) = pressed(wanted, takes_any, takes_tool);
            assert_eq!((&*choice, has_words, left), expected, "{wanted:?}");
        }
    }
}
