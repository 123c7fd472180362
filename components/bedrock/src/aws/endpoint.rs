//! The URL and headers of a request to a model.

use std::fmt::Write as _;
use std::time::SystemTime;

use gateway::edit::Edit;
use gateway::http::body::Body;
use gateway::operation::Class;
use gateway::{Error, Route};

use crate::aws::settings::BedrockSettings;
use crate::aws::sign;
use crate::aws::sign::{Service, Unsigned};

/// An operation on a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation<'a> {
    /// The model's id or ARN.
    pub(crate) model: &'a str,
    /// `converse`, `converse-stream` or `invoke`.
    pub(crate) name: &'static str,
    /// The media type of the response.
    pub(crate) accept: &'static str,
}

/// Creates the signed request for `operation`. `original_model` is the client's name for the model,
/// for the log.
///
/// # Errors
/// [`Error::Configuration`] for credentials that cannot sign.
pub(crate) fn destination(
    settings: &BedrockSettings<'_>,
    operation: &Operation<'_>,
    body: Vec<u8>,
    now: SystemTime,
    original_model: &str,
) -> Result<Route, Error> {
    let Operation { model, name, accept } = *operation;
    let region = region_of(model).unwrap_or(settings.region);
    let path = format!("/model/{}/{name}", encode(model));
    let unsigned = Unsigned { service: Service::Runtime, region, path: &path, body: &body };
    let mut headers = vec![
        // Part of the signature, so it must be byte for byte the signed value.
        ("content-type", "application/json".to_owned()),
        ("accept", accept.to_owned()),
    ];
    headers.extend(sign::headers(&unsigned, settings.credentials, now)?);
    Ok(Route {
        path: format!("/aws-bedrock/bedrock-runtime/{region}{path}"),
        headers,
        body: Body::Whole(body),
        original_model: Some(original_model.to_owned()),
        model: Some(model.to_owned()),
        edit: Edit::Nothing,
        class: Class::Inference,
        hides_usage: false,
    })
}

/// Creates the signed request for a message of the model `model`, in Anthropic's API.
///
/// # Errors
/// [`Error::Configuration`] for credentials that cannot sign.
pub(crate) fn messages(
    settings: &BedrockSettings<'_>,
    model: &str,
    body: Vec<u8>,
    now: SystemTime,
    original_model: &str,
) -> Result<Route, Error> {
    let region = region_of(model).unwrap_or(settings.region);
    let path = "/anthropic/v1/messages";
    let unsigned = Unsigned { service: Service::Mantle, region, path, body: &body };
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(sign::headers(&unsigned, settings.credentials, now)?);
    Ok(Route {
        path: format!("/aws-bedrock/bedrock-mantle/{region}{path}"),
        headers,
        body: Body::Whole(body),
        original_model: Some(original_model.to_owned()),
        model: Some(model.to_owned()),
        edit: Edit::Nothing,
        class: Class::Inference,
        hides_usage: false,
    })
}

/// Returns the region of an ARN, in which alone its model can be called.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
fn region_of(model: &str) -> Option<&str> {
    let region = model.strip_prefix("arn:")?.split(':').nth(2)?;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_region = region.contains('-') && region.len() <= 32 && region.bytes().all(is_plain);
    is_region.then_some(region)
}

/// Encodes all characters that are not unreserved in a URL, so that an ARN with its slashes
/// stays a single segment of the path.
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
    use crate::aws::settings::Credentials;
    use gateway::models::aliases::Aliases;

    fn to(model: &str, credentials: Credentials<'_>) -> Route {
        let settings =
            BedrockSettings { region: "eu-west-1", credentials, aliases: Aliases::default() };
        let operation = Operation { model, name: "converse", accept: "application/json" };
        destination(&settings, &operation, b"{}".to_vec(), UNIX_EPOCH, "mine").unwrap()
    }

    #[test]
    fn destination_encodes_a_model_id_as_one_segment() {
        for (id, expected) in [
            ("amazon.nova-pro-v1:0", "amazon.nova-pro-v1%3A0"),
            ("arn:aws:bedrock:x:1:prompt/a_b", "arn%3Aaws%3Abedrock%3Ax%3A1%3Aprompt%2Fa_b"),
        ] {
            let path = format!("/aws-bedrock/bedrock-runtime/eu-west-1/model/{expected}/converse");
            assert_eq!(to(id, Credentials::Stored).path, path, "{id}");
        }
    }

    #[test]
    fn destination_of_an_arn_is_in_its_region() {
        let keys = Credentials::Keys { id: "A", secret: "s", session_token: None };
        for (arn, region) in [
            ("arn:aws:bedrock:us-east-2:1:inference-profile/a.b", "us-east-2"),
            ("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/a.b", "us-gov-west-1"),
            ("arn:aws:bedrock::1:inference-profile/a.b", "eu-west-1"),
            ("arn:aws:bedrock:US-EAST-2:1:inference-profile/a.b", "eu-west-1"),
        ] {
            let Route { path, headers, .. } = to(arn, keys);
            let expected = format!("/aws-bedrock/bedrock-runtime/{region}/model/");
            assert!(path.starts_with(&expected), "{path}");
            let (_, signed) = headers.iter().find(|(name, _)| *name == "authorization").unwrap();
            assert!(signed.contains(&format!("/{region}/bedrock/")), "{signed}");
            let settings = BedrockSettings {
                region: "eu-west-1",
                credentials: keys,
                aliases: Aliases::default(),
            };
            let route = messages(&settings, arn, b"{}".to_vec(), UNIX_EPOCH, "mine").unwrap();
            let expected = format!("/aws-bedrock/bedrock-mantle/{region}/anthropic/v1/messages");
            assert_eq!(route.path, expected);
        }
    }

    #[test]
    fn destination_has_headers_body_and_both_model_names() {
        let Route { headers, body, original_model, model, .. } =
            to("a.b", Credentials::ApiKey("k"));
        let json = "application/json".to_owned();
        let expected = [
            ("content-type", json.clone()),
            ("accept", json),
            ("authorization", "Bearer k".to_owned()),
        ];
        assert_eq!(headers, expected);
        assert_eq!(
            (body.bytes(), original_model.as_deref(), model.as_deref()),
            (&b"{}"[..], Some("mine"), Some("a.b"))
        );
    }

    #[test]
    fn destination_with_keys_signs_for_its_region() {
        let keys = Credentials::Keys { id: "A", secret: "s", session_token: None };
        let headers = to("a.b", keys).headers;
        let (_, value) = headers.iter().find(|(name, _)| *name == "authorization").unwrap();
        assert!(value.contains("/eu-west-1/bedrock/"), "{value}");
    }

    proptest! {
        #[test]
        fn destination_of_any_accepted_id_keeps_its_segment(id in "(arn:)?[ -~]{0,12}[a-zA-Z0-9:/._-]{0,24}") {
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
