//! The tools offered to the model, and which of them it must call.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::slice;

use gateway::Error;

use crate::catalog::model::Model;
use crate::converse::request::{InputSchema, Json, ToolEntry, ToolSpec};
use crate::json::{invalid, set};
use crate::limits::NAME_BYTES;
use crate::openai::request::{ChatRequest, Tool, ToolChoice, ToolFunction};
use crate::translate::request::schema::grammar::closed;
use crate::translate::request::schema::inline::GROWTH;
use crate::translate::request::schema::narrow::{Narrowed, narrowed};
use crate::translate::request::tool_choice::ToolDemand;
use crate::translate::request::tool_names::ToolNames;
use crate::translate::request::{cache, schema};

/// The tools that the model may call; none if the client forbids calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfferedTools<'a> {
    pub(crate) tools: Vec<ToolEntry<'a>>,
    pub(crate) demand: ToolDemand<'a>,
}

/// The maximum number of strict tools in a request.
/// <https://docs.claude.com/en/docs/build-with-claude/structured-outputs>
const MAX_STRICT: usize = 20;

/// Collects the tools that `request` offers to `model`.
///
/// # Errors
/// A client error that names the tool at fault.
pub(crate) fn offer<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
    names: &mut ToolNames,
) -> Result<OfferedTools<'a>, Error> {
    check_choice(request)?;
    let allowed: Option<BTreeSet<&str>> = match &request.tool_choice {
        ToolChoice::None => return Ok(OfferedTools::default()),
        ToolChoice::Allowed { names, .. } => Some(set(names.iter().map(|name| &**name))),
        _ => None,
    };
    let mut tools = Vec::with_capacity(request.tools.len());
    let (mut growth, mut strict) = (GROWTH, MAX_STRICT);
    for (index, tool) in request.tools.iter().enumerate() {
        let function = function_of(index, tool)?;
        if allowed.as_ref().is_none_or(|allowed| allowed.contains(&*function.name)) {
            let mut spec = spec(index, function, model, names)?;
            spec.strict = spec.strict.filter(|_| strict > 0);
            conform(&mut spec, model, &mut growth);
            strict -= usize::from(spec.strict.is_some());
            tools.push(ToolEntry::ToolSpec(spec));
            let mark = tool.cache_control.as_ref().filter(|_| model.capabilities.caches_tools);
            let point = mark.and_then(|mark| cache::point(mark, model));
            tools.extend(point.map(ToolEntry::CachePoint));
        }
    }
    Ok(OfferedTools { tools, demand: demand(&request.tool_choice, names) })
}

/// Returns what the client demands to be called.
fn demand<'a>(choice: &'a ToolChoice<'a>, names: &mut ToolNames) -> ToolDemand<'a> {
    match choice {
        ToolChoice::Required | ToolChoice::Allowed { is_required: true, .. } => ToolDemand::Any,
        ToolChoice::Function(name) => ToolDemand::Tool(names.alias(name)),
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { .. } => ToolDemand::Nothing,
    }
}

/// Rejects a choice of a tool that is not offered, with the client's name for the parameter.
fn check_choice(request: &ChatRequest<'_>) -> Result<(), Error> {
    let named = match &request.tool_choice {
        ToolChoice::Required if request.tools.is_empty() => {
            return Err(invalid(
                "tool_choice",
                "requires a call, but `tools` is empty: add a tool",
            ));
        }
        ToolChoice::Allowed { names, .. } if names.is_empty() => {
            return Err(invalid("tool_choice", "allows no tool: name one, or use `none`"));
        }
        ToolChoice::Function(name) => slice::from_ref(name),
        ToolChoice::Allowed { names, .. } => names,
        _ => &[],
    };
    let functions = request.tools.iter().filter_map(|tool| tool.function.as_ref());
    let offered = set(functions.map(|function| &*function.name));
    if named.iter().all(|name| offered.contains(&**name)) {
        return Ok(());
    }
    Err(invalid("tool_choice", "names a tool that is not in `tools`: add it there"))
}

/// Returns the function of the tool at `index`, the only kind of tool that Converse offers.
fn function_of<'a>(index: usize, tool: &'a Tool<'a>) -> Result<&'a ToolFunction<'a>, Error> {
    match (&*tool.kind, &tool.function) {
        ("function", Some(function)) if function.name.is_empty() => {
            Err(invalid(format!("tools[{index}].function.name"), "must not be empty"))
        }
        ("function", Some(function)) if function.name.len() > NAME_BYTES.most => {
            Err(NAME_BYTES.exceeded(format!("tools[{index}].function.name")))
        }
        ("function", Some(function)) => Ok(function),
        ("function", None) => Err(invalid(format!("tools[{index}].function"), "is missing")),
        _ => {
            let message = "only function tools are supported";
            Err(Error::unsupported(format!("tools[{index}].type"), message))
        }
    }
}

/// Translates the function of the tool at `index`.
fn spec<'a>(
    index: usize,
    function: &'a ToolFunction<'a>,
    model: &Model,
    names: &mut ToolNames,
) -> Result<ToolSpec<'a>, Error> {
    let param = format!("tools[{index}].function.parameters");
    schema::check(function.parameters, param.clone().into())?;
    let json = schema::of_parameters(function.parameters)
        .ok_or_else(|| invalid(param, "must be a JSON schema of an object"))?;
    // Bedrock rejects a blank description.
    let description = function.description.as_deref().filter(|text| !text.trim().is_empty());
    Ok(ToolSpec {
        name: names.alias(&function.name),
        description: description.map(Cow::Borrowed),
        input_schema: InputSchema { json },
        strict: function.strict.filter(|is_strict| *is_strict && model.capabilities.strict_tools),
    })
}

/// Reduces the schema of `spec` to what `model` accepts, and describes the rest. `growth` is what
/// remains for the references of this request.
pub(crate) fn conform(spec: &mut ToolSpec<'_>, model: &Model, growth: &mut usize) {
    if model.capabilities.narrow_schemas {
        let Narrowed { schema, note } = narrowed(&spec.input_schema.json.text(), growth);
        spec.input_schema.json = Json::from_text(schema);
        spec.description = with_note(spec.description.take(), note);
    }
    if spec.strict.is_some() {
        match closed(&spec.input_schema.json.text()) {
            Some(schema) => spec.input_schema.json = Json::from_text(schema),
            None => spec.strict = None,
        }
    }
}

/// Returns the bytes of a tool that the client did not send. A description is sent as a string, in which
/// a character may need an escape.
pub(crate) fn made_bytes(entry: &ToolEntry<'_>) -> usize {
    let ToolEntry::ToolSpec(spec) = entry else { return 0 };
    let schema = match &spec.input_schema.json {
        Json::Made(schema) => schema.get().len(),
        Json::Given(_) | Json::Wrapped { .. } => 0,
    };
    let description = match &spec.description {
        Some(Cow::Owned(description)) => 2 * description.len(),
        Some(Cow::Borrowed(_)) | None => 0,
    };
    schema + description
}

/// Adds what a schema cannot hold to the description, unless it is there.
fn with_note(description: Option<Cow<'_, str>>, note: Option<String>) -> Option<Cow<'_, str>> {
    match (description, note) {
        (Some(description), Some(note)) if !description.contains(&note) => {
            Some(format!("{description}\n\n{note}").into())
        }
        (None, Some(note)) => Some(note.into()),
        (description, _) => description,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::capabilities::Family;
    use crate::catalog::sample;

    fn function(name: &str) -> Value {
        json!({"type": "function", "function": {"name": name}})
    }

    fn spec_of(name: &str) -> Value {
        let schema = json!({"json": {"type": "object", "properties": {}}});
        json!({"toolSpec": {"name": name, "inputSchema": schema}})
    }

    /// Returns the tools offered to `model` and the demand, or the error's `param`.
    fn offered(tools: &Value, choice: &Value, model: &Model) -> Result<(Value, String), String> {
        let body = json!({"model": "m", "messages": [], "tools": tools, "tool_choice": choice});
        let body = body.to_string();
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        match offer(&request, model, &mut ToolNames::default()) {
            Ok(OfferedTools { tools, demand }) => {
                Ok((serde_json::to_value(tools).unwrap(), format!("{demand:?}")))
            }
            Err(error) => Err(error.param().unwrap().to_owned()),
        }
    }

    #[test]
    fn offer_with_a_function_makes_a_spec() {
        let model = sample::model(Family::Claude);
        for (function, expected) in [
            (json!({"name": "f"}), spec_of("f")["toolSpec"].clone()),
            (
                json!({
                    "name": "f", "description": "d", "strict": true,
                    "parameters": {"type": "object", "properties": {"b": {}, "a": {}}},
                }),
                json!({
                    "name": "f", "description": "d", "strict": true,
                    "inputSchema": {"json": {
                        "type": "object", "properties": {"b": {}, "a": {}},
                        "additionalProperties": false,
                    }},
                }),
            ),
            (
                json!({"name": "f", "description": " ", "strict": false, "parameters": {}}),
                json!({"name": "f", "inputSchema": {"json": {"type": "object"}}}),
            ),
        ] {
            let tools = json!([{"type": "function", "function": function}]);
            let (found, _) = offered(&tools, &json!("auto"), &model).unwrap();
            assert_eq!(found, json!([{"toolSpec": expected}]), "{function}");
        }
    }

    #[test]
    fn offer_to_a_model_without_support_drops_strict_and_cache_points() {
        let tools = json!([{
            "type": "function", "function": {"name": "f", "strict": true},
            "cache_control": {"type": "ephemeral"},
        }]);
        let mut strict = spec_of("f");
        strict["toolSpec"]["strict"] = json!(true);
        strict["toolSpec"]["inputSchema"]["json"]["additionalProperties"] = json!(false);
        let mut model = sample::model(Family::Claude);
        let (found, _) = offered(&tools, &json!(null), &model).unwrap();
        assert_eq!(found, json!([strict, {"cachePoint": {"type": "default"}}]));
        model.capabilities.strict_tools = false;
        model.capabilities.caches_tools = false;
        let (found, _) = offered(&tools, &json!(null), &model).unwrap();
        assert_eq!(found, json!([spec_of("f")]));
    }

    #[test]
    fn offer_keeps_strict_where_a_grammar_holds_the_schema() {
        let model = sample::model(Family::Claude);
        let tool = |name: String, parameters: &Value| {
            let function = json!({"name": name, "strict": true, "parameters": parameters});
            json!({"type": "function", "function": function})
        };
        let open = json!({"type": "object", "additionalProperties": {"type": "string"}});
        for (parameters, expected) in
            [(&json!({"type": "object", "properties": {}}), 20), (&open, 0)]
        {
            let tools: Value = (0..22).map(|index| tool(format!("f{index}"), parameters)).collect();
            let (found, _) = offered(&tools, &json!(null), &model).unwrap();
            let strict =
                found.as_array().unwrap().iter().filter(|tool| tool["toolSpec"]["strict"] == true);
            assert_eq!(strict.count(), expected, "{parameters}");
        }
    }

    #[test]
    fn offer_by_tool_choice_selects_tools_and_demand() {
        let model = sample::model(Family::Claude);
        let tools = json!([function("f"), function("g.h")]);
        let alias = ToolNames::default().alias("g.h").into_owned();
        let both = json!([spec_of("f"), spec_of(&alias)]);
        let allowed = |mode| {
            let tools = [function("g.h")];
            json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
        };
        for (choice, expected, demand) in [
            (json!("auto"), both.clone(), "Nothing".to_owned()),
            (json!("none"), json!([]), "Nothing".to_owned()),
            (json!("required"), both.clone(), "Any".to_owned()),
            (function("f"), both.clone(), r#"Tool("f")"#.to_owned()),
            (function("g.h"), both, format!("Tool({alias:?})")),
            (allowed("auto"), json!([spec_of(&alias)]), "Nothing".to_owned()),
            (allowed("required"), json!([spec_of(&alias)]), "Any".to_owned()),
        ] {
            let found = offered(&tools, &choice, &model);
            assert_eq!(found, Ok((expected, demand)), "{choice}");
        }
    }

    #[test]
    fn offer_of_a_bad_tool_or_choice_names_it() {
        let model = sample::model(Family::Claude);
        let bad = |parameters: Value| json!([function("f"), {"type": "function", "function": {"name": "g", "parameters": parameters}}]);
        for (tools, choice, expected) in [
            (json!([function("f")]), function("g"), "tool_choice"),
            (json!([]), json!("required"), "tool_choice"),
            (json!([]), function("g"), "tool_choice"),
            (
                json!([function("f")]),
                json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}}),
                "tool_choice",
            ),
            (json!([{"type": "web_search"}]), json!("auto"), "tools[0].type"),
            (json!([{"type": "function"}]), json!("auto"), "tools[0].function"),
            (json!([function("")]), json!("auto"), "tools[0].function.name"),
            (bad(json!([])), json!("auto"), "tools[1].function.parameters"),
            (bad(json!("{}")), json!("auto"), "tools[1].function.parameters"),
        ] {
            let found = offered(&tools, &choice, &model);
            assert_eq!(found, Err(expected.to_owned()), "{tools} {choice}");
        }
        assert!(offered(&json!([]), &json!("auto"), &model).is_ok());
    }
}
