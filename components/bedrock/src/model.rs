//! Which model is meant, and what it can do.

mod aliases;
mod table;

pub(crate) use self::aliases::Aliases;
pub(crate) use self::table::listed;

/// A model: its Bedrock id and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    /// A model id, an inference profile's id or an ARN, as it stands in the URL before encoding.
    pub(crate) id: String,
    pub(crate) family: Family,
    pub(crate) abilities: Abilities,
}

/// Who made a model, as far as its requests differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Family {
    Claude,
    Nova,
    Titan,
    Llama,
    Mistral,
    Cohere,
    DeepSeek,
    OpenAi,
    Qwen,
    #[default]
    Other,
}

/// What a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a row of the table of models")]
pub(crate) struct Abilities {
    pub(crate) tool_choice: Choices,
    /// `toolChoice` that forces a call.
    pub(crate) forced_tool: bool,
    /// `disable_parallel_tool_use`.
    pub(crate) parallel_tool_config: bool,
    /// `outputConfig.textFormat`.
    pub(crate) structured_output: bool,
    /// `toolSpec.strict`.
    pub(crate) strict_tools: bool,
    pub(crate) reasoning: Reasoning,
    /// The highest `reasoning_effort`.
    pub(crate) max_effort: Effort,
    pub(crate) sampling: Sampling,
    pub(crate) stop_sequences: bool,
    /// A conversation that ends with the assistant's words.
    pub(crate) prefill: bool,
    pub(crate) caching: bool,
    /// Cache points that last an hour.
    pub(crate) caches_long: bool,
    /// Cache points among the tools.
    pub(crate) caches_tools: bool,
    /// Images in a tool's result.
    pub(crate) tool_result_images: bool,
    /// Tool calls in a stream.
    pub(crate) streams_tools: bool,
    /// The least `maxTokens`.
    pub(crate) min_tokens: u64,
}

/// The values of `toolChoice` a model takes beside none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) any: bool,
    pub(crate) tool: bool,
}

/// How a model is asked to reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reasoning {
    /// Not at all.
    No,
    /// `thinking` with a budget of tokens.
    Budget,
    /// `thinking` as the model sees fit, and an effort.
    Adaptive,
    /// Nova's `reasoningConfig`.
    Nova,
    /// A flat `reasoning_effort`.
    Flat,
    /// `reasoning: {effort}`.
    Nested,
}

/// A `reasoning_effort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

/// Which of `temperature` and `top_p` a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    Both,
    /// Only one of them in a request.
    One,
    No,
}

impl Model {
    /// What is known of the model `id`.
    pub(crate) fn of(id: &str) -> Self {
        let known = revealed(id).and_then(table::find);
        let (family, abilities) = known.unwrap_or((Family::Other, Abilities::UNKNOWN));
        Self { id: id.to_owned(), family, abilities }
    }
}

/// The id of the model that `id` names without saying where it runs: an id without the region of
/// an inference profile, or the one at the end of an ARN. Nothing if the ARN hides it.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>
pub(crate) fn revealed(id: &str) -> Option<&str> {
    let Some(arn) = id.strip_prefix("arn:") else {
        return Some(without_region(id));
    };
    let (kind, name) = arn.splitn(5, ':').nth(4)?.split_once('/')?;
    matches!(kind, "foundation-model" | "inference-profile").then(|| without_region(name))
}

/// There are more regions every year, so the makers tell where the region ends.
fn without_region(id: &str) -> &str {
    match id.split_once('.') {
        Some((_, rest)) if !table::names_maker_of(id) && table::names_maker_of(rest) => rest,
        _ => id,
    }
}

impl Abilities {
    /// Of a model nobody knows: what a client asks for goes out, and Bedrock judges it. Where the
    /// same can be had in two ways, it is had in the one that more models know.
    pub(crate) const UNKNOWN: Self = Self {
        tool_choice: Choices { any: true, tool: true },
        forced_tool: true,
        parallel_tool_config: false,
        structured_output: false,
        strict_tools: false,
        reasoning: Reasoning::No,
        max_effort: Effort::High,
        sampling: Sampling::Both,
        stop_sequences: true,
        prefill: true,
        caching: true,
        caches_long: false,
        caches_tools: false,
        tool_result_images: true,
        streams_tools: true,
        min_tokens: 1,
    };
}

#[cfg(test)]
mod tests;
