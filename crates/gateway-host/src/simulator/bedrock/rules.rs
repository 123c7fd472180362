//! Rules that AWS and its models enforce on requests whose shape is valid.

mod claude;
mod conversation;
mod families;
mod media;
mod tools;

use crate::simulator::bedrock::request::Request;

/// A rule. It returns the error message if a request breaks it.
type Rule = fn(&Request<'_>) -> Option<String>;

/// All rules in the order of their checks: those of Converse first, as AWS checks them before it
/// calls a model, and those of the models after them.
const RULES: [&[Rule]; 5] =
    [&conversation::RULES, &tools::RULES, &media::RULES, &families::RULES, &claude::RULES];

/// Returns the message of the first rule that a request breaks.
pub(crate) fn violation(request: &Request<'_>) -> Option<String> {
    RULES.iter().copied().flatten().find_map(|rule| rule(request))
}

/// Builds the schema's error for an unknown field, for a field that only some requests may have.
fn extraneous(place: &str, key: &str) -> String {
    format!(
        "Malformed input request: #{place}: extraneous key [{key}] is not permitted, \
         please reformat your input and try again."
    )
}

#[cfg(test)]
mod tests;
