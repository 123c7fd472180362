//! The kinds of traffic, and their requests for every path to the upstream.

use gateway_host::simulator::{BASE_PATH, TOKEN};
use serde_json::{Value, json};
use support::Client;
use support::client::Draft;

use crate::Target;

/// One kind of traffic.
#[derive(Clone)]
pub(crate) struct Scenario {
    /// The name for `--only`.
    pub(crate) name: &'static str,
    /// The name in the report.
    pub(crate) title: &'static str,
    pub(crate) connections: usize,
    route: Route,
    simulate: &'static str,
}

/// A request to the gateway, and the request to the AI Gateway that it results in.
#[derive(Clone)]
struct Route {
    own: (&'static str, String),
    native: (&'static str, String),
    /// A header that the gateway sets.
    header: Option<(&'static str, String)>,
}

/// Returns all scenarios, in the order of the report.
pub(crate) fn all() -> Vec<Scenario> {
    let at = |connections, name, title, route: &Route, simulate| Scenario {
        name,
        title,
        connections,
        route: route.clone(),
        simulate,
    };
    let both = |name, title, route: Route| {
        [1, 16].map(|connections| at(connections, name, title, &route, ""))
    };
    let prompt = chat("gpt-4o", false, &"lorem ipsum ".repeat(100 * 1024 / 12));
    let stream = same(OPENAI, chat("gpt-4o", true, "hello"));
    let plain = || chat("gpt-4o", false, "hello");
    let mut all = Vec::from(both("openai", "plain", same(OPENAI, plain())));
    all.extend([
        at(1, "prompt", "plain, a prompt of 100 KB", &same(OPENAI, prompt.clone()), ""),
        at(16, "prompt", "plain, a prompt of 100 KB", &same(OPENAI, prompt), ""),
        at(1, "stream", "a stream of 50 chunks", &stream, "chunks=50"),
        at(16, "stream", "a stream of 50 chunks", &stream, "chunks=50"),
        at(1, "long", "a stream of 1,000 chunks", &stream, "chunks=1000"),
        at(64, "paced", "a stream of 50 chunks, 20 ms apart", &stream, "chunks=50,chunk_delay=20"),
        at(1, "bedrock", "Bedrock, translated", &bedrock(false), ""),
        at(1, "bedrock-stream", "Bedrock, a stream of 50 chunks", &bedrock(true), "chunks=50"),
        at(16, "bedrock-stream", "Bedrock, a stream of 50 chunks", &bedrock(true), "chunks=50"),
    ]);
    all.extend(both("anthropic", "Anthropic, plain", same(ANTHROPIC, plain())));
    all.extend(both("google", "Google, plain", same(GOOGLE, chat(PREFIXED, false, "hello"))));
    all.extend(both("azure", "Azure, plain", same(AZURE, plain())));
    all.extend(both("compat", "Compat, plain", same(COMPAT, chat(PREFIXED, false, "hello"))));
    let token = Some(("authorization", format!("Bearer {TOKEN}")));
    let workers_ai = Route { header: token, ..same(WORKERS_AI, plain()) };
    all.extend(both("workers-ai", "Workers AI, plain", workers_ai));
    all
}

const OPENAI: (&str, &str) = ("/openai/chat/completions", "/openai/chat/completions");
const ANTHROPIC: (&str, &str) = ("/anthropic/chat/completions", "/anthropic/v1/chat/completions");
const GOOGLE: (&str, &str) = ("/google/chat/completions", "/compat/chat/completions");
const COMPAT: (&str, &str) = ("/compat/chat/completions", "/compat/chat/completions");
const AZURE: (&str, &str) = (
    "/azure/chat/completions",
    "/azure-openai/simulated-resource/gpt-4o/chat/completions?api-version=2024-10-21",
);
const WORKERS_AI: (&str, &str) =
    ("/workers-ai/chat/completions", "/workers-ai/v1/chat/completions");

/// A model with the prefix that `compat` requires, which the gateway adds if it is missing.
const PREFIXED: &str = "google-ai-studio/g";

fn chat(model: &str, stream: bool, content: &str) -> String {
    let message = json!({"role": "user", "content": content});
    json!({"model": model, "stream": stream, "messages": [message]}).to_string()
}

/// Returns a route whose body is passed through unchanged.
fn same((own, native): (&'static str, &'static str), body: String) -> Route {
    Route { own: (own, body.clone()), native: (native, body), header: None }
}

/// Returns Bedrock's route: the gateway translates and signs the request, and the other paths send a
/// Converse body, unsigned.
fn bedrock(stream: bool) -> Route {
    let native = if stream {
        "/aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-lite-v1%3A0/converse-stream"
    } else {
        "/aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-lite-v1%3A0/converse"
    };
    let message = json!({"role": "user", "content": [{"text": "hello"}]});
    let body: Value = json!({"messages": [message]});
    Route {
        own: ("/bedrock/chat/completions", chat("nova-lite", stream, "hello")),
        native: (native, body.to_string()),
        header: stream.then(|| ("accept", "application/vnd.amazon.eventstream".to_owned())),
    }
}

impl Scenario {
    /// Returns the request for `target`. Headers that only one target needs are sent to all; the
    /// others ignore them.
    pub(crate) fn request(&self, target: &Target) -> Draft {
        let Route { own, native, header } = &self.route;
        let (path, body) = if target.is_gateway {
            (own.0.to_owned(), &own.1)
        } else {
            (format!("{BASE_PATH}{}", native.0), &native.1)
        };
        let draft = Client::request("POST", &path);
        let draft = match header {
            Some((name, value)) if !target.is_gateway => draft.header(name, value),
            _ => draft,
        };
        draft
            .header("content-type", "application/json")
            .header("accept-encoding", "identity")
            .header("cf-aig-metadata", r#"{"team_id":"bench","key_id":"bench"}"#)
            .header("x-simulate", self.simulate)
            .header(target.credential.0, &target.credential.1)
            .body(body.clone())
    }
}

#[cfg(test)]
mod tests {
    use support::providers;

    use super::*;

    #[test]
    fn every_provider_has_a_scenario() {
        let scenarios = all();
        for provider in providers().unwrap() {
            let path = format!("/{provider}/");
            let has_one = scenarios.iter().any(|scenario| scenario.route.own.0.starts_with(&path));
            assert!(has_one, "add a scenario for {provider}");
        }
    }
}
