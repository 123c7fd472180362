//! Amazon Bedrock: OpenAI's chat completions and embeddings, translated into Converse and back.
//! <https://developers.cloudflare.com/ai-gateway/usage/providers/bedrock/>

mod address;
mod answers;
mod chat;
mod completion;
mod converse;
mod degrade;
mod embeddings;
mod errors;
mod json;
mod listing;
mod model;
mod openai;
mod settings;
mod sign;

use gateway::Error;
use gateway::service::Call;
use gateway::translator::{Answer, Context, Translator};
use gateway::url::Target;
use http::Method;

struct Bedrock;

/// The route, and the provider's name in `limited_models`.
const SLUG: &str = "bedrock";

const SUPPORTED: &str = "POST /chat/completions, POST /embeddings and GET /models";

impl Translator for Bedrock {
    const SLUG: &'static str = SLUG;

    fn answer(call: &Call, context: &Context<'_>) -> Result<Answer, Error> {
        let target = Target::parse(&call.path_with_query, Self::SLUG)?;
        match (target.path, &call.method) {
            ("/chat/completions", &Method::POST) => chat::answer(call, context),
            ("/embeddings", &Method::POST) => embeddings::answer(call, context),
            ("/models", &Method::GET) => listing::answer(context).map(Answer::Whole),
            ("/chat/completions" | "/embeddings", _) => {
                Err(Error::MethodNotAllowed { allowed: "POST" })
            }
            ("/models", _) => Err(Error::MethodNotAllowed { allowed: "GET" }),
            _ => Err(Error::UnknownUrl { supported: SUPPORTED }),
        }
    }
}

type Component = gateway_spin::Translate<Bedrock>;
gateway_spin::export!(Component);
