//! Bounds on the parts of a request.
//!
//! A short text can stand for a large value in memory: a message of 30 bytes takes several hundred.
//! Whatever a body consists of, the bounds keep the memory of an instance below three times the body
//! plus 16 MiB, which is less than four times a large body. They are far above what models accept, and
//! each is reported as an error of the client.

use std::borrow::Cow;

use gateway::Error;

/// A bound on a number of things.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) most: usize,
    /// What is counted, for the error message.
    what: &'static str,
}

/// The fields of the body, and of each object in it that is read as a list of fields.
pub(crate) const FIELDS: Limit = Limit { most: 1024, what: "fields" };

/// The messages of a conversation. With 100 tokens each, these are a context of a million tokens.
pub(crate) const MESSAGES: Limit = Limit { most: 10_000, what: "messages" };

/// What the messages contain, all together.
pub(crate) const PARTS: Limit =
    Limit { most: 10_000, what: "content parts, tool calls and thinking blocks" };

/// The tools. OpenAI's API accepts 128.
pub(crate) const TOOLS: Limit = Limit { most: 1024, what: "tools" };

/// The kinds of output, of which there are two.
pub(crate) const MODALITIES: Limit = Limit { most: 16, what: "modalities" };

/// The additions to a response that a request asks for. OpenAI's API knows eight.
pub(crate) const INCLUDED: Limit = Limit { most: 64, what: "values" };

/// The stop sequences, as many as Bedrock accepts.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>
pub(crate) const STOP_SEQUENCES: Limit = Limit { most: 2500, what: "stop sequences" };

/// The texts of a request for embeddings, as many as OpenAI's API accepts.
pub(crate) const TEXTS: Limit = Limit { most: 2048, what: "texts" };

/// The bytes of a schema: about 300,000 tokens, more than a model can use.
pub(crate) const SCHEMA_BYTES: Limit = Limit { most: 1024 * 1024, what: "bytes" };

/// The depth of a schema, at which `serde_json` and other parsers stop.
pub(crate) const SCHEMA_DEPTH: Limit = Limit { most: 128, what: "levels" };

/// The bytes of a field's name, a tool's name and a call's id, which are compared with all others.
/// Bedrock accepts 64 for tools and ids; longer ones are replaced.
pub(crate) const NAME_BYTES: Limit = Limit { most: 1024, what: "bytes" };

/// The bytes of a model's name, as many as Bedrock accepts in an ARN.
pub(crate) const MODEL_BYTES: Limit = Limit { most: 2048, what: "bytes" };

/// The calls of one request that are made by splitting the arguments of another call.
pub(crate) const SPLIT_CALLS: usize = 1024;

impl Limit {
    /// Checks that there are no more than `count` things in the field `param`.
    ///
    /// # Errors
    /// A client error that names the field and the bound.
    pub(crate) fn check(
        &self,
        count: usize,
        param: impl Into<Cow<'static, str>>,
    ) -> Result<(), Error> {
        if count <= self.most { Ok(()) } else { Err(self.exceeded(param)) }
    }

    /// Creates the error for too many things in the field `param`.
    pub(crate) fn exceeded(&self, param: impl Into<Cow<'static, str>>) -> Error {
        let param = param.into();
        let message = format!("`{param}` may have at most {} {}", self.most, self.what);
        Error::invalid_param(param, message)
    }
}
