//! The Gemini API's own paths.

use gateway::{Error, Headers, Request, Settings, Upstream};

use crate::OPENAI_LAYER;
use crate::compat::DYNAMIC;

/// The part of a native path that follows `models/`.
pub(crate) fn call(path: &str) -> Option<&str> {
    let path = path.strip_prefix("/v1beta").unwrap_or(path);
    path.strip_prefix("/models/").filter(|call| call.contains(':'))
}

/// Whether a request is for the Gemini API. Its v1 shares paths with OpenAI's API; there the key's
/// header tells Google's SDKs from OpenAI's.
pub(crate) fn is_native(path: &str, headers: &Headers) -> bool {
    if path.starts_with(OPENAI_LAYER) {
        return false;
    }
    let is_shared = path == "/models" || path.starts_with("/models/");
    let is_own_sdk = is_shared && headers.get("x-goog-api-key").is_some();
    is_own_sdk || path.starts_with("/v1beta/") || call(path).is_some()
}

/// Where a native request goes.
pub(crate) fn upstream(request: &Request<'_>, settings: &Settings) -> Result<Upstream, Error> {
    if request.model.is_some_and(|model| model.starts_with(DYNAMIC)) {
        let why = "only /chat/completions takes this team's dynamic route";
        return Err(Error::ModelNotAllowed(why.to_owned()));
    }
    let path = request.target.path;
    if path.contains('%') {
        return Err(Error::UnsafePath("an escape, which could hide the model"));
    }
    // The route's `/v1` is not part of the path any more; v1beta has all that v1 has.
    let version = if path.starts_with("/v1beta/") { "" } else { "/v1beta" };
    let upstream = Upstream::at(request.target.at(&format!("/google-ai-studio{version}{path}")));
    Ok(upstream.with_key("x-goog-api-key", settings, "google_api_key"))
}
