//! The usage that a response reports, in each of the forms that providers have.

use crate::http::json::Members;
use crate::usage::Usage;

/// The parts of a report, of which a stream may send some later than others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    input: Option<i64>,
    output: Option<i64>,
    cached: Option<i64>,
    cache_write: Option<i64>,
    reasoning: Option<i64>,
}

/// The numbers of one object.
struct Numbers<'a>(Members<'a>);

impl Numbers<'_> {
    /// Returns the member `name` as a number of tokens.
    fn get(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.get().parse().ok().filter(|tokens| *tokens >= 0)
    }

    /// Returns the member `name` of the object `within`.
    fn get_in(&self, within: &str, name: &str) -> Option<i64> {
        let inner = serde_json::from_str(self.0.get(within)?.get()).ok()?;
        Numbers(inner).get(name)
    }
}

impl Report {
    /// Takes the object `json`, which a response reports as its usage. What it says replaces what an
    /// earlier one said: streams count up.
    pub fn merge(&mut self, json: &[u8]) {
        let Ok(members) = crate::http::json::from_bytes(json) else { return };
        let later = Self::read(&Numbers(members));
        for (part, later) in [
            (&mut self.input, later.input),
            (&mut self.output, later.output),
            (&mut self.cached, later.cached),
            (&mut self.cache_write, later.cache_write),
            (&mut self.reasoning, later.reasoning),
        ] {
            *part = later.or(*part);
        }
    }

    /// Reads the form that the object has.
    fn read(numbers: &Numbers<'_>) -> Self {
        if numbers.get("promptTokenCount").is_some() {
            return Self::gemini(numbers);
        }
        if numbers.get("prompt_tokens").is_some() {
            return Self::chat(numbers);
        }
        if numbers.get("total_input_tokens").is_some() {
            return Self::interaction(numbers);
        }
        if numbers.0.get("input_tokens_details").is_some() {
            return Self::responses(numbers);
        }
        Self::messages(numbers)
    }

    /// Reads the usage of OpenAI's chat completions and embeddings.
    /// <https://platform.openai.com/docs/api-reference/chat/object#chat-object-usage>
    fn chat(numbers: &Numbers<'_>) -> Self {
        let (prompt, completion) = (numbers.get("prompt_tokens"), numbers.get("completion_tokens"));
        // Google leaves thoughts out of the completion, but not out of the total.
        let rest = numbers.get("total_tokens").zip(prompt).map(|(total, prompt)| total - prompt);
        let output = completion.max(rest.filter(|rest| *rest > 0));
        Self {
            input: prompt,
            output,
            cached: numbers.get_in("prompt_tokens_details", "cached_tokens"),
            // Bedrock's, in the form that this gateway gives it.
            cache_write: numbers.get("cache_creation_input_tokens"),
            reasoning: numbers.get_in("completion_tokens_details", "reasoning_tokens"),
        }
    }

    /// Reads the usage of OpenAI's responses.
    /// <https://platform.openai.com/docs/api-reference/responses/object#responses-object-usage>
    fn responses(numbers: &Numbers<'_>) -> Self {
        Self {
            input: numbers.get("input_tokens"),
            output: numbers.get("output_tokens"),
            cached: numbers.get_in("input_tokens_details", "cached_tokens"),
            // Bedrock's, in the form that this gateway gives it: a part of the input.
            cache_write: numbers.get("cache_creation_input_tokens"),
            reasoning: numbers.get_in("output_tokens_details", "reasoning_tokens"),
        }
    }

    /// Reads the usage of Anthropic's messages, which count cached tokens apart from the input, and of OpenAI's
    /// transcriptions, which have none.
    /// <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#tracking-cache-performance>
    fn messages(numbers: &Numbers<'_>) -> Self {
        let (read, written) =
            (numbers.get("cache_read_input_tokens"), numbers.get("cache_creation_input_tokens"));
        let input = numbers.get("input_tokens").map(|input| {
            input.saturating_add(read.unwrap_or(0)).saturating_add(written.unwrap_or(0))
        });
        Self {
            input,
            output: numbers.get("output_tokens"),
            cached: read,
            cache_write: written,
            reasoning: numbers
                .get_in("output_tokens_details", "thinking_tokens")
                .or_else(|| numbers.get_in("output_tokens_details", "reasoning_tokens")),
        }
    }

    /// Reads the usage of Gemini, whose thoughts are not a part of the output.
    /// <https://ai.google.dev/api/generate-content#UsageMetadata>
    fn gemini(numbers: &Numbers<'_>) -> Self {
        let (answer, thoughts) =
            (numbers.get("candidatesTokenCount"), numbers.get("thoughtsTokenCount"));
        let output = answer.unwrap_or(0).saturating_add(thoughts.unwrap_or(0));
        let tools = numbers.get("toolUsePromptTokenCount").unwrap_or(0);
        Self {
            input: numbers.get("promptTokenCount").map(|input| input.saturating_add(tools)),
            output: answer.or(thoughts).map(|_| output),
            cached: numbers.get("cachedContentTokenCount"),
            cache_write: None,
            reasoning: thoughts,
        }
    }

    /// Reads the usage of Gemini's interactions, which count thoughts and tools apart.
    /// <https://ai.google.dev/api/interactions-api>
    fn interaction(numbers: &Numbers<'_>) -> Self {
        let thoughts = numbers.get("total_thought_tokens");
        let tools = numbers.get("total_tool_use_tokens").unwrap_or(0);
        let output = numbers.get("total_output_tokens");
        Self {
            input: numbers.get("total_input_tokens").map(|input| input.saturating_add(tools)),
            output: output.map(|output| output.saturating_add(thoughts.unwrap_or(0))),
            cached: numbers.get("total_cached_tokens"),
            cache_write: None,
            reasoning: thoughts,
        }
    }

    /// Returns the input tokens, if they are reported.
    pub fn input(&self) -> Option<i64> {
        self.input
    }

    /// Returns the output tokens, if they are reported so far.
    pub fn output(&self) -> Option<i64> {
        self.output
    }

    /// Returns the usage with `input` and `output` in place of what is not reported.
    pub fn or(&self, input: i64, output: i64) -> Usage {
        Usage {
            input: self.input.unwrap_or(input),
            output: self.output.unwrap_or(output),
            cached: self.cached.unwrap_or(0),
            cache_write: self.cache_write.unwrap_or(0),
            reasoning: self.reasoning.unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(reports: &[&str]) -> Usage {
        let mut report = Report::default();
        for json in reports {
            report.merge(json.as_bytes());
        }
        report.or(-1, -1)
    }

    #[test]
    fn merge_reads_every_form() {
        for (reports, [input, output, cached, cache_write, reasoning]) in [
            (
                &[r#"{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}"#][..],
                [9, 12, 0, 0, 0],
            ),
            (
                &[
                    r#"{"prompt_tokens":9,"completion_tokens":12,"prompt_tokens_details":{"cached_tokens":5},"completion_tokens_details":{"reasoning_tokens":3},"cache_creation_input_tokens":2}"#,
                ],
                [9, 12, 5, 2, 3],
            ),
            (&[r#"{"prompt_tokens":5,"total_tokens":5}"#], [5, -1, 0, 0, 0]),
            (
                &[r#"{"prompt_tokens":9,"completion_tokens":1,"total_tokens":103}"#],
                [9, 94, 0, 0, 0],
            ),
            (
                &[
                    r#"{"total_input_tokens":90,"total_output_tokens":7,"total_thought_tokens":9,"total_tool_use_tokens":1,"total_cached_tokens":4}"#,
                ],
                [91, 16, 4, 0, 9],
            ),
            (
                &[
                    r#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":7}}"#,
                ],
                [9, 12, 4, 0, 7],
            ),
            (
                &[
                    r#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":12,"cache_creation_input_tokens":5}"#,
                ],
                [9, 12, 4, 5, 0],
            ),
            (
                &[
                    r#"{"input_tokens":10,"cache_read_input_tokens":200,"cache_creation_input_tokens":30,"output_tokens":1}"#,
                    r#"{"output_tokens":12}"#,
                ],
                [240, 12, 200, 30, 0],
            ),
            (
                &[
                    r#"{"input_tokens":1,"output_tokens":12,"output_tokens_details":{"thinking_tokens":7}}"#,
                ],
                [1, 12, 0, 0, 7],
            ),
            (
                &[
                    r#"{"promptTokenCount":8,"totalTokenCount":8}"#,
                    r#"{"promptTokenCount":8,"candidatesTokenCount":5,"thoughtsTokenCount":7,"cachedContentTokenCount":3,"toolUsePromptTokenCount":2}"#,
                ],
                [10, 12, 3, 0, 7],
            ),
            (&[r#"{"type":"duration","seconds":3}"#], [-1, -1, 0, 0, 0]),
            (&[r#"{"prompt_tokens":-9}"#, "{", "[]", "null"], [-1, -1, 0, 0, 0]),
        ] {
            let expected = Usage { input, output, cached, cache_write, reasoning };
            assert_eq!(merged(reports), expected, "{reports:?}");
        }
    }
}
