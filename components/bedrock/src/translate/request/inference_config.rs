//! The length of the response, its stop sequences and its sampling.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>

use std::borrow::Cow;

use gateway::Error;

use crate::catalog::capabilities::{Family, Sampling};
use crate::catalog::model::Model;
use crate::converse::request::{Fields, InferenceConfig, Json};
use crate::openai::request::ChatRequest;
use crate::translate::fallback::Fallback;

/// The highest `temperature` that Bedrock accepts; OpenAI accepts up to 2.
const MAX_TEMPERATURE: f64 = 1.0;

/// Returns the parameters of `request` that `model` accepts. Sampling is a hint and may be left
/// out; stop sequences are binding and may not.
///
/// # Errors
/// A client error for stop sequences that the model does not support.
pub(crate) fn config<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
    fallback: Fallback,
) -> Result<InferenceConfig<'a>, Error> {
    let takes_any = model.capabilities.sampling != Sampling::No;
    let temperature =
        request.temperature.filter(|_| takes_any).map(|given| given.min(MAX_TEMPERATURE));
    let takes_both = model.capabilities.sampling == Sampling::Both;
    let takes_top_p = takes_any && (takes_both || temperature.is_none());
    let least = model.capabilities.min_tokens;
    let max_tokens = request.max_tokens.map(|given| given.max(least));
    Ok(InferenceConfig {
        max_tokens: max_tokens.or(model.capabilities.max_tokens),
        temperature,
        top_p: request.top_p.filter(|_| takes_top_p),
        stop_sequences: stop_sequences(request, model, fallback)?,
    })
}

/// Collects the stop sequences without empty ones, which Bedrock rejects.
fn stop_sequences<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
    fallback: Fallback,
) -> Result<Vec<Cow<'a, str>>, Error> {
    let given = request.stop.iter().filter(|text| !text.is_empty());
    let sequences: Vec<_> = given.map(|text| Cow::Borrowed(&**text)).collect();
    if fallback.stop_sequences || sequences.is_empty() {
        return Ok(Vec::new());
    }
    if !model.capabilities.stop_sequences {
        return Err(Error::unsupported(
            "stop",
            "this model does not support stop sequences: omit `stop`",
        ));
    }
    Ok(sequences)
}

/// Adds `top_k`, which has a parameter of its own in each family that supports it.
pub(crate) fn set_top_k(request: &ChatRequest<'_>, model: &Model, fields: &mut Fields<'_>) {
    let Some(top_k) = request.top_k else { return };
    if model.capabilities.sampling == Sampling::No || !model.capabilities.top_k {
        return;
    }
    match model.family {
        Family::Nova => {
            fields.set("inferenceConfig", Json::from_text(format!(r#"{{"topK":{top_k}}}"#)));
        }
        Family::Cohere => fields.set("k", Json::of(&top_k)),
        Family::Llama | Family::Titan => {}
        _ => fields.set("top_k", Json::of(&top_k)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::sample;

    /// Returns the configuration for a request with `members`, or the error's `param`.
    fn configured(members: &Value, model: &Model, fallback: Fallback) -> Result<Value, String> {
        let mut body = json!({"model": "m", "messages": []});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let body = body.to_string();
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        match config(&request, model, fallback) {
            Ok(config) => Ok(serde_json::to_value(config).unwrap()),
            Err(error) => Err(error.param().unwrap().to_owned()),
        }
    }

    #[test]
    fn config_with_sampling_keeps_what_the_model_accepts() {
        let both = json!({"temperature": 0.5, "top_p": 0.9});
        for (members, sampling, expected) in [
            (json!({}), Sampling::Both, json!({})),
            (both.clone(), Sampling::Both, json!({"temperature": 0.5, "topP": 0.9})),
            (both.clone(), Sampling::One, json!({"temperature": 0.5})),
            (both, Sampling::No, json!({})),
            (json!({"top_p": 0.9}), Sampling::One, json!({"topP": 0.9})),
            (json!({"temperature": 1.7}), Sampling::Both, json!({"temperature": 1.0})),
            (json!({"temperature": 0}), Sampling::Both, json!({"temperature": 0.0})),
        ] {
            let mut model = sample::model(Family::Claude);
            model.capabilities.sampling = sampling;
            let found = configured(&members, &model, Fallback::default());
            assert_eq!(found, Ok(expected), "{members} {sampling:?}");
        }
    }

    #[test]
    fn config_without_a_limit_has_that_of_a_model_which_is_cut_earlier() {
        let mut model = sample::model(Family::Claude);
        for (limit, given, expected) in [
            (None, json!({}), json!({})),
            (Some(64_000), json!({}), json!({"maxTokens": 64_000})),
            (Some(64_000), json!({"max_tokens": 5}), json!({"maxTokens": 5})),
        ] {
            model.capabilities.max_tokens = limit;
            let found = configured(&given, &model, Fallback::default());
            assert_eq!(found, Ok(expected), "{given} {limit:?}");
        }
    }

    #[test]
    fn config_with_a_low_limit_is_raised_to_the_minimum() {
        let mut model = sample::model(Family::OpenAi);
        model.capabilities.min_tokens = 16;
        for (given, expected) in [(1, 16), (16, 16), (100, 100)] {
            let found = configured(&json!({"max_tokens": given}), &model, Fallback::default());
            assert_eq!(found, Ok(json!({"maxTokens": expected})), "{given}");
        }
    }

    #[test]
    fn config_with_stop_sequences_leaves_them_out_only_in_a_fallback() {
        let mut model = sample::model(Family::Claude);
        let none = Fallback::default();
        for (stop, expected) in [
            (json!("x"), json!({"stopSequences": ["x"]})),
            (json!(["a", "", "\n"]), json!({"stopSequences": ["a", "\n"]})),
            (json!([""]), json!({})),
            (json!(null), json!({})),
        ] {
            assert_eq!(configured(&json!({"stop": stop}), &model, none), Ok(expected), "{stop}");
        }
        model.capabilities.stop_sequences = false;
        let stop = json!({"stop": "x"});
        assert_eq!(configured(&stop, &model, none), Err("stop".to_owned()));
        assert_eq!(configured(&json!({"stop": ""}), &model, none), Ok(json!({})));
        let fallback = Fallback { stop_sequences: true, ..none };
        assert_eq!(configured(&stop, &model, fallback), Ok(json!({})));
    }

    #[test]
    fn set_top_k_uses_the_parameter_of_the_family() {
        let request = ChatRequest { top_k: Some(5), ..ChatRequest::default() };
        for (family, expected) in [
            (Family::Claude, json!({"top_k": 5})),
            (Family::Nova, json!({"inferenceConfig": {"topK": 5}})),
            (Family::Cohere, json!({"k": 5})),
            (Family::Llama, json!({})),
            (Family::Mistral, json!({"top_k": 5})),
        ] {
            let mut model = sample::model(family);
            let mut fields = Fields::default();
            set_top_k(&request, &model, &mut fields);
            assert_eq!(serde_json::to_value(&fields).unwrap(), expected, "{family:?}");
            model.capabilities.sampling = Sampling::No;
            let mut fields = Fields::default();
            set_top_k(&request, &model, &mut fields);
            assert!(fields.is_empty(), "{family:?}");
        }
    }
}
