//! Verifies AWS's Signature Version 4, and what a signature through Cloudflare may cover.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

mod signature;

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::simulator::bedrock::exception::Exception;

/// How an `authorization` that is a signature begins.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// How far a request's clock may be off.
const SKEW: Duration = Duration::from_mins(5);

/// Headers that must be signed, and those that must be where they are given.
const DEMANDED: [&str; 2] = ["host", "x-amz-date"];
const OPTIONAL: [&str; 2] = ["x-amz-content-sha256", "x-amz-security-token"];

/// Headers that are changed or dropped on the way to AWS, and families of them.
const UNSTABLE: [&str; 3] = ["accept-encoding", "connection", "user-agent"];
const UNSTABLE_PREFIXES: [&str; 2] = ["cf-", "x-forwarded"];

/// Who is expected to sign.
pub(crate) struct Credentials<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) secret_access_key: &'a str,
    pub(crate) session_token: &'a str,
}

/// What a signature is of: a POST to Bedrock's host in `region`, whatever host was dialled.
pub(crate) struct Signed<'a> {
    pub(crate) region: &'a str,
    /// As it was sent, from `/model` on.
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

/// Refuses a request that is not signed as AWS and Cloudflare together demand.
pub(crate) fn verify(
    signed: &Signed<'_>,
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

impl Signed<'_> {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn date(&self) -> &str {
        self.header("x-amz-date")
    }

    fn scope(&self) -> String {
        let day = self.date().get(..8).unwrap_or_default();
        format!("{day}/{}/bedrock/aws4_request", self.region)
    }

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

    fn check_scope(&self, authorization: &Authorization<'_>) -> Result<(), Exception> {
        let expected = self.scope();
        if authorization.scope == expected {
            return Ok(());
        }
        let given = authorization.scope;
        Err(invalid(format!("Credential should be scoped to '{expected}', not '{given}'.")))
    }

    /// AWS demands what must be signed; what must not be would break on its way through Cloudflare.
    fn check_coverage(&self, authorization: &Authorization<'_>) -> Result<(), Exception> {
        let names = &authorization.signed_headers;
        let is_demanded = |name: &str| DEMANDED.contains(&name) || self.headers.contains_key(name);
        let mut demanded = DEMANDED.iter().chain(&OPTIONAL).filter(|name| is_demanded(name));
        if let Some(missing) = demanded.find(|name| !names.contains(name)) {
            return Err(invalid(format!(
                "'{missing}' must be a 'SignedHeader' in the AWS Authorization."
            )));
        }
        if let Some(name) = names.iter().find(|name| is_unstable(name)) {
            return Err(invalid(format!("'{name}' is signed, and changed on its way.")));
        }
        if !names.is_sorted() {
            return Err(invalid("The 'SignedHeaders' are not in order."));
        }
        self.check_hash()
    }

    /// The body's hash, where a request states it.
    fn check_hash(&self) -> Result<(), Exception> {
        let hash = self.header("x-amz-content-sha256");
        if hash.is_empty() || hash == signature::hash(self.body) {
            return Ok(());
        }
        let message =
            "The provided 'x-amz-content-sha256' header does not match what was computed.";
        Err(invalid(message))
    }

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

fn is_unstable(name: &str) -> bool {
    UNSTABLE.contains(&name) || UNSTABLE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Reads AWS's `20260101T000000Z`.
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

fn incomplete(message: &str) -> Exception {
    Exception::new("IncompleteSignatureException", message)
}

fn invalid(message: impl Into<String>) -> Exception {
    Exception::new("InvalidSignatureException", message)
}

#[cfg(test)]
pub(super) mod tests;
