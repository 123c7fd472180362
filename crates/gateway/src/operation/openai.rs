//! The operations of OpenAI's API, as of its SDK for Node, version 7.57.0 of November 2026.
//! <https://platform.openai.com/docs/api-reference>
//!
//! What is not listed is an account operation: lists of anything but models; fine-tuning, evaluations,
//! projects, users, keys and settings; and credentials for browsers (`/realtime/client_secrets`,
//! `/realtime/sessions`, `/chatkit/sessions`), which would work without a team key.

use super::{Operation, by_id, inference, unnamed_inference};

/// The operations of OpenAI's API, below its `/v1`. The first row that matches counts.
pub const OPENAI: &[Operation] = &[
    inference("POST", "/chat/completions"),
    inference("POST", "/responses"),
    inference("POST", "/responses/compact"),
    inference("POST", "/responses/input_tokens"),
    inference("POST", "/completions"),
    inference("POST", "/embeddings"),
    inference("POST", "/moderations"),
    inference("POST", "/rerank"),
    inference("POST", "/images/generations"),
    inference("POST", "/images/edits"),
    inference("POST", "/images/variations"),
    inference("POST", "/audio/speech"),
    inference("POST", "/audio/transcriptions"),
    inference("POST", "/audio/translations"),
    inference("POST", "/videos"),
    inference("GET", "/models"),
    inference("GET", "/models/{}"),
    // Their models are in a file, in an assistant, or in the thing that is continued.
    unnamed_inference("POST", "/batches"),
    unnamed_inference("POST", "/threads/runs"),
    unnamed_inference("POST", "/threads/{thread}/runs"),
    unnamed_inference("POST", "/realtime/calls"),
    unnamed_inference("POST", "/realtime/calls/{rtc}/accept"),
    unnamed_inference("POST", "/videos/edits"),
    unnamed_inference("POST", "/videos/extensions"),
    unnamed_inference("POST", "/videos/{video}/remix"),
    by_id("POST", "/realtime/calls/{rtc}/*"),
    by_id("GET POST DELETE", "/chat/completions/{chatcmpl}"),
    by_id("GET", "/chat/completions/{chatcmpl}/messages"),
    by_id("GET DELETE", "/responses/{resp}"),
    by_id("GET POST", "/responses/{resp}/*"),
    by_id("POST", "/conversations"),
    by_id("GET POST DELETE", "/conversations/{conv}"),
    by_id("GET POST DELETE", "/conversations/{conv}/*"),
    by_id("GET", "/batches/{batch}"),
    by_id("POST", "/batches/{batch}/cancel"),
    by_id("POST", "/files"),
    by_id("GET DELETE", "/files/{file}"),
    by_id("GET", "/files/{file}/content"),
    by_id("POST", "/uploads"),
    by_id("POST", "/uploads/{upload}/*"),
    by_id("POST", "/vector_stores"),
    by_id("GET POST DELETE", "/vector_stores/{vs}"),
    by_id("GET POST DELETE", "/vector_stores/{vs}/*"),
    by_id("POST", "/containers"),
    by_id("GET DELETE", "/containers/{cntr}"),
    by_id("GET POST DELETE", "/containers/{cntr}/*"),
    by_id("GET DELETE", "/videos/{video}"),
    by_id("GET POST", "/videos/{video}/*"),
    by_id("POST", "/skills"),
    by_id("GET POST DELETE", "/skills/{skill}"),
    by_id("GET POST DELETE", "/skills/{skill}/*"),
    by_id("POST", "/assistants"),
    by_id("GET POST DELETE", "/assistants/{asst}"),
    by_id("POST", "/threads"),
    by_id("GET POST DELETE", "/threads/{thread}"),
    by_id("GET POST DELETE", "/threads/{thread}/*"),
];

#[cfg(test)]
mod tests {
    use http::Method;

    use super::OPENAI;
    use crate::operation::Class::{self, Account, ById, Inference, UnnamedInference};

    #[test]
    fn class_of_openais_operations() {
        for (method, path, expected) in [
            ("POST", "/chat/completions", Inference),
            ("GET", "/chat/completions", Account),
            ("GET", "/chat/completions/chatcmpl-1", ById),
            ("POST", "/engines/gpt-5/chat/completions", Account),
            ("POST", "/responses", Inference),
            ("POST", "/responses/resp_1/cancel", ById),
            ("GET", "/responses/resp_1/input_items", ById),
            ("POST", "/responses/compact", Inference),
            ("GET", "/models", Inference),
            ("DELETE", "/models/ft:gpt-4o:acme::1", Account),
            ("POST", "/batches", UnnamedInference),
            ("GET", "/batches", Account),
            ("POST", "/batches/batch_1/cancel", ById),
            ("POST", "/threads/thread_1/runs", UnnamedInference),
            ("POST", "/threads/thread_1/runs/run_1/submit_tool_outputs", ById),
            ("GET", "/files", Account),
            ("DELETE", "/files/file-1", ById),
            ("GET", "/vector_stores", Account),
            ("POST", "/vector_stores/vs_1/search", ById),
            ("POST", "/videos/video_1/remix", UnnamedInference),
            ("POST", "/threads/thread_1/%72uns", Account),
            ("POST", "/threads/thread_1/runs/", Account),
            ("POST", "/realtime/calls/rtc_1/accept", UnnamedInference),
            ("POST", "/realtime/calls/rtc_1/%61ccept", Account),
            ("POST", "/realtime/calls/rtc_1/hangup", ById),
            ("POST", "/realtime/client_secrets", Account),
            ("POST", "/realtime/sessions", Account),
            ("POST", "/fine_tuning/jobs", Account),
            ("GET", "/organization/users", Account),
            ("POST", "/evals", Account),
            ("POST", "/something/new", Account),
        ] {
            let method: Method = method.parse().unwrap();
            assert_eq!(Class::find(OPENAI, &method, path), expected, "{method} {path}");
        }
    }
}
