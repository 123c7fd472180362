//! What the translation of a response needs to know about its request.

use crate::openai::events::ChunkWriter;
use crate::openai::responses::writer::ResponseWriter;
use crate::openai::writer::{Api, Writer};
use crate::translate::json_tool::JsonTool;
use crate::translate::request::tool_names::ToolNames;

/// The facts of a request that its response depends on.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseContext {
    pub(crate) api: Api,
    /// The model, by the name that the client used.
    pub(crate) model: String,
    /// Unix time in seconds.
    pub(crate) created: u64,
    pub(crate) include_usage: bool,
    pub(crate) names: ToolNames,
    /// The synthetic tool that carries the response, if the request needed one.
    pub(crate) json_tool: Option<JsonTool>,
}

impl ResponseContext {
    /// Creates the writer of the stream whose response headers had the `x-amzn-requestid` `id`.
    pub(crate) fn writer(&self, id: &str) -> Writer {
        let Self { created, include_usage, .. } = *self;
        match &self.api {
            Api::Chat => {
                let (id, model) = (format!("chatcmpl-{id}"), self.model.clone());
                Writer::Chat(ChunkWriter { id, created, model, include_usage })
            }
            Api::Responses(echo) => {
                let writer = ResponseWriter::new(id, created, &self.model, echo.clone());
                Writer::Responses(Box::new(writer))
            }
        }
    }
}
