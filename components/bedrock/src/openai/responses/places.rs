//! Errors about a chat, in terms of the request for a response that it was made from.

use gateway::Error;

use super::tools::{self, Place};

/// Where the parts of a chat are in the request for a response.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Whether the first message holds the instructions.
    pub(super) has_instructions: bool,
    /// Whether the input is a text.
    pub(super) is_text: bool,
    pub(super) tools: Vec<Place>,
}

/// The fields of a chat that have another name in a request for a response.
const NAMES: [(&str, &str); 3] = [
    ("messages", "input"),
    ("reasoning_effort", "reasoning.effort"),
    ("response_format.json_schema.schema", "text.format.schema"),
];

/// The members of messages and tools that have another name.
const MEMBERS: [(&str, &str); 6] = [
    (".tool_calls[0].function.name", ".name"),
    (".tool_calls[0].id", ".call_id"),
    (".tool_call_id", ".call_id"),
    (".function.parameters", ".parameters"),
    (".function.name", ".name"),
    (".function", ""),
];

impl Places {
    /// Converts `error`, which may name a field of the chat.
    pub(super) fn restate(&self, error: Error) -> Error {
        match error {
            Error::InvalidBody { message, param: Some(param) } => {
                let name = self.name(&param);
                let message = message.replace(&format!("`{param}`"), &format!("`{name}`"));
                Error::invalid_param(name, message)
            }
            Error::Unsupported { message, param } => {
                let name = self.name(&param);
                Error::unsupported(name, message)
            }
            other => other,
        }
    }

    /// Returns the field of the request that holds the field `param` of the chat.
    fn name(&self, param: &str) -> String {
        if let Some((_, name)) = NAMES.iter().find(|(chat, _)| *chat == param) {
            return (*name).to_owned();
        }
        let entry = self.message(param).or_else(|| self.tool(param));
        let Some((mut name, member)) = entry else { return param.to_owned() };
        let renamed = MEMBERS.iter().find(|(chat, _)| *chat == member);
        name.push_str(renamed.map_or(member, |(_, member)| member));
        name
    }

    /// Returns the place of a message, and the member of it that `param` names.
    fn message<'p>(&self, param: &'p str) -> Option<(String, &'p str)> {
        let (number, member) = index(param.strip_prefix("messages[")?)?;
        Some(match number.checked_sub(usize::from(self.has_instructions)) {
            None => ("instructions".to_owned(), ""),
            Some(_) if self.is_text => ("input".to_owned(), ""),
            Some(item) => (format!("input[{item}]"), member),
        })
    }

    /// Returns the place of a tool, and the member of it that `param` names.
    fn tool<'p>(&self, param: &'p str) -> Option<(String, &'p str)> {
        let (number, member) = index(param.strip_prefix("tools[")?)?;
        Some((tools::param(*self.tools.get(number)?), member))
    }
}

/// Splits what follows an opening bracket into the index and what follows the closing one.
fn index(text: &str) -> Option<(usize, &str)> {
    let (number, rest) = text.split_once(']')?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restate_of_an_error_names_the_field_of_the_response() {
        let tools = vec![(0, None), (1, Some(0)), (1, Some(1))];
        let places = Places { has_instructions: true, is_text: false, tools };
        for (param, expected) in [
            ("messages", "input"),
            ("messages[0].content", "instructions"),
            ("messages[3].content[1]", "input[2].content[1]"),
            ("messages[3].tool_call_id", "input[2].call_id"),
            ("messages[3].tool_calls[0].function.name", "input[2].name"),
            ("messages[3].tool_calls[0].id", "input[2].call_id"),
            ("messages[3]", "input[2]"),
            ("tools[0].function.parameters", "tools[0].parameters"),
            ("tools[2].function.name", "tools[1].tools[1].name"),
            ("tools[9].function.name", "tools[9].function.name"),
            ("response_format.json_schema.schema", "text.format.schema"),
            ("reasoning_effort", "reasoning.effort"),
            ("temperature", "temperature"),
        ] {
            let error = Error::invalid_param(param.to_owned(), format!("`{param}` is wrong"));
            let error = places.restate(error);
            assert_eq!(error.param(), Some(expected), "{param}");
            assert_eq!(error.to_string(), format!("`{expected}` is wrong"));
            let error = places.restate(Error::unsupported(param.to_owned(), "no"));
            assert_eq!((error.param(), &*error.to_string()), (Some(expected), "no"));
        }
    }

    #[test]
    fn restate_of_an_error_in_a_text_names_the_input() {
        let places = Places { is_text: true, ..Places::default() };
        let error = places.restate(Error::unsupported("messages[0].content", "no"));
        assert_eq!(error.param(), Some("input"));
        assert!(matches!(places.restate(Error::MissingKey), Error::MissingKey));
    }
}
