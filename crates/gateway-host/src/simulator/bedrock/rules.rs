//! What AWS and the models behind it refuse although its shape is right.

mod claude;
mod conversation;
mod families;
mod media;
mod tools;

use crate::simulator::bedrock::request::Request;

/// Tells what is wrong with a request, if anything is.
type Rule = fn(&Request<'_>) -> Option<String>;

/// All there are, in the order they are asked: of Converse itself first, of models after.
const RULES: [&[Rule]; 5] =
    [&conversation::RULES, &tools::RULES, &media::RULES, &families::RULES, &claude::RULES];

/// The message of the first rule that a request breaks.
pub(crate) fn violation(request: &Request<'_>) -> Option<String> {
    RULES.iter().copied().flatten().find_map(|rule| rule(request))
}

/// What a schema would have said, of a field that only some requests may have.
fn extraneous(place: &str, key: &str) -> String {
    format!(
        "Malformed input request: #{place}: extraneous key [{key}] is not permitted, \
         please reformat your input and try again."
    )
}

#[cfg(test)]
mod tests;
