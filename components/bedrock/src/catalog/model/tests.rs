//! Spot checks of the table, by the ids that requests use.

use super::*;
use crate::catalog::capabilities::{Choices, Effort, Reasoning, Sampling, Unreasoned};

const ALL: Choices = Choices { any: true, tool: true };
const ANY: Choices = Choices { any: true, tool: false };
const NONE: Choices = Choices { any: false, tool: false };

/// Ids of every vendor and age, including ids without a row of their own.
const IDS: &str = "
    other ai21.j2-mid-v1 ai21.jamba-1-5-large-v1:0 ai21.jamba-instruct-v1:0
    nova amazon.nova-2-lite-v1:0 amazon.nova-2-pro-preview-20251202-v1:0 amazon.nova-lite-v1:0
    nova amazon.nova-micro-v1:0 amazon.nova-premier-v1:0 amazon.nova-pro-v1:0
    nova amazon.nova-2-multimodal-embeddings-v1:0
    titan amazon.titan-text-express-v1 amazon.titan-text-lite-v1 amazon.titan-text-premier-v1:0
    titan amazon.titan-embed-text-v2:0
    claude anthropic.claude-3-5-haiku-20241022-v1:0 anthropic.claude-3-5-sonnet-20240620-v1:0
    claude anthropic.claude-3-5-sonnet-20241022-v2:0 anthropic.claude-3-7-sonnet-20240620-v1:0
    claude anthropic.claude-3-7-sonnet-20250219-v1:0 anthropic.claude-3-opus-20240229-v1:0
    claude anthropic.claude-fable-5 anthropic.claude-fable-5-1 anthropic.claude-haiku-4-5@20251001
    claude anthropic.claude-haiku-4-5-20251001-v1:0 anthropic.claude-haiku-5-5
    claude anthropic.claude-instant-v1 anthropic.claude-mythos-5-1 anthropic.claude-mythos-preview
    claude anthropic.claude-opus-4-1-20250805-v1:0 anthropic.claude-opus-4-20250514-v1:0
    claude anthropic.claude-opus-4-5-20251101-v1:0 anthropic.claude-opus-4-6-v1
    claude anthropic.claude-opus-4-7 anthropic.claude-opus-4-8 anthropic.claude-opus-5
    claude anthropic.claude-opus-5-5 anthropic.claude-sonnet-4-20250514-v1:0
    claude anthropic.claude-sonnet-4-5-20250929-v1:0 anthropic.claude-sonnet-4-6
    claude anthropic.claude-sonnet-5 anthropic.claude-sonnet-5-5 anthropic.claude-v1
    claude anthropic.claude-v2:1
    cohere cohere.command-light-text-v14 cohere.command-text-v14 cohere.embed-v4:0
    deepseek deepseek.r1-v1:0 deepseek.v3-v1:0 deepseek.v3.2
    other google.gemma-3-12b-it google.gemma-3-27b-it google.gemma-3-4b-it
    llama meta.llama2-13b-chat-v1 meta.llama2-70b-chat-v1 meta.llama3-1-405b-instruct-v1:0
    llama meta.llama3-2-90b-instruct-v1:0 meta.llama3-3-70b-instruct-v1:0
    llama meta.llama3-8b-instruct-v1:0 meta.llama4-scout-17b-instruct-v1:0
    other minimax.minimax-m2 minimax.minimax-m2.1 minimax.minimax-m2.5
    mistral mistral.devstral-2-123b mistral.magistral-small-2509
    mistral mistral.ministral-3-14b-instruct mistral.mistral-7b-instruct-v0:2
    mistral mistral.mistral-large-2402-v1:0 mistral.mistral-large-3-675b-instruct
    mistral mistral.mixtral-8x7b-instruct-v0:1 mistral.pixtral-large-2502-v1:0
    mistral mistral.voxtral-mini-3b-2507 mistral.voxtral-small-24b-2507
    other moonshot.kimi-k2-thinking moonshotai.kimi-k2.5 moonshotai.kimi-k3
    other nvidia.nemotron-nano-12b-v2 nvidia.nemotron-nano-3-30b nvidia.nemotron-super-3-120b
    openai openai.gpt-6-luna openai.gpt-6-sol openai.gpt-oss-120b-1:0 openai.gpt-oss-20b-1:0
    openai openai.gpt-oss-safeguard-120b openai.gpt-5.6-x
    qwen qwen.qwen3-235b-a22b-2507-v1:0 qwen.qwen3-32b-v1:0 qwen.qwen3-coder-next
    qwen qwen.qwen3-next-80b-a3b qwen.qwen3-vl-235b-a22b
    other twelvelabs.pegasus-1-2-v1:0 writer.palmyra-x4-v1:0 xai.grok-4.3
    other zai.glm-4.7 zai.glm-4.7-flash zai.glm-5 tomorrow.model-1
";

fn capabilities(id: &str) -> Capabilities {
    Model::of(id).capabilities
}

/// Asserts that several ids have the capability `expected` in common.
#[track_caller]
fn assert_all<T: PartialEq + std::fmt::Debug>(
    pick: impl Fn(Capabilities) -> T,
    cases: &[(T, &str)],
) {
    for (expected, ids) in cases {
        for id in ids.split_whitespace() {
            assert_eq!(pick(capabilities(id)), *expected, "{id}");
        }
    }
}

#[test]
fn of_an_id_finds_its_family_in_any_region() {
    for line in IDS.lines().filter(|line| !line.trim().is_empty()) {
        let (family, ids) = line.trim().split_once(' ').unwrap();
        for id in ids.split_whitespace() {
            let plain = Model::of(id);
            assert_eq!(format!("{:?}", plain.family).to_lowercase(), family, "{id}");
            for region in ["us", "eu", "apac", "jp", "au", "in", "us-gov", "global", "mx"] {
                let model = Model::of(&format!("{region}.{id}"));
                let expected = (plain.family, plain.capabilities);
                assert_eq!((model.family, model.capabilities), expected, "{region}.{id}");
            }
        }
    }
}

#[test]
fn base_model_id_of_an_arn_is_its_model_or_none() {
    for (id, expected) in [
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", Family::Nova),
        (
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-opus-5",
            Family::Claude,
        ),
        (
            "arn:aws-us-gov:bedrock:us-gov-west-1:1:inference-profile/us-gov.meta.llama3",
            Family::Llama,
        ),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", Family::Other),
        ("arn:aws:bedrock:us-east-1:1:provisioned-model/abc", Family::Other),
        ("arn:aws:bedrock:us-east-1:1:custom-model/amazon.nova-pro-v1:0/abc", Family::Other),
        ("arn:aws:bedrock:us-east-1:1:prompt/abc:1", Family::Other),
        ("arn:aws:sagemaker:us-east-1:1:endpoint/abc", Family::Other),
        ("arn:", Family::Other),
    ] {
        let model = Model::of(id);
        assert_eq!((model.family, model.id.as_str()), (expected, id));
    }
    assert_eq!(capabilities("arn:aws:bedrock:x:1:prompt/abc"), Capabilities::UNKNOWN);
}

#[test]
fn of_each_model_has_its_tool_choices() {
    assert_all(
        |capabilities| capabilities.tool_choice,
        &[
            (ALL, "anthropic.claude-3-opus-20240229-v1:0 anthropic.claude-opus-5 deepseek.v3.2"),
            (ALL, "amazon.nova-pro-v1:0 amazon.nova-2-lite-v1:0 tomorrow.model"),
            (ANY, "mistral.mistral-large-2407-v1:0 deepseek.v3-v1:0 qwen.qwen3-32b-v1:0 zai.glm-5"),
            (ANY, "openai.gpt-oss-20b-1:0 moonshotai.kimi-k3 minimax.minimax-m2.1"),
            (NONE, "meta.llama4-scout-17b-instruct-v1:0 meta.llama3-3-70b-instruct-v1:0"),
            (NONE, "deepseek.r1-v1:0 mistral.pixtral-large-2502-v1:0 amazon.titan-text-lite-v1"),
        ],
    );
    assert_all(
        |capabilities| capabilities.forced_tool,
        &[
            (false, "anthropic.claude-opus-5-5 anthropic.claude-sonnet-5-5 meta.llama3-8b"),
            (false, "anthropic.claude-fable-5-1"),
            (true, "anthropic.claude-opus-5 anthropic.claude-sonnet-5 anthropic.claude-fable-5"),
            (true, "anthropic.claude-haiku-5-5 amazon.nova-lite-v1:0 zai.glm-5"),
        ],
    );
    assert_all(
        |capabilities| capabilities.parallel_tool_config,
        &[
            (true, "anthropic.claude-haiku-4-5-20251001-v1:0 anthropic.claude-opus-4-6-v1"),
            (true, "anthropic.claude-opus-6 anthropic.claude-sonnet-4-5-20250929-v1:0"),
            (false, "anthropic.claude-opus-4-1-20250805-v1:0 anthropic.claude-3-7-sonnet-x"),
            (false, "anthropic.claude-sonnet-4-20250514-v1:0 amazon.nova-pro-v1:0"),
        ],
    );
}

#[test]
fn of_a_model_without_known_grammars_has_none() {
    assert_all(
        |capabilities| (capabilities.structured_output, capabilities.strict_tools),
        &[
            ((true, true), "anthropic.claude-opus-4-6-v1 anthropic.claude-mythos-5-1 zai.glm-5"),
            ((true, true), "deepseek.v3-v1:0 minimax.minimax-m2 mistral.ministral-3-3b-instruct"),
            ((true, true), "qwen.qwen3-next-80b-a3b nvidia.nemotron-nano-3-30b"),
            ((false, false), "anthropic.claude-opus-4-7 anthropic.claude-opus-4-8 tomorrow.model"),
            ((false, false), "anthropic.claude-sonnet-5-5 anthropic.claude-opus-4-1-20250805-v1:0"),
            ((false, false), "minimax.minimax-m2.1 qwen.qwen3-coder-next amazon.nova-pro-v1:0"),
        ],
    );
}

#[test]
fn of_each_model_has_its_way_to_reason() {
    assert_all(
        |capabilities| (capabilities.reasoning, capabilities.efforts.last().copied().unwrap()),
        &[
            ((Reasoning::No, Effort::High), "anthropic.claude-3-5-sonnet-20241022-v2:0"),
            ((Reasoning::No, Effort::High), "deepseek.r1-v1:0 meta.llama3-8b qwen.qwen3-32b-v1:0"),
            ((Reasoning::No, Effort::High), "amazon.nova-pro-v1:0 tomorrow.model"),
            ((Reasoning::Budget, Effort::High), "anthropic.claude-3-7-sonnet-20250219-v1:0"),
            ((Reasoning::Budget, Effort::High), "anthropic.claude-opus-4-20250514-v1:0"),
            ((Reasoning::Budget, Effort::High), "anthropic.claude-opus-4-5-20251101-v1:0"),
            ((Reasoning::Adaptive, Effort::Max), "anthropic.claude-opus-4-6-v1"),
            (
                (Reasoning::Summarized, Effort::High),
                "anthropic.claude-opus-4-9 anthropic.claude-x-7",
            ),
            ((Reasoning::Summarized, Effort::Max), "anthropic.claude-opus-4-7"),
            ((Reasoning::Summarized, Effort::Max), "anthropic.claude-sonnet-5-5"),
            ((Reasoning::Nova, Effort::High), "amazon.nova-2-lite-v1:0"),
            ((Reasoning::Flat, Effort::High), "openai.gpt-oss-120b-1:0 deepseek.v3.2"),
            ((Reasoning::Nested, Effort::High), "openai.gpt-5.6-x"),
            ((Reasoning::Nested, Effort::Max), "openai.gpt-6-sol"),
        ],
    );
    assert_all(
        |capabilities| capabilities.unreasoned,
        &[
            (Unreasoned::Omit, "anthropic.claude-opus-4-6-v1 anthropic.claude-opus-4-8"),
            (Unreasoned::Omit, "anthropic.claude-haiku-4-5-x deepseek.v3.2 amazon.nova-2-lite"),
            (Unreasoned::Disabled, "us.anthropic.claude-opus-5"),
            (Unreasoned::Lowest, "anthropic.claude-opus-5-5 anthropic.claude-mythos-5-1"),
            (Unreasoned::Lowest, "anthropic.claude-sonnet-5 anthropic.claude-x-9"),
            (Unreasoned::Lowest, "anthropic.claude-mythos-preview openai.gpt-oss-120b-1:0"),
        ],
    );
}

#[test]
fn of_each_model_has_its_sampling_stops_and_prefill() {
    assert_all(
        |capabilities| capabilities.sampling,
        &[
            (
                Sampling::No,
                "anthropic.claude-opus-4-7 anthropic.claude-haiku-5-5 openai.gpt-6-luna",
            ),
            (Sampling::One, "anthropic.claude-opus-4-5-x anthropic.claude-sonnet-4-6"),
            (
                Sampling::Both,
                "anthropic.claude-3-opus-x anthropic.claude-opus-4-1 openai.gpt-oss-20b",
            ),
        ],
    );
    assert_all(
        |capabilities| capabilities.stop_sequences,
        &[
            (false, "qwen.qwen3-32b-v1:0 zai.glm-4.7-flash xai.grok-4 openai.gpt-5.6-x"),
            (false, "openai.gpt-6-sol"),
            (true, "openai.gpt-5.5 openai.gpt-oss-20b-1:0 anthropic.claude-opus-5"),
        ],
    );
    assert_all(
        |capabilities| capabilities.prefill,
        &[
            (false, "anthropic.claude-opus-4-6-v1 anthropic.claude-fable-5-1"),
            (true, "anthropic.claude-opus-4-5-20251101-v1:0 amazon.nova-pro-v1:0"),
        ],
    );
}

#[test]
fn of_each_model_has_its_caches_images_streams_and_minimum() {
    assert_all(
        |capabilities| (capabilities.caching, capabilities.caches_tools),
        &[
            ((true, true), "anthropic.claude-3-5-haiku-20241022-v1:0 anthropic.claude-opus-5"),
            ((false, false), "anthropic.claude-3-5-sonnet-20240620-v1:0 openai.gpt-6-sol"),
            ((false, false), "meta.llama3-8b mistral.mistral-large-2402-v1:0 zai.glm-5"),
            ((true, false), "amazon.nova-pro-v1:0 moonshotai.kimi-k3"),
        ],
    );
    assert_all(
        |capabilities| capabilities.tool_result_images,
        &[(false, "openai.gpt-6-sol openai.gpt-oss-20b-1:0"), (true, "anthropic.claude-opus-5")],
    );
    assert_all(
        |capabilities| capabilities.streams_tools,
        &[
            (false, "meta.llama3-3-70b-instruct-v1:0 mistral.mistral-large-2402-v1:0"),
            (true, "anthropic.claude-opus-5 amazon.nova-pro-v1:0 qwen.qwen3-32b-v1:0"),
        ],
    );
    assert_all(
        |capabilities| capabilities.min_tokens,
        &[
            (16, "openai.gpt-5.6-x openai.gpt-6-sol xai.grok-4 moonshotai.kimi-k3"),
            (1, "openai.gpt-oss-20b-1:0 anthropic.claude-opus-5 moonshotai.kimi-k2.5"),
        ],
    );
}
