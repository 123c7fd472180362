//! The AI Gateway's compat endpoint, which serves many providers and finds the provider in the model's
//! name.

/// The name of this provider at the compat endpoint: <https://developers.cloudflare.com/ai-gateway/usage/chat-completion/>
const PREFIX: &str = "google-ai-studio/";

/// The prefix of the AI Gateway's dynamic routes, which compat accepts in place of a model.
pub(crate) const DYNAMIC: &str = "dynamic/";

/// Strips the prefixes that a client may write before a model's name.
pub(crate) fn bare(model: &str) -> &str {
    let mut bare = model;
    while let Some(rest) = bare.strip_prefix(PREFIX).or_else(|| bare.strip_prefix("models/")) {
        bare = rest;
    }
    bare
}

/// Returns the name that compat expects: with the prefix once, however the client wrote it.
pub(crate) fn model_name(model: &str) -> String {
    if model.starts_with(DYNAMIC) { model.to_owned() } else { format!("{PREFIX}{}", bare(model)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_name_has_the_prefix_once() {
        for (model, expected) in [
            ("gemini-2.5-flash", "google-ai-studio/gemini-2.5-flash"),
            ("models/gemini-2.5-flash", "google-ai-studio/gemini-2.5-flash"),
            ("google-ai-studio/gemini-2.5-flash", "google-ai-studio/gemini-2.5-flash"),
            ("google-ai-studio/models/g", "google-ai-studio/g"),
            ("models/models/google-ai-studio/g", "google-ai-studio/g"),
            ("dynamic/cheap", "dynamic/cheap"),
        ] {
            assert_eq!(model_name(model), expected);
        }
    }
}
