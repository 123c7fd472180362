//! What the translation of a response needs to know about its request.

use crate::translate::json_tool::JsonTool;
use crate::translate::request::tool_names::ToolNames;

/// The facts of a request that its response depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResponseContext {
    /// The model, by the name that the client used.
    pub(crate) model: String,
    /// Unix time in seconds.
    pub(crate) created: u64,
    pub(crate) include_usage: bool,
    pub(crate) names: ToolNames,
    /// The synthetic tool that carries the response, if the request needed one.
    pub(crate) json_tool: Option<JsonTool>,
}
