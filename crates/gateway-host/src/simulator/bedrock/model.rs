//! Parses the model that a path names, as far as rules and responses depend on it.

/// The vendors that have models, as the prefixes of their model IDs.
const VENDORS: [&str; 17] = [
    "ai21.",
    "amazon.",
    "anthropic.",
    "cohere.",
    "deepseek.",
    "google.",
    "meta.",
    "minimax.",
    "mistral.",
    "moonshot.",
    "moonshotai.",
    "nvidia.",
    "openai.",
    "qwen.",
    "writer.",
    "xai.",
    "zai.",
];

/// The prefixes that inference profiles put in front of a model ID.
const REGION_PREFIXES: [&str; 9] =
    ["apac.", "au.", "ca.", "eu.", "global.", "in.", "jp.", "us-gov.", "us."];

/// A model ID without its region prefix. For an ARN it is the last part, which need not name a
/// model.
#[derive(Debug)]
pub(crate) struct Model(String);

impl Model {
    /// Parses a segment of the path. `None` if no vendor has such a model, or if the ID contains
    /// `no-such`, which tests use for a model that does not exist.
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

    /// Checks whether the ID starts with `prefix`, which names a vendor or a family.
    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }

    /// Checks whether the ID contains one of `parts`.
    pub(crate) fn contains_any(&self, parts: &[&str]) -> bool {
        parts.iter().any(|part| self.0.contains(part))
    }
}

/// Decodes the percent-encoding of a segment.
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
    fn read_segment_strips_region_and_arn() {
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
