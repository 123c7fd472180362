//! A response, as it is written.
//! <https://platform.openai.com/docs/api-reference/responses/object>

use serde_json::value::RawValue;

use crate::json::value::{Members, Value};
use crate::openai::completion::Usage;

/// What is known about a response at its end.
#[derive(Debug, Default)]
pub(super) struct End {
    /// Why the response is incomplete.
    pub(super) incomplete: Option<&'static str>,
    pub(super) usage: Option<Usage>,
    pub(super) service_tier: Option<String>,
    pub(super) fields: Option<Box<RawValue>>,
    pub(super) invoked_model: Option<String>,
}

impl End {
    /// Returns the status of the response.
    pub(super) fn status(&self) -> &'static str {
        if self.incomplete.is_some() { "incomplete" } else { "completed" }
    }

    /// Returns the fields about the end.
    pub(super) fn members(&self) -> Members<'_> {
        let incomplete =
            self.incomplete.map(|reason| Value::Object(vec![("reason", reason.into())]));
        let mut members = vec![
            ("incomplete_details", incomplete.into()),
            ("usage", self.usage.as_ref().map(usage).into()),
            ("service_tier", self.service_tier.as_deref().into()),
        ];
        // Extensions: the fields that `additionalModelResponseFieldPaths` asks for, and the model that a
        // prompt router chose.
        let fields = self.fields.as_deref().map(Value::Raw);
        members.extend(fields.map(|fields| ("additional_model_response_fields", fields)));
        let model = self.invoked_model.as_deref();
        members.extend(model.map(|model| ("bedrock_invoked_model", model.into())));
        members
    }
}

/// Returns the token usage.
fn usage(usage: &Usage) -> Value<'_> {
    let cached = usage.prompt_tokens_details.cached_tokens;
    let reasoning = usage.completion_tokens_details.unwrap_or_default().reasoning_tokens;
    let mut members: Members<'_> = vec![
        ("input_tokens", usage.prompt_tokens.into()),
        ("input_tokens_details", Value::Object(vec![("cached_tokens", cached.into())])),
        ("output_tokens", usage.completion_tokens.into()),
        ("output_tokens_details", Value::Object(vec![("reasoning_tokens", reasoning.into())])),
        ("total_tokens", usage.total_tokens.into()),
    ];
    // Extensions: the tokens of the input that were written to the cache, and by their lifetime.
    let written = usage.cache_creation_input_tokens;
    members.extend(written.map(|tokens| ("cache_creation_input_tokens", tokens.into())));
    members.extend(usage.cache_creation.map(|creation| {
        let lifetimes = vec![
            ("ephemeral_5m_input_tokens", creation.five_minutes.into()),
            ("ephemeral_1h_input_tokens", creation.one_hour.into()),
        ];
        ("cache_creation", Value::Object(lifetimes))
    }));
    Value::Object(members)
}
