//! A model for tests, made by hand so that they do not depend on the table of models.

use crate::model::{Abilities, Choices, Effort, Family, Model, Reasoning, Sampling};

/// A model of `family` that can do everything.
pub(crate) fn model(family: Family) -> Model {
    let abilities = Abilities {
        tool_choice: Choices { any: true, tool: true },
        forced_tool: true,
        parallel_tool_config: true,
        structured_output: true,
        strict_tools: true,
        reasoning: Reasoning::No,
        max_effort: Effort::High,
        sampling: Sampling::Both,
        stop_sequences: true,
        prefill: true,
        caching: true,
        caches_long: true,
        caches_tools: true,
        tool_result_images: true,
        streams_tools: true,
        min_tokens: 1,
    };
    Model { id: "sample".to_owned(), family, abilities }
}
