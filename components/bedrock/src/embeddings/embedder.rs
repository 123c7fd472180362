//! The embedding models, each with its own wire format.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html>

use gateway::Error;

use crate::catalog::model::base_model_id;
use crate::embeddings::request::EmbeddingRequest;
use crate::embeddings::vectors::Vectors;
use crate::embeddings::{cohere, nova, titan};
use crate::json::Text;

/// The embedding models and their wire formats.
pub(crate) const MODELS: [(&str, Embedder); 8] = [
    ("amazon.nova-2-multimodal-embeddings-v1:0", Embedder::Nova),
    ("amazon.titan-embed-g1-text-02", Embedder::TitanText),
    ("amazon.titan-embed-image-v1", Embedder::TitanImage),
    ("amazon.titan-embed-text-v1", Embedder::TitanText),
    ("amazon.titan-embed-text-v2:0", Embedder::TitanText2),
    ("cohere.embed-english-v3", Embedder::Cohere3),
    ("cohere.embed-multilingual-v3", Embedder::Cohere3),
    ("cohere.embed-v4:0", Embedder::Cohere4),
];

/// Room for all fields of a request but its texts.
pub(super) const FIELDS_LENGTH: usize = 512;

/// A wire format for embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embedder {
    TitanText,
    TitanText2,
    TitanImage,
    Cohere3,
    Cohere4,
    Nova,
}

impl Embedder {
    /// Finds the wire format of the model `id`, of any version and in any region.
    ///
    /// # Errors
    /// A client error that lists the embedding models.
    pub(crate) fn of(id: &str) -> Result<Self, Error> {
        let name = |id| str::split(id, ':').next();
        let base = base_model_id(id).map(name);
        let known = MODELS.iter().find(|(listed, _)| base == Some(name(*listed)));
        known.map(|(_, embedder)| *embedder).ok_or_else(not_embedding)
    }

    /// Checks that the model supports what `request` asks for.
    ///
    /// # Errors
    /// A client error that names the field at fault.
    pub(crate) fn check(self, request: &EmbeddingRequest<'_>) -> Result<(), Error> {
        if let Some(dimensions) = request.dimensions {
            check_dimensions(dimensions, self.dimensions())?;
        }
        let truncates = matches!(self, Self::Cohere3 | Self::Cohere4 | Self::Nova);
        if request.truncate.is_some() && !truncates {
            let message = "this model cannot truncate input: omit `truncate`";
            return Err(Error::unsupported("truncate", message));
        }
        Ok(())
    }

    /// Returns the maximum number of texts in one upstream request.
    pub(crate) fn texts_per_call(self) -> usize {
        match self {
            Self::Cohere3 | Self::Cohere4 => 96,
            Self::TitanText | Self::TitanText2 | Self::TitanImage | Self::Nova => 1,
        }
    }

    /// Returns the vector sizes to choose from; empty if the size is fixed.
    fn dimensions(self) -> &'static [u64] {
        match self {
            Self::TitanText | Self::Cohere3 => &[],
            Self::TitanText2 => &[256, 512, 1024],
            Self::TitanImage => &[256, 384, 1024],
            Self::Cohere4 => &[256, 512, 1024, 1536],
            Self::Nova => &[256, 384, 1024, 3072],
        }
    }

    /// Creates the body that requests `texts`, which are a part of the texts of `request`.
    pub(crate) fn body(self, texts: &[Text<'_>], request: &EmbeddingRequest<'_>) -> Vec<u8> {
        match (self, texts) {
            (Self::Cohere3 | Self::Cohere4, _) => cohere::body(texts, request),
            (_, []) => Vec::new(),
            (Self::TitanText, [text, ..]) => titan::text_body(text),
            (Self::TitanText2, [text, ..]) => titan::text2_body(text, request.dimensions),
            (Self::TitanImage, [text, ..]) => titan::image_body(text, request.dimensions),
            (Self::Nova, [text, ..]) => nova::body(text, request),
        }
    }

    /// Parses the body of a response.
    ///
    /// # Errors
    /// [`Error::InvalidUpstreamResponse`] if it contains no vectors.
    pub(crate) fn read(self, body: &[u8]) -> Result<Vectors<'_>, Error> {
        let outcome = match self {
            Self::TitanText | Self::TitanText2 | Self::TitanImage => titan::read(body),
            Self::Cohere3 | Self::Cohere4 => cohere::read(body),
            Self::Nova => nova::read(body),
        };
        outcome.map_err(|error| {
            Error::invalid_response(format!("a response without vectors: {error}"))
        })
    }
}

/// Checks that `dimensions` is one of the `allowed` sizes.
fn check_dimensions(dimensions: u64, allowed: &[u64]) -> Result<(), Error> {
    if allowed.is_empty() {
        let message = "this model has a fixed vector size: omit `dimensions`";
        return Err(Error::unsupported("dimensions", message));
    }
    if allowed.contains(&dimensions) {
        return Ok(());
    }
    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    let message = format!("`dimensions` of this model must be one of {}", allowed.join(", "));
    Err(Error::invalid_param("dimensions", message))
}

/// Creates the error for a model that is not an embedding model.
fn not_embedding() -> Error {
    let names = MODELS.map(|(id, _)| id).join(", ");
    Error::unsupported(
        "model",
        format!("this model does not create embeddings: use one of {names}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_finds_a_model_in_any_version_and_region() {
        for (id, expected) in [
            ("amazon.titan-embed-text-v1", Some(Embedder::TitanText)),
            ("amazon.titan-embed-text-v1:2:8k", Some(Embedder::TitanText)),
            ("amazon.titan-embed-text-v2:0", Some(Embedder::TitanText2)),
            ("amazon.titan-embed-image-v1:0", Some(Embedder::TitanImage)),
            ("cohere.embed-english-v3", Some(Embedder::Cohere3)),
            ("cohere.embed-multilingual-v3:0:512", Some(Embedder::Cohere3)),
            ("us.cohere.embed-v4:0", Some(Embedder::Cohere4)),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.cohere.embed-v4:0",
                Some(Embedder::Cohere4),
            ),
            ("amazon.nova-2-multimodal-embeddings-v1:0", Some(Embedder::Nova)),
            ("amazon.titan-embed-text-v20", None),
            ("amazon.nova-pro-v1:0", None),
            ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", None),
        ] {
            assert_eq!(Embedder::of(id).ok(), expected, "{id}");
        }
        let error = Embedder::of("amazon.nova-pro-v1:0").unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }));
        assert!(error.to_string().contains("cohere.embed-v4:0"), "{error}");
    }

    #[test]
    fn check_dimensions_accepts_the_sizes_of_the_model() {
        for (embedder, allowed) in [
            (Embedder::TitanText2, "256 512 1024"),
            (Embedder::TitanImage, "256 384 1024"),
            (Embedder::Cohere4, "256 512 1024 1536"),
            (Embedder::Nova, "256 384 1024 3072"),
            (Embedder::TitanText, ""),
            (Embedder::Cohere3, ""),
        ] {
            for dimensions in [0, 256, 384, 512, 1024, 1536, 3072, 4096] {
                let outcome = check_dimensions(dimensions, embedder.dimensions());
                let is_allowed = allowed.split(' ').any(|one| one == dimensions.to_string());
                assert_eq!(outcome.is_ok(), is_allowed, "{embedder:?} {dimensions}");
                let param = outcome.err().map(|error| error.param().map(ToOwned::to_owned));
                assert!(param.is_none_or(|param| param.as_deref() == Some("dimensions")));
            }
        }
    }
}
