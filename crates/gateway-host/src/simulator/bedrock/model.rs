//! Which model a path names, as far as rules and answers depend on it.

/// Whose models there are.
const VENDORS: [&str; 9] = [
    "ai21.",
    "amazon.",
    "anthropic.",
    "cohere.",
    "deepseek.",
    "meta.",
    "mistral.",
    "openai.",
    "qwen.",
];

/// What inference profiles put before a model's id.
const REGION_PREFIXES: [&str; 9] =
    ["apac.", "au.", "ca.", "eu.", "global.", "in.", "jp.", "us-gov.", "us."];

/// A model, by its id without a region; of an ARN the last part, which may say nothing.
#[derive(Debug)]
pub(crate) struct Model(String);

impl Model {
    /// Reads a path's segment. Unknown is what no vendor has, and what says `no-such` of itself.
    pub(crate) fn read(segment: &str) -> Option<Self> {
        let id = decode(segment)?;
        let resource = id.strip_prefix("arn:aws:bedrock:");
        let name = resource
            .map_or(id.as_str(), |resource| resource.rsplit('/').next().unwrap_or(resource));
        let name =
            REGION_PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        let is_known = resource.is_some() || VENDORS.iter().any(|vendor| name.starts_with(vendor));
        (is_known && !name.contains("no-such")).then(|| Self(name.to_owned()))
    }

    /// Whether it is of a vendor, or of a family whose ids begin so.
    pub(crate) fn is_of(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }

    /// Whether its id contains one of `parts`.
    pub(crate) fn is_one_of(&self, parts: &[&str]) -> bool {
        parts.iter().any(|part| self.0.contains(part))
    }
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.extend(hex::decode(digits).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::Model;

    #[test]
    fn read_model_strips_regions_and_arns() {
        for (segment, expected) in [
            ("amazon.nova-lite-v1%3A0", Some("amazon.nova-lite-v1:0")),
            ("amazon.nova-lite-v1:0", Some("amazon.nova-lite-v1:0")),
            ("us-gov.anthropic.claude-sonnet-4-6", Some("anthropic.claude-sonnet-4-6")),
            ("arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.meta.l", Some("meta.l")),
            (
                "arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fabc",
                Some("abc"),
            ),
            ("anthropic.no-such-model", None),
            ("gpt-4o", None),
            ("us-east-1.amazon.nova", None),
            ("amazon.nova%3", None),
            ("amazon.nova%GG", None),
        ] {
            assert_eq!(Model::read(segment).map(|model| model.0).as_deref(), expected, "{segment}");
        }
    }
}
