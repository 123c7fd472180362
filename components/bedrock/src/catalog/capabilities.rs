//! The capabilities in which models differ.

/// The family of a model, as far as requests differ by it.
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

/// What a model supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a row of the table of models")]
pub(crate) struct Capabilities {
    /// The values of `toolChoice`.
    pub(crate) tool_choice: Choices,
    /// A `toolChoice` that forces a call.
    pub(crate) forced_tool: bool,
    /// `disable_parallel_tool_use`.
    pub(crate) parallel_tool_config: bool,
    /// `outputConfig.textFormat`.
    pub(crate) structured_output: bool,
    /// `toolSpec.strict`.
    pub(crate) strict_tools: bool,
    pub(crate) reasoning: Reasoning,
    /// What `reasoning_effort: "none"` becomes.
    pub(crate) unreasoned: Unreasoned,
    /// The values of `reasoning_effort`, in ascending order.
    pub(crate) efforts: &'static [Effort],
    pub(crate) sampling: Sampling,
    /// `top_k`, by whatever name the family has for it.
    pub(crate) top_k: bool,
    pub(crate) stop_sequences: bool,
    /// A conversation that ends with an assistant message, which the model continues.
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
    /// The smallest `maxTokens`.
    pub(crate) min_tokens: u64,
    /// The largest `maxTokens`, for models that Bedrock cuts earlier if the request has none.
    pub(crate) max_tokens: Option<u64>,
    /// A system prompt of its own, outside the conversation.
    pub(crate) system_prompt: bool,
    /// Turns that have tool calls or results next to text.
    pub(crate) mixed_turns: bool,
    /// Schemas of tools with three keywords at the top level, and no references.
    pub(crate) narrow_schemas: bool,
}

/// The values of `toolChoice` that a model supports, other than `auto`.
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
    /// `thinking` as far as the model decides, and an effort.
    Adaptive,
    /// The same, and a summary of the thoughts, which the model otherwise omits.
    Summarized,
    /// Nova's `reasoningConfig`.
    Nova,
    /// A flat `reasoning_effort`.
    Flat,
    /// `reasoning: {effort}`.
    Nested,
}

/// How a model is kept from reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreasoned {
    /// It does not reason unless it is asked to.
    Omit,
    /// By `thinking` of the type `disabled`.
    Disabled,
    /// Not at all: the lowest effort is used.
    Lowest,
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

/// The efforts of most models.
pub(crate) const UP_TO_HIGH: [Effort; 3] = [Effort::Low, Effort::Medium, Effort::High];

/// Which of `temperature` and `top_p` a model supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    Both,
    /// Only one of them per request.
    One,
    No,
}

impl Capabilities {
    /// The capabilities of an unknown model: parameters are sent, and Bedrock accepts or rejects
    /// them. Where there are two ways to the same result, the one that more models support is used.
    pub(crate) const UNKNOWN: Self = Self {
        tool_choice: Choices { any: true, tool: true },
        forced_tool: true,
        parallel_tool_config: false,
        structured_output: false,
        strict_tools: false,
        reasoning: Reasoning::No,
        unreasoned: Unreasoned::Omit,
        efforts: &UP_TO_HIGH,
        sampling: Sampling::Both,
        top_k: true,
        stop_sequences: true,
        prefill: true,
        caching: true,
        caches_long: false,
        caches_tools: false,
        tool_result_images: false,
        streams_tools: true,
        min_tokens: 1,
        max_tokens: None,
        system_prompt: true,
        mixed_turns: true,
        narrow_schemas: false,
    };
}
