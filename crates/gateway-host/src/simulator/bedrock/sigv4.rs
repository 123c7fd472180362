//! Verifies AWS Signature Version 4, and that a signature survives the path through Cloudflare.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

mod signature;

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::simulator::bedrock::exception::Exception;

/// The first word of an `authorization` that holds a signature.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Maximum difference between the request's clock and the server's.
const SKEW: Duration = Duration::from_mins(5);

/// Headers that must be signed.
const REQUIRED: [&str; 2] = ["host", "x-amz-date"];
/// Headers that must be signed if they are present.
const OPTIONAL: [&str; 2] = ["x-amz-content-sha256", "x-amz-security-token"];

/// Headers that Cloudflare changes or drops, so that a signature of them would not match.
const UNSTABLE: [&str; 3] = ["accept-encoding", "connection", "user-agent"];
/// Prefixes of such headers.
const UNSTABLE_PREFIXES: [&str; 2] = ["cf-", "x-forwarded"];

/// The credentials that a request must be signed with.
pub(crate) struct Credentials<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: &'a str,
}

/// The request that a signature covers: a POST to Bedrock's host in `region`, which is not the host
/// that the request was sent to.
pub(crate) struct SignedRequest<'a> {
    /// The signing name: `bedrock` or `bedrock-mantle`.
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    /// The raw path from `/model` on.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The parts of an `authorization`.
struct Authorization<'a> {
    access_key_id: &'a str,
    scope: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

/// Rejects a request whose signature AWS would not accept behind Cloudflare.
///
/// The signature itself is checked last, so that the error names the cause of a mismatch if it is a
/// known one.
pub(crate) fn verify(
    signed: &SignedRequest<'_>,
    credentials: &Credentials<'_>,
    now: SystemTime,
) -> Result<(), Exception> {
    let authorization = Authorization::read(signed.header("authorization")).ok_or_else(|| {
        incomplete("Authorization lacks a credential, signed headers or signature.")
    })?;
    signed.check_date(now)?;
    signed.check_scope(&authorization)?;
    signed.check_coverage(&authorization)?;
    signed.check_identity(&authorization, credentials)?;
    let names = &authorization.signed_headers;
    let expected = signature::compute(signed, names, credentials.secret_access_key);
    if authorization.signature != expected {
        return Err(invalid(
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method.",
        ));
    }
    Ok(())
}

impl<'a> Authorization<'a> {
    /// Parses an `authorization`.
    fn read(text: &'a str) -> Option<Self> {
        let parameters = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let parameter = |name: &str| {
            let mut parts = parameters.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let (access_key_id, scope) = parameter("Credential")?.split_once('/')?;
        let signed_headers = parameter("SignedHeaders")?.split(';').collect();
        Some(Self { access_key_id, scope, signed_headers, signature: parameter("Signature")? })
    }
}

impl SignedRequest<'_> {
    /// Returns the first value of a header; empty if it is absent.
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the date as it was sent.
    fn date(&self) -> &str {
        self.header("x-amz-date")
    }

    /// Returns the scope that the credential must have.
    fn scope(&self) -> String {
        let day = self.date().get(..8).unwrap_or_default();
        format!("{day}/{}/{}/aws4_request", self.region, self.service)
    }

    /// Checks that the date is close to `now`.
    fn check_date(&self, now: SystemTime) -> Result<(), Exception> {
        let date = self.date();
        let time = read_date(date).ok_or_else(|| {
            incomplete("Authorization requires existence of a 'X-Amz-Date' header.")
        })?;
        if now.duration_since(time).is_ok_and(|late| late > SKEW) {
            return Err(invalid(format!("Signature expired: {date} is more than 5 min. ago")));
        }
        if time.duration_since(now).is_ok_and(|early| early > SKEW) {
            return Err(invalid(format!(
                "Signature not yet current: {date} is more than 5 min. ahead"
            )));
        }
        Ok(())
    }

    /// Checks that the credential is scoped to the date, the region and Bedrock.
    fn check_scope(&self, authorization: &Authorization<'_>) -> Result<(), Exception> {
        let expected = self.scope();
        if authorization.scope == expected {
            return Ok(());
        }
        let given = authorization.scope;
        Err(invalid(format!("Credential should be scoped to '{expected}', not '{given}'.")))
    }

    /// Checks which headers are signed: those that AWS requires, and none that Cloudflare changes.
    fn check_coverage(&self, authorization: &Authorization<'_>) -> Result<(), Exception> {
        let names = &authorization.signed_headers;
        let is_required = |name: &str| REQUIRED.contains(&name) || self.headers.contains_key(name);
        let mut required = REQUIRED.iter().chain(&OPTIONAL).filter(|name| is_required(name));
        if let Some(missing) = required.find(|name| !names.contains(name)) {
            return Err(invalid(format!(
                "'{missing}' must be a 'SignedHeader' in the AWS Authorization."
            )));
        }
        if let Some(name) = names.iter().find(|name| is_unstable(name)) {
            return Err(invalid(format!("'{name}' is signed, but Cloudflare changes it.")));
        }
        if !names.is_sorted() {
            return Err(invalid("The 'SignedHeaders' are not in order."));
        }
        self.check_hash()
    }

    /// Checks the hash of the body, if the request states it.
    fn check_hash(&self) -> Result<(), Exception> {
        let hash = self.header("x-amz-content-sha256");
        if hash.is_empty() || hash == signature::hash(self.body) {
            return Ok(());
        }
        let message =
            "The provided 'x-amz-content-sha256' header does not match what was computed.";
        Err(invalid(message))
    }

    /// Checks the access key and the session token.
    fn check_identity(
        &self,
        authorization: &Authorization<'_>,
        credentials: &Credentials<'_>,
    ) -> Result<(), Exception> {
        let token = self.header("x-amz-security-token");
        let is_token = token.is_empty() || token == credentials.session_token;
        if authorization.access_key_id == credentials.access_key_id && is_token {
            return Ok(());
        }
        let message = "The security token included in the request is invalid.";
        Err(Exception::new("UnrecognizedClientException", message))
    }
}

/// Checks whether Cloudflare changes or drops a header.
fn is_unstable(name: &str) -> bool {
    UNSTABLE.contains(&name) || UNSTABLE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Parses AWS's date format, `20260101T000000Z`.
fn read_date(text: &str) -> Option<SystemTime> {
    if text.len() != 16 {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to);
    let day = format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let time = format!("{}:{}:{}", part(9, 11)?, part(11, 13)?, part(13, 15)?);
    let (separator, zone) = (part(8, 9)?, part(15, 16)?);
    humantime::parse_rfc3339(&format!("{day}{separator}{time}{zone}")).ok()
}

/// Creates the error for missing parts of a signature.
fn incomplete(message: &str) -> Exception {
    Exception::new("IncompleteSignatureException", message)
}

/// Creates the error for a signature that does not match.
fn invalid(message: impl Into<String>) -> Exception {
    Exception::new("InvalidSignatureException", message)
}

#[cfg(test)]
pub(super) mod tests;
