//! The client's metadata and service tier, limited to what Bedrock accepts.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

use gateway::Error;

use crate::converse::request::{Pairs, ServiceTier};
use crate::openai::request::ChatRequest;

/// The maximum number of pairs.
const MAX_PAIRS: usize = 16;
/// The maximum length of a name or value.
const MAX_LENGTH: usize = 256;

/// Collects `requestMetadata`: the client's `metadata`, then `user` and `safety_identifier`. The
/// first of two pairs with one name wins.
pub(crate) fn pairs(request: &ChatRequest<'_>) -> Pairs {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in &request.metadata {
        let name = clean(name);
        if pairs.len() < MAX_PAIRS
            && !name.is_empty()
            && pairs.iter().all(|(given, _)| *given != name)
        {
            pairs.push((name, clean(value)));
        }
    }
    Pairs(pairs)
}

/// Shortens `text` and replaces the characters that Bedrock rejects.
fn clean(text: &str) -> String {
    text.chars().take(MAX_LENGTH).map(allowed).collect()
}

/// Returns `character`, or an underscore if Bedrock does not allow it.
fn allowed(character: char) -> char {
    let is_allowed = character.is_ascii_alphanumeric() || " \t\n\r:_@$#=/+,-.".contains(character);
    if is_allowed { character } else { '_' }
}

/// Returns `serviceTier`, if the client asks for a certain one.
///
/// # Errors
/// A client error for a tier that Bedrock does not have.
pub(crate) fn service_tier(request: &ChatRequest<'_>) -> Result<Option<ServiceTier>, Error> {
    let kind = match request.service_tier.as_deref() {
        None | Some("auto") => return Ok(None),
        Some("default") => "default",
        Some("flex") => "flex",
        Some("priority") => "priority",
        Some("reserved") => "reserved",
        Some(_) => {
            let why = "unknown service tier: use auto, default, flex, priority or reserved";
            return Err(Error::unsupported("service_tier", why));
        }
    };
    Ok(Some(ServiceTier { kind }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Pairs {
        let body = format!(r#"{{"model":"m","messages":[],{body}}}"#);
        pairs(&ChatRequest::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn pairs_with_invalid_characters_are_cleaned() {
        let (long, longest) = ("x".repeat(300), "x".repeat(256));
        for (body, expected) in [
            (r#""metadata":{"a":"b","job id":"x/1"}"#, vec![("a", "b"), ("job id", "x/1")]),
            (r#""metadata":{"a!":"(1)ü","a?":"2","":"3"}"#, vec![("a_", "_1__")]),
            (r#""metadata":null,"user":null"#, vec![]),
            (
                r#""user":"u1","safety_identifier":"s","metadata":{"a":"b"}"#,
                vec![("a", "b"), ("user", "u1"), ("safety_identifier", "s")],
            ),
            (&format!(r#""metadata":{{"a":"{long}"}}"#), vec![("a", &longest)]),
        ] {
            let found = of(body);
            let found: Vec<_> = found.0.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(found, expected, "{body}");
        }
    }

    #[test]
    fn pairs_beyond_sixteen_are_dropped() {
        let many: Vec<String> = (0..20).map(|number| format!(r#""n{number}":"v""#)).collect();
        let pairs = of(&format!(r#""metadata":{{{}}}"#, many.join(",")));
        assert_eq!((pairs.0.len(), pairs.0[15].0.as_str()), (16, "n15"));
    }

    #[test]
    fn service_tier_of_openai_alone_is_rejected() {
        for (tier, expected) in [
            (None, Ok(None)),
            (Some("auto"), Ok(None)),
            (Some("default"), Ok(Some("default"))),
            (Some("flex"), Ok(Some("flex"))),
            (Some("priority"), Ok(Some("priority"))),
            (Some("reserved"), Ok(Some("reserved"))),
            (Some("scale"), Err(())),
        ] {
            let request =
                ChatRequest { service_tier: tier.map(Into::into), ..ChatRequest::default() };
            let found = service_tier(&request).map(|tier| tier.map(|tier| tier.kind));
            assert_eq!(found.map_err(|_| ()), expected, "{tier:?}");
        }
    }
}
