//! The AI Gateway's compat endpoint, which serves many providers and takes theirs with the model.

/// What compat calls this provider: <https://developers.cloudflare.com/ai-gateway/usage/chat-completion/>
const PREFIX: &str = "google-ai-studio/";

/// A route of the AI Gateway's own, which compat takes in place of a model.
pub(crate) const DYNAMIC: &str = "dynamic/";

/// A model's own name, whatever a client put before it.
pub(crate) fn bare(model: &str) -> &str {
    let model = model.strip_prefix(PREFIX).unwrap_or(model);
    model.strip_prefix("models/").unwrap_or(model)
}

/// The name compat takes: with the prefix once, whatever the client wrote.
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
            ("dynamic/cheap", "dynamic/cheap"),
        ] {
            assert_eq!(model_name(model), expected);
        }
    }
}
