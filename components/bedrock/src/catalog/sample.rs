//! A model for tests that does not depend on the table of models.

use crate::catalog::capabilities::{
    Capabilities, Choices, Family, Reasoning, Sampling, UP_TO_HIGH, Unreasoned,
};
use crate::catalog::model::Model;

/// Creates a model of `family` that supports everything.
pub(crate) fn model(family: Family) -> Model {
    let capabilities = Capabilities {
        tool_choice: Choices { any: true, tool: true },
        forced_tool: true,
        parallel_tool_config: true,
        structured_output: true,
        strict_tools: true,
        reasoning: Reasoning::No,
        unreasoned: Unreasoned::Omit,
        efforts: &UP_TO_HIGH,
        sampling: Sampling::Both,
        top_k: true,
        stop_sequences: true,
        prefill: true,
        caching: true,
        caches_long: true,
        caches_tools: true,
        tool_result_images: true,
        streams_tools: true,
        min_tokens: 1,
        max_tokens: None,
        system_prompt: true,
        mixed_turns: true,
        narrow_schemas: false,
    };
    Model { id: "sample".to_owned(), family, capabilities }
}
