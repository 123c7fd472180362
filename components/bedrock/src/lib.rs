//! Amazon Bedrock behind OpenAI's API: chat completions by Converse, embeddings by `InvokeModel`.
//!
//! `openai` and `converse` hold the two wire formats, `translate` maps one to the other, `aws`
//! knows the service and `catalog` the models.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/bedrock/>

mod aws;
mod catalog;
mod chat;
mod converse;
mod embeddings;
mod json;
mod models;
mod openai;
mod translate;

use gateway::Error;
use gateway::service::Call;
use gateway::translator::{Answer, Context, Translator};
use gateway::url::Target;
use http::Method;

/// The component.
struct Bedrock;

/// The routes, for the error about an unknown one.
const SUPPORTED: &str = "POST /chat/completions, POST /embeddings and GET /models";

impl Translator for Bedrock {
    const SLUG: &'static str = catalog::SLUG;

    fn answer(call: &Call, context: &Context<'_>) -> Result<Answer, Error> {
        let target = Target::parse(&call.path_with_query, Self::SLUG)?;
        match (target.path, &call.method) {
            ("/chat/completions", &Method::POST) => chat::respond(call, context),
            ("/embeddings", &Method::POST) => embeddings::respond(call, context),
            ("/models", &Method::GET) => models::respond(context).map(Answer::Whole),
            ("/chat/completions" | "/embeddings", _) => {
                Err(Error::MethodNotAllowed { allowed: "POST" })
            }
            ("/models", _) => Err(Error::MethodNotAllowed { allowed: "GET" }),
            _ => Err(Error::UnknownUrl { supported: SUPPORTED }),
        }
    }
}

/// The component as Spin runs it.
type Component = gateway_spin::Translate<Bedrock>;
gateway_spin::export!(Component);
