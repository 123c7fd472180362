//! The tools of a response, and which of them must be called.

use gateway::Error;
use serde_json::value::RawValue;

use crate::json::{Text, cut, invalid, is_string, read_text};
use crate::limits::TOOLS;
use crate::openai::request::{CacheControl, Tool as ChatTool, ToolChoice, ToolFunction};
use crate::openai::slots::read_object;

/// A tool: a function, or a namespace of functions.
#[derive(Debug, Default)]
pub(super) struct Tool<'a> {
    pub(super) kind: Text<'a>,
    pub(super) name: Option<Text<'a>>,
    pub(super) description: Option<Text<'a>>,
    pub(super) parameters: Option<&'a RawValue>,
    pub(super) strict: Option<bool>,
    /// The functions of a namespace.
    pub(super) tools: Vec<Tool<'a>>,
    pub(super) cache_control: Option<CacheControl<'a>>,
}

/// `tool_choice` as an object; `kind` determines which other fields are set.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) kind: Text<'a>,
    pub(super) name: Option<Text<'a>>,
    pub(super) mode: Option<Text<'a>>,
    pub(super) tools: Vec<Choice<'a>>,
}

/// The index of a tool, and its index in the namespace that has the first.
pub(super) type Place = (usize, Option<usize>);

/// The tools of a request as tools of a chat.
#[derive(Debug, Default)]
pub(super) struct Functions<'a> {
    pub(super) tools: Vec<ChatTool<'a>>,
    /// The place of each of them in the request.
    pub(super) places: Vec<Place>,
    pub(super) namespaces: Vec<String>,
}

/// Separates a namespace from the name of a function: models know no namespaces.
const SEPARATOR: &str = "__";

/// Returns the name of a function for the model: with its namespace, if it has one.
pub(super) fn full_name<'a>(namespace: Option<Text<'a>>, name: Text<'a>) -> Text<'a> {
    match namespace {
        Some(namespace) if !namespace.is_empty() => {
            format!("{}{SEPARATOR}{}", &*namespace, &*name).into()
        }
        _ => name,
    }
}

/// Splits a name that the model calls into one of the `namespaces`, if it has one, and the function.
pub(super) fn split_name<'a>(
    name: &'a str,
    namespaces: &'a [String],
) -> (Option<&'a str>, &'a str) {
    let split = |namespace: &'a String| {
        let function = name.strip_prefix(namespace.as_str())?.strip_prefix(SEPARATOR)?;
        Some((Some(namespace.as_str()), function))
    };
    namespaces.iter().find_map(split).unwrap_or((None, name))
}

/// Converts the tools of a request.
///
/// # Errors
/// A client error that names the tool at fault.
pub(super) fn functions(tools: Vec<Tool<'_>>) -> Result<Functions<'_>, Error> {
    let mut functions = Functions::default();
    for (index, tool) in tools.into_iter().enumerate() {
        match &*tool.kind {
            "namespace" => functions.add_namespace(tool, index)?,
            _ => functions.add(tool, None, (index, None))?,
        }
    }
    Ok(functions)
}

/// Returns the name of the field that holds the tool at `place`.
pub(super) fn param((index, inner): Place) -> String {
    match inner {
        Some(inner) => format!("tools[{index}].tools[{inner}]"),
        None => format!("tools[{index}]"),
    }
}

impl<'a> Functions<'a> {
    /// Adds the functions of a namespace. One without a description gets that of the namespace.
    fn add_namespace(&mut self, tool: Tool<'a>, index: usize) -> Result<(), Error> {
        let namespace = tool.name.unwrap_or_default();
        for (inner, mut function) in tool.tools.into_iter().enumerate() {
            function.description = function.description.or_else(|| tool.description.clone());
            self.add(function, Some(&namespace), (index, Some(inner)))?;
        }
        self.namespaces.push(namespace.to_string());
        Ok(())
    }

    /// Adds a function.
    fn add(
        &mut self,
        tool: Tool<'a>,
        namespace: Option<&Text<'a>>,
        place: Place,
    ) -> Result<(), Error> {
        if &*tool.kind != "function" {
            let kind = cut(&tool.kind);
            let why = format!("tools of the type `{kind}` are not supported: use functions only");
            return Err(Error::unsupported(format!("{}.type", param(place)), why));
        }
        let name =
            tool.name.ok_or_else(|| invalid(format!("{}.name", param(place)), "is missing"))?;
        let function = ToolFunction {
            name: full_name(namespace.cloned(), name),
            description: tool.description,
            parameters: tool.parameters,
            strict: tool.strict,
        };
        let (kind, cache_control) = (tool.kind, tool.cache_control);
        self.tools.push(ChatTool { kind, function: Some(function), cache_control });
        self.places.push(place);
        Ok(())
    }
}

// === Tool choice ===

/// Reads the tool choice: a string or an object.
///
/// # Errors
/// A client error for another value.
pub(super) fn read_choice(value: &RawValue) -> Result<ToolChoice<'_>, Error> {
    const KIND: &str = "auto, none, required, or an object of the type function or allowed_tools";
    let wrong = || invalid("tool_choice", &format!("must be {KIND}"));
    if is_string(value) {
        return ToolChoice::by_name(&read_text("tool_choice", value, KIND)?).ok_or_else(wrong);
    }
    let choice: Choice<'_> = read_object("tool_choice", value, &TOOLS)?;
    match (&*choice.kind, choice.name, choice.mode.as_deref()) {
        ("function", Some(name), _) => Ok(ToolChoice::Function(name)),
        ("allowed_tools", _, Some(mode @ ("auto" | "required"))) => {
            let names: Option<_> = choice.tools.into_iter().map(|tool| tool.name).collect();
            let is_required = mode == "required";
            Ok(ToolChoice::Allowed { names: names.ok_or_else(wrong)?, is_required })
        }
        _ => Err(wrong()),
    }
}
