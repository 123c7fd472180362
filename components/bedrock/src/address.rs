//! Where a request for a model goes, and what it says there.

use std::fmt::Write as _;
use std::time::SystemTime;

use gateway::Error;
use gateway::outbound::{Body, Destination};

use crate::settings::BedrockSettings;
use crate::sign::{self, Unsigned};

/// What is asked of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The model's id or ARN.
    pub(crate) model: &'a str,
    /// `converse`, `converse-stream` or `invoke`.
    pub(crate) operation: &'static str,
    /// The media type of the answer.
    pub(crate) accept: &'static str,
}

/// The destination of a request for `place`, which the client `asked` for by another name, signed
/// at `now`.
///
/// # Errors
/// [`Error::Configuration`] for credentials that cannot sign.
pub(crate) fn destination(
    settings: &BedrockSettings<'_>,
    place: &Place<'_>,
    body: Vec<u8>,
    now: SystemTime,
    asked: &str,
) -> Result<Destination, Error> {
    let Place { model, operation, accept } = *place;
    let region = settings.region;
    let path = format!("/model/{}/{operation}", encode(model));
    let unsigned = Unsigned { region, path: &path, body: &body };
    let mut headers = vec![
        // Signed, so it must be to the letter what the signature is made of.
        ("content-type", "application/json".to_owned()),
        ("accept", accept.to_owned()),
    ];
    headers.extend(sign::headers(&unsigned, settings.credentials, now)?);
    Ok(Destination {
        path: format!("/aws-bedrock/bedrock-runtime/{region}{path}"),
        headers,
        body: Body::Whole(body),
        asked: Some(asked.to_owned()),
        sent: Some(model.to_owned()),
    })
}

/// Encodes all that is not unreserved in a URL, so that an ARN stays one segment of the path.
fn encode(id: &str) -> String {
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;
    use crate::model::Aliases;
    use crate::settings::Credentials;

    fn to(model: &str, credentials: Credentials<'_>) -> Destination {
        let settings =
            BedrockSettings { region: "eu-west-1", credentials, aliases: Aliases::default() };
        let place = Place { model, operation: "converse", accept: "application/json" };
        destination(&settings, &place, b"{}".to_vec(), UNIX_EPOCH, "mine").unwrap()
    }

    #[test]
    fn a_model_id_is_one_segment() {
        for (id, expected) in [
            ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1%3A0"),
            ("arn:aws:bedrock:x:1:prompt/a_b", "arn%3Aaws%3Abedrock%3Ax%3A1%3Aprompt%2Fa_b"),
        ] {
            let path = format!("/aws-bedrock/bedrock-runtime/eu-west-1/model/{expected}/converse");
            assert_eq!(to(id, Credentials::Stored).path, path, "{id}");
        }
    }

    #[test]
    fn a_destination_is_told_whole() {
        let Destination { headers, body, asked, sent, .. } = to("a.b", Credentials::ApiKey("k"));
        let json = "application/json".to_owned();
        let expected = [
            ("content-type", json.clone()),
            ("accept", json),
            ("authorization", "Bearer k".to_owned()),
        ];
        assert_eq!(headers, expected);
        assert_eq!(
            (body.bytes(), asked.as_deref(), sent.as_deref()),
            (&b"{}"[..], Some("mine"), Some("a.b"))
        );
    }

    #[test]
    fn the_region_is_the_signatures_too() {
        let keys = Credentials::Keys { id: "A", secret: "s", session_token: None };
        let headers = to("a.b", keys).headers;
        let (_, value) = headers.iter().find(|(name, _)| *name == "authorization").unwrap();
        assert!(value.contains("/eu-west-1/bedrock/"), "{value}");
    }

    proptest! {
        #[test]
        fn no_accepted_id_leaves_its_segment(id in "(arn:)?[ -~]{0,12}[a-zA-Z0-9:/._-]{0,24}") {
            let aliases = Aliases::default();
            let Ok(target) = aliases.find(&id) else { return Ok(()) };
            let path = to(target.id, Credentials::Stored).path;
            let segments: Vec<&str> = path.split('/').collect();
            prop_assert_eq!(segments.len(), 7, "{}", path);
            let segment = segments[5];
            prop_assert!(!segment.contains(['?', '#', '\\', ' ']) && !segment.contains(".."));
            for escape in segment.split('%').skip(1) {
                prop_assert!(u8::from_str_radix(&escape[..2], 16).is_ok(), "{}", segment);
            }
        }
    }
}
