//! The paths of the Gemini API.

use std::ops::Range;

use gateway::operation::Class;
use gateway::{Error, Headers, RequestParts, Settings, Upstream};

use crate::compat::DYNAMIC;
use crate::{OPENAI_LAYER, PROJECT, PROJECT_HEADER, operations};

/// The version for a path that names none.
const DEFAULT_VERSION: &str = "/v1beta";

/// Where the API takes files.
const UPLOAD: &str = "/upload";

/// A path of the Gemini API. The route has stripped a `/v1` from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NativePath<'a> {
    /// `/upload` or nothing.
    upload: &'a str,
    /// `/v1beta`, `/v1alpha` or nothing.
    version: &'a str,
    /// The rest, starting with `/`.
    pub(crate) path: &'a str,
}

impl<'a> NativePath<'a> {
    /// Returns the native path of a request, unless it is for OpenAI's API.
    ///
    /// The two APIs share paths below `/v1`: there a key in Google's header says that it is Google's
    /// SDK. Everywhere else only OpenAI's own operations go to OpenAI's API.
    pub(crate) fn of(path: &'a str, headers: &Headers) -> Option<Self> {
        if path.starts_with(OPENAI_LAYER) || matches!(path, "" | "/") {
            return None;
        }
        let native = Self::parse(path);
        let is_openais = Class::has_path(operations::OPENAI_LAYER, native.path);
        let is_geminis = Class::has_path(operations::GEMINI, native.path);
        let is_own_sdk = !native.upload.is_empty()
            || !native.version.is_empty()
            || headers.get("x-goog-api-key").is_some();
        (!is_openais || is_geminis && is_own_sdk).then_some(native)
    }

    fn parse(path: &'a str) -> Self {
        let rest = path.strip_prefix(UPLOAD).filter(|rest| rest.starts_with('/'));
        let (upload, path) = rest.map_or(("", path), |rest| (UPLOAD, rest));
        let (version, path) = split_version(path);
        Self { upload, version, path }
    }

    /// Returns the upstream of a native request.
    pub(crate) fn upstream(
        self,
        request: &RequestParts<'_>,
        settings: &Settings,
    ) -> Result<Upstream, Error> {
        if request.model.is_some_and(|model| model.starts_with(DYNAMIC)) {
            let why = "this team's dynamic route is available at /chat/completions only";
            return Err(Error::ModelNotAllowed(why.to_owned()));
        }
        let Self { upload, version, path } = self;
        if path.contains('%') {
            return Err(Error::UnsafePath("it contains an escape, which could hide the model"));
        }
        let given = if version.is_empty() { request.target.version } else { version };
        let version = if given.is_empty() { DEFAULT_VERSION } else { given };
        let path = format!("/google-ai-studio{upload}{version}{path}");
        Ok(Upstream::at(request.target.at(&path))
            .with_key("x-goog-api-key", settings, "google_api_key")
            .with_key(PROJECT_HEADER, settings, PROJECT))
    }
}

/// Returns the span of the model in a path that calls a method of it.
pub(crate) fn model_in(path: &str) -> Option<Range<usize>> {
    let call = NativePath::parse(path).path.strip_prefix("/models/")?;
    let start = path.len() - call.len();
    Some(start..start + call.find(':')?)
}

/// Strips the versions before a path.
pub(crate) fn without_version(path: &str) -> &str {
    split_version(path).1
}

/// Splits off all versions before a path. Of several the last one is used: an SDK adds its own to that of a
/// base URL.
fn split_version(mut path: &str) -> (&str, &str) {
    let mut version = "";
    while let Some(length) = version_length(path) {
        let (first, rest) = path.split_at(length);
        (version, path) = (first, rest);
    }
    (version, path)
}

/// Returns the length of a version at the start of a path, such as `/v1`, `/v1beta` or `/v2alpha1`.
fn version_length(path: &str) -> Option<usize> {
    let segment = path.strip_prefix('/')?.split('/').next()?;
    let number = segment.strip_prefix('v')?;
    let is_version = number.starts_with(|first: char| first.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (is_version && path.len() > segment.len() + 1).then_some(segment.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_recognises_the_api_of_a_request() {
        for (path, is_own_sdk, expected) in [
            ("/cachedContents", false, Some(("", "", "/cachedContents"))),
            ("/tunedModels/a", false, Some(("", "", "/tunedModels/a"))),
            ("/operations/a", true, Some(("", "", "/operations/a"))),
            ("/interactions", false, Some(("", "", "/interactions"))),
            ("/v1beta/files", false, Some(("", "/v1beta", "/files"))),
            (
                "/v1alpha/models/x:generateContent",
                false,
                Some(("", "/v1alpha", "/models/x:generateContent")),
            ),
            ("/upload/v1beta/files", false, Some(("/upload", "/v1beta", "/files"))),
            ("/v1beta/v1beta/models", false, Some(("", "/v1beta", "/models"))),
            ("/v1beta/v1/models", false, Some(("", "/v1", "/models"))),
            ("/models", true, Some(("", "", "/models"))),
            ("/models", false, None),
            ("/files", true, Some(("", "", "/files"))),
            ("/files", false, None),
            ("/batches", false, None),
            ("/chat/completions", true, None),
            ("/v1beta/chat/completions", false, None),
            ("/embeddings", true, None),
            ("/v1beta/openai/models", true, None),
            ("", true, None),
            ("/", false, None),
        ] {
            let headers = if is_own_sdk { vec![("x-goog-api-key", "k")] } else { vec![] };
            let found = NativePath::of(path, &headers.into_iter().collect());
            let expected =
                expected.map(|(upload, version, path)| NativePath { upload, version, path });
            assert_eq!(found, expected, "{path} {is_own_sdk}");
        }
    }
}
