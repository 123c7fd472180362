//! Signatures for Bedrock's own host, which is not the host that requests are sent to.
//!
//! The AI Gateway forwards requests to Bedrock unchanged, so a signature over Bedrock's host and
//! path is valid there. <https://developers.cloudflare.com/ai-gateway/usage/providers/bedrock/>

use std::time::SystemTime;

use aws_credential_types::Credentials as Keys;
use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningError, SigningSettings};
use aws_sigv4::sign::v4::SigningParams;
use gateway::Error;

use crate::aws::settings::Credentials;

/// A service of Bedrock, with a host and a signing name of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Service {
    /// Converse and `InvokeModel`.
    Runtime,
    /// The APIs of the models' vendors.
    Mantle,
}

/// The signed parts of a request.
pub(crate) struct Unsigned<'a> {
    pub(crate) service: Service,
    pub(crate) region: &'a str,
    /// The encoded path below the AWS host: `/model/{id}/converse`.
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
}

/// Creates the headers that authenticate `request` at `now`; none if the AI Gateway has the
/// credentials.
///
/// # Errors
/// [`Error::Configuration`] for credentials that cannot sign.
pub(crate) fn headers(
    request: &Unsigned<'_>,
    credentials: Credentials<'_>,
    now: SystemTime,
) -> Result<Vec<(&'static str, String)>, Error> {
    match credentials {
        Credentials::Stored => Ok(Vec::new()),
        Credentials::ApiKey(key) => {
            check("bedrock_api_key", key)?;
            Ok(vec![("authorization", format!("Bearer {key}"))])
        }
        Credentials::Keys { id, secret, session_token } => {
            check("aws_access_key_id", id)?;
            check("aws_session_token", session_token.unwrap_or_default())?;
            let token = session_token.map(ToOwned::to_owned);
            let keys = Keys::new(id, secret, token, None, "settings");
            // The cause is dropped, because it may quote the credentials.
            sign(request, keys, now).ok_or_else(|| wrong("the AWS keys", "cannot sign"))
        }
    }
}

/// Signs `request` with AWS signature version 4, which covers the session token too.
fn sign(
    request: &Unsigned<'_>,
    keys: Keys,
    now: SystemTime,
) -> Option<Vec<(&'static str, String)>> {
    let identity = keys.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(request.region)
        .name(request.service.name())
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .ok()?;
    let signable = request.signable().ok()?;
    let output = http_request::sign(signable, &params.into()).ok()?;
    let (headers, _) = output.into_parts().0.into_parts();
    Some(headers.iter().map(|header| (header.name(), header.value().to_owned())).collect())
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Runtime => "bedrock",
            Self::Mantle => "bedrock-mantle",
        }
    }

    fn host(self, region: &str) -> String {
        match self {
            Self::Runtime => format!("bedrock-runtime.{region}.amazonaws.com"),
            Self::Mantle => format!("bedrock-mantle.{region}.api.aws"),
        }
    }
}

impl Unsigned<'_> {
    /// Describes the request as Bedrock will see it.
    fn signable(&self) -> Result<SignableRequest<'_>, SigningError> {
        let url = format!("https://{}{}", self.service.host(self.region), self.path);
        let headers = [("content-type", "application/json")];
        SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(self.body))
    }
}

/// Checks that a setting can be sent in a header, so that it cannot add headers of its own.
fn check(setting: &str, value: &str) -> Result<(), Error> {
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(wrong(setting, "must be visible ASCII"))
}

/// Creates a configuration error, which never contains the value.
fn wrong(what: &str, why: &str) -> Error {
    Error::Configuration(format!("{what} {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    const KEYS: Credentials<'_> =
        Credentials::Keys { id: "AKIDEXAMPLE", secret: SECRET, session_token: Some("TOKEN") };

    fn sign(
        path: &str,
        credentials: Credentials<'_>,
    ) -> Result<Vec<(&'static str, String)>, Error> {
        // The first of January 2026.
        let now = UNIX_EPOCH + Duration::from_hours(490_896);
        let service = Service::Runtime;
        headers(&Unsigned { service, region: "us-east-1", path, body: b"{}" }, credentials, now)
    }

    #[test]
    fn headers_with_keys_match_the_aws_sdks() {
        for (path, signature) in [
            (
                "/model/anthropic.claude-3-5-sonnet-20240620-v1:0/converse",
                "e4c96d5b9ec4da873a5ff7de2039119936db830fc5449247f9b3a6ccfd530352",
            ),
            (
                "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse",
                "43c6f50223762315ab009b9df9ffc7e32a7de04fe903ddf5edbada8dab0eac27",
            ),
            (
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3A\
                 application-inference-profile%2Fabc/converse-stream",
                "56aaf95574f16ed910c0dc4d785b3e0479ccd129910d0f5fbe2a727b6bc6c459",
            ),
        ] {
            let mut headers = sign(path, KEYS).unwrap();
            headers.sort_unstable();
            let authorization = format!(
                "AWS4-HMAC-SHA256 \
                 Credential=AKIDEXAMPLE/20260101/us-east-1/bedrock/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
                 Signature={signature}"
            );
            let expected = vec![
                ("authorization", authorization),
                ("x-amz-date", "20260101T000000Z".to_owned()),
                ("x-amz-security-token", "TOKEN".to_owned()),
            ];
            assert_eq!(headers, expected, "{path}");
        }
    }

    #[test]
    fn headers_without_a_session_have_no_token() {
        let keys = Credentials::Keys { id: "AKIDEXAMPLE", secret: SECRET, session_token: None };
        let headers = sign("/model/m/invoke", keys).unwrap();
        let mut names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "x-amz-date"]);
    }

    #[test]
    fn headers_with_an_api_key_are_a_bearer_token_and_stored_keys_need_none() {
        let expected = vec![("authorization", "Bearer k3y".to_owned())];
        assert_eq!(sign("/x", Credentials::ApiKey("k3y")).unwrap(), expected);
        assert_eq!(sign("/x", Credentials::Stored).unwrap(), vec![]);
    }

    #[test]
    fn headers_with_invalid_credentials_name_but_do_not_show_them() {
        for (credentials, expected) in [
            (Credentials::ApiKey("k\u{7}y"), "bedrock_api_key"),
            (
                Credentials::Keys { id: "k\u{7}y", secret: "s", session_token: None },
                "aws_access_key_id",
            ),
            (
                Credentials::Keys { id: "i", secret: "s", session_token: Some("k\u{7}y") },
                "aws_session_token",
            ),
        ] {
            let error = sign("/x", credentials).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("k\u{7}y"), "{error}");
        }
        let error = sign("not a path", KEYS).unwrap_err().to_string();
        assert_eq!(error, "gateway configuration: the AWS keys cannot sign");
    }
}
