//! How long an answer gets, where it stops and how it is drawn.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>

use std::borrow::Cow;

use gateway::Error;

use crate::converse::request::Degraded;
use crate::converse::{Fields, InferenceConfig, Json};
use crate::model::{Family, Model, Sampling};
use crate::openai::ChatRequest;

/// The highest `temperature` Bedrock takes; OpenAI's go up to 2.
const HOTTEST: f64 = 1.0;

/// What `request` asks of `model`, as far as that takes it. Levels are advice, but where an answer
/// stops is not.
///
/// # Errors
/// A client's error for stop sequences that the model does not take.
pub(crate) fn config<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
    degraded: Degraded,
) -> Result<InferenceConfig<'a>, Error> {
    let takes_any = model.abilities.sampling != Sampling::No && !degraded.sampling;
    let temperature = request.temperature.filter(|_| takes_any).map(|given| given.min(HOTTEST));
    let takes_both = model.abilities.sampling == Sampling::Both && !degraded.top_p;
    let takes_top_p = takes_any && (takes_both || temperature.is_none());
    let least = model.abilities.min_tokens;
    Ok(InferenceConfig {
        max_tokens: request.max_tokens.map(|given| given.max(least)),
        temperature,
        top_p: request.top_p.filter(|_| takes_top_p),
        stop_sequences: stop_sequences(request, model, degraded)?,
    })
}

/// Empty sequences mean nothing, and Bedrock refuses them.
fn stop_sequences<'a>(
    request: &'a ChatRequest<'a>,
    model: &Model,
    degraded: Degraded,
) -> Result<Vec<Cow<'a, str>>, Error> {
    let given = request.stop.iter().filter(|text| !text.is_empty());
    let sequences: Vec<_> = given.map(|text| Cow::Borrowed(&**text)).collect();
    if degraded.stop_sequences || sequences.is_empty() {
        return Ok(Vec::new());
    }
    if !model.abilities.stop_sequences {
        return Err(Error::unsupported("stop", "this model takes no stop sequences: send none"));
    }
    Ok(sequences)
}

/// Adds `top_k`, which is each family's own parameter where it is one.
pub(crate) fn set_top_k(
    request: &ChatRequest<'_>,
    model: &Model,
    degraded: Degraded,
    fields: &mut Fields<'_>,
) {
    let Some(top_k) = request.top_k else { return };
    if model.abilities.sampling == Sampling::No || degraded.sampling {
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
    use crate::converse::sample;

    /// The configuration for a request with `members`, or the error's `param`.
    fn configured(members: &Value, model: &Model, degraded: Degraded) -> Result<Value, String> {
        let mut body = json!({"model": "m", "messages": []});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let body = body.to_string();
        let request = ChatRequest::parse(body.as_bytes()).unwrap();
        match config(&request, model, degraded) {
            Ok(config) => Ok(serde_json::to_value(config).unwrap()),
            Err(error) => Err(error.param().unwrap().to_owned()),
        }
    }

    #[test]
    fn levels_are_what_the_model_takes() {
        let none = Degraded::default();
        let both = json!({"temperature": 0.5, "top_p": 0.9});
        let no_sampling = Degraded { sampling: true, ..none };
        let no_top_p = Degraded { top_p: true, ..none };
        for (members, sampling, degraded, expected) in [
            (json!({}), Sampling::Both, none, json!({})),
            (both.clone(), Sampling::Both, none, json!({"temperature": 0.5, "topP": 0.9})),
            (both.clone(), Sampling::One, none, json!({"temperature": 0.5})),
            (both.clone(), Sampling::No, none, json!({})),
            (both.clone(), Sampling::Both, no_sampling, json!({})),
            (both, Sampling::Both, no_top_p, json!({"temperature": 0.5})),
            (json!({"top_p": 0.9}), Sampling::One, none, json!({"topP": 0.9})),
            (json!({"top_p": 0.9}), Sampling::Both, no_top_p, json!({"topP": 0.9})),
            (json!({"temperature": 1.7}), Sampling::Both, none, json!({"temperature": 1.0})),
            (json!({"temperature": 0}), Sampling::Both, none, json!({"temperature": 0.0})),
        ] {
            let mut model = sample::model(Family::Claude);
            model.abilities.sampling = sampling;
            let found = configured(&members, &model, degraded);
            assert_eq!(found, Ok(expected), "{members} {sampling:?} {degraded:?}");
        }
    }

    #[test]
    fn lengths_are_at_least_the_models_least() {
        let mut model = sample::model(Family::OpenAi);
        model.abilities.min_tokens = 16;
        for (given, expected) in [(1, 16), (16, 16), (100, 100)] {
            let found = configured(&json!({"max_tokens": given}), &model, Degraded::default());
            assert_eq!(found, Ok(json!({"maxTokens": expected})), "{given}");
        }
    }

    #[test]
    fn stop_sequences_are_never_left_out_at_first() {
        let mut model = sample::model(Family::Claude);
        let none = Degraded::default();
        for (stop, expected) in [
            (json!("x"), json!({"stopSequences": ["x"]})),
            (json!(["a", "", "\n"]), json!({"stopSequences": ["a", "\n"]})),
            (json!([""]), json!({})),
            (json!(null), json!({})),
        ] {
            assert_eq!(configured(&json!({"stop": stop}), &model, none), Ok(expected), "{stop}");
        }
        model.abilities.stop_sequences = false;
        let stop = json!({"stop": "x"});
        assert_eq!(configured(&stop, &model, none), Err("stop".to_owned()));
        assert_eq!(configured(&json!({"stop": ""}), &model, none), Ok(json!({})));
        let degraded = Degraded { stop_sequences: true, ..none };
        assert_eq!(configured(&stop, &model, degraded), Ok(json!({})));
    }

    #[test]
    fn top_k_is_each_familys_own() {
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
            set_top_k(&request, &model, Degraded::default(), &mut fields);
            assert_eq!(serde_json::to_value(&fields).unwrap(), expected, "{family:?}");
            model.abilities.sampling = Sampling::No;
            let mut fields = Fields::default();
            set_top_k(&request, &model, Degraded::default(), &mut fields);
            assert!(fields.is_empty(), "{family:?}");
        }
    }
}
