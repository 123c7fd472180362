//! What is known about a model, in words.

use crate::catalog::model::{Model, base_model_id};
use crate::catalog::table;

/// Describes the model `id`, one fact per line.
pub(crate) fn describe(id: &str) -> String {
    let base = base_model_id(id);
    let source = match base.map(|base| (base, table::find(base))) {
        None => "nothing, because this ARN does not show its model".to_owned(),
        Some((base, None)) => format!("nothing, because no vendor has a model {base}"),
        Some((base, Some(_))) => format!("the rows whose models begin {base}"),
    };
    let Model { family, capabilities, .. } = Model::of(id);
    let capabilities = format!("{capabilities:#?}");
    let lines = capabilities.lines().filter_map(|line| line.strip_prefix("    "));
    let capabilities: String = lines.flat_map(|line| [line.trim_end_matches(','), "\n"]).collect();
    format!("model: {id}\nfacts from: {source}\nfamily: {family:?}\n{capabilities}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describe_says_where_the_facts_come_from() {
        let profile = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";
        for (id, source, fact) in [
            (
                "us.anthropic.claude-opus-4-7",
                "facts from: the rows whose models begin anthropic.claude-opus-4-7\n",
                "reasoning: Summarized\n",
            ),
            ("anthropic.claude-x-9", "begin anthropic.claude-x-9", "max_tokens: Some(\n    64000"),
            ("tomorrow.model", "no vendor has a model tomorrow.model", "family: Other\n"),
            (profile, "this ARN does not show its model", "forced_tool: true\n"),
        ] {
            let found = describe(id);
            assert!(found.contains(source) && found.contains(fact), "{found}");
        }
    }
}
