//! Amazon Bedrock behind OpenAI's API: chat completions and responses by Converse, embeddings by
//! `InvokeModel`.
//!
//! Anthropic's Messages API passes through (`messages`). For the rest, `openai` and `converse` hold the
//! two wire formats, `translate` maps one to the other, `aws` knows the service and `catalog` the
//! models.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/bedrock/>

mod aws;
mod catalog;
mod chat;
mod converse;
mod embeddings;
mod json;
mod limits;
mod messages;
mod models;
mod openai;
mod translate;

use gateway::http::target::Target;
use gateway::translator::{Context, Translated, Translator};
use gateway::{Dialect, Error, Request};
use http::Method;

/// The component.
struct Bedrock;

/// The routes, for the error about an unknown one.
const SUPPORTED: &str = "POST /chat/completions, POST /responses, POST /embeddings, POST /anthropic/v1/messages and GET /models";

impl Translator for Bedrock {
    const SLUG: &'static str = catalog::SLUG;

    fn dialect(path: &str) -> Dialect {
        if messages::is_native(path) { Dialect::Anthropic } else { Dialect::OpenAi }
    }

    fn respond(request: &Request, context: &Context<'_>) -> Result<Translated, Error> {
        let target = Target::parse(&request.head.path_with_query, Self::SLUG)?;
        match (target.path, &request.head.method) {
            ("/chat/completions", &Method::POST) => chat::complete(request, context),
            ("/responses", &Method::POST) => chat::create_response(request, context),
            ("/embeddings", &Method::POST) => embeddings::respond(request, context),
            ("/models", &Method::GET) => models::respond(context).map(Translated::Whole),
            (path, method) if messages::operation(path) == Some("/messages") => match *method {
                Method::POST => messages::respond(request, context),
                _ => Err(Error::MethodNotAllowed { allowed: "POST" }),
            },
            ("/chat/completions" | "/responses" | "/embeddings", _) => {
                Err(Error::MethodNotAllowed { allowed: "POST" })
            }
            ("/models", _) => Err(Error::MethodNotAllowed { allowed: "GET" }),
            _ => Err(Error::UnknownUrl { supported: SUPPORTED }),
        }
    }
}

/// The component as Spin runs it.
type Component = gateway_spin::TranslatorComponent<Bedrock>;
gateway_spin::export!(Component);
