//! The paths of the Gemini API.

use gateway::{Error, Headers, RequestParts, Settings, Upstream};

use crate::compat::DYNAMIC;
use crate::{OPENAI_LAYER, PROJECT, PROJECT_HEADER};

/// The version that has everything v1 has. The route strips a `/v1` from every path.
pub(crate) const VERSION: &str = "/v1beta";

/// Returns the part of a native path after `models/`.
pub(crate) fn call(path: &str) -> Option<&str> {
    let path = path.strip_prefix(VERSION).unwrap_or(path);
    path.strip_prefix("/models/").filter(|call| call.contains(':'))
}

/// Checks whether a request is for the Gemini API. Its v1 shares paths with OpenAI's API; there the
/// header of the key distinguishes Google's SDKs from OpenAI's.
pub(crate) fn is_native(path: &str, headers: &Headers) -> bool {
    if path.starts_with(OPENAI_LAYER) {
        return false;
    }
    let is_shared = path == "/models" || path.starts_with("/models/");
    let is_own_sdk = is_shared && headers.get("x-goog-api-key").is_some();
    is_own_sdk || path.starts_with("/v1beta/") || call(path).is_some()
}

/// Returns the upstream of a native request.
pub(crate) fn upstream(request: &RequestParts<'_>, settings: &Settings) -> Result<Upstream, Error> {
    if request.model.is_some_and(|model| model.starts_with(DYNAMIC)) {
        let why = "this team's dynamic route is available at /chat/completions only";
        return Err(Error::ModelNotAllowed(why.to_owned()));
    }
    let path = request.target.path;
    if path.contains('%') {
        return Err(Error::UnsafePath("it contains an escape, which could hide the model"));
    }
    let version = if path.starts_with("/v1beta/") { "" } else { VERSION };
    let upstream = Upstream::at(request.target.at(&format!("/google-ai-studio{version}{path}")));
    Ok(upstream.with_key("x-goog-api-key", settings, "google_api_key").with_key(
        PROJECT_HEADER,
        settings,
        PROJECT,
    ))
}
