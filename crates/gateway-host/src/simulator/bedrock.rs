//! Amazon Bedrock's runtime, reduced to the shapes that clients see: Converse, `ConverseStream`,
//! and the embedding models behind `InvokeModel`. Other bodies of `InvokeModel` are not simulated.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

mod converse;
mod embeddings;
mod exception;
mod faults;
mod frames;
mod instance;
mod last_turn;
mod model;
mod request;
mod rules;
mod schema;
mod sigv4;
mod stream;
mod turn;

use std::time::SystemTime;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::simulator::anthropic::Anthropic;
use crate::simulator::bedrock::exception::Exception;
use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::model::Model;
use crate::simulator::bedrock::request::Request;
use crate::simulator::bedrock::sigv4::{Credentials, SignedRequest};
use crate::simulator::faults::gateway_error;
use crate::simulator::reply::Reply;
use crate::simulator::{Provider, Received, checks};

/// The ID of the access key that signatures are verified with.
pub const ACCESS_KEY_ID: &str = "AKIASIMULATED0000000";

/// The secret of the access key.
pub const SECRET_ACCESS_KEY: &str = "provider-key-bedrock-secret";

/// The session token that a request may carry alongside the access key.
pub const SESSION_TOKEN: &str = "simulated-session-token";

/// The regions that exist.
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

/// The path of the runtime below the AI Gateway's base. The region follows it.
const RUNTIME: &str = "aws-bedrock/bedrock-runtime/";

/// The path of the vendors' APIs, below which is a region, too.
const MANTLE: &str = "aws-bedrock/bedrock-mantle/";

/// The request ID of every response.
const REQUEST_ID: &str = "5d2c0a3e-0f4b-4c57-9a51-000000000000";

/// Checks the body of a Converse request to `model` against AWS's schema and the rules of its
/// models. Returns the message of the error, or `None` if Bedrock would accept the request.
pub fn refusal(model: &str, body: &Value) -> Option<String> {
    let Some(model) = Model::read(model) else {
        return Some("no such model".to_owned());
    };
    let request = Request { body, model: &model, is_stream: false };
    converse::check(&request).err().map(|exception| exception.message)
}

/// The provider Amazon Bedrock.
pub(crate) struct Bedrock;

/// Encodes one event of a stream.
pub fn frame(kind: &'static str, payload: Value) -> Bytes {
    frames::Frame::event(kind, payload).encode()
}

impl Provider for Bedrock {
    fn credentials(&self) -> &'static [&'static str] {
        &["authorization"]
    }

    /// Accepts a request without credentials, which uses those stored in the AI Gateway, one with
    /// the configured API key, and one with a valid signature. Rejects every other.
    fn refuse_credential(&self, received: &Received) -> Option<Reply> {
        let authorization = received.header("authorization").unwrap_or_default();
        if authorization.starts_with(sigv4::ALGORITHM) {
            // The signature is in `authorization`, so the check for other credentials must not see
            // it.
            let mut others = received.headers.clone();
            others.remove("authorization");
            let violation =
                checks::wrong_credential(&others, &[]).map(|text| checks::refuse(&text));
            return violation.or_else(|| verify(received).err().map(|exception| reply(&exception)));
        }
        let is_key = authorization.is_empty() || authorization.starts_with("Bearer provider-key-");
        let has_stray_token = received.header("x-amz-security-token").is_some();
        let problem = checks::wrong_credential(&received.headers, self.credentials())
            .or_else(|| (!is_key).then(|| "the authorization is not a Bedrock API key".to_owned()))
            .or_else(|| has_stray_token.then(|| "the session token has no signature".to_owned()))?;
        Some(checks::refuse(&problem))
    }

    fn respond(&self, received: &Received, segments: &[&str]) -> Reply {
        if let ["bedrock-mantle", region, "anthropic", rest @ ..] = segments
            && REGIONS.contains(region)
        {
            return Anthropic.respond(received, rest);
        }
        let ["bedrock-runtime", region, rest @ ..] = segments else {
            return gateway_error(2005);
        };
        if !REGIONS.contains(region) {
            return gateway_error(2005);
        }
        let is_json = received.header("content-type") == Some("application/json");
        match (&received.method, rest) {
            (&Method::POST, ["model", ..]) if !is_json => {
                checks::refuse("content-type is not application/json")
            }
            (&Method::POST, ["model", model, operation]) if received.query().is_empty() => {
                let reply_or_error = operate(received, model, operation);
                identify(reply_or_error.unwrap_or_else(|exception| exception.reply()))
            }
            _ => reply(&Exception::new("UnknownOperationException", "")),
        }
    }

    fn error(&self, _: &Received, status: u16, message: &str) -> Reply {
        identify(Exception::from_status(status, message).reply_with_status(status))
    }
}

/// Runs an operation of a model.
fn operate(received: &Received, model: &str, operation: &str) -> Result<Reply, Exception> {
    let model = Model::read(model)
        .ok_or_else(|| Exception::validation("The provided model identifier is invalid."))?;
    let body: Value = serde_json::from_slice(&received.body)
        .map_err(|error| Exception::new("SerializationException", error.to_string()))?;
    let fault = Fault::read(&received.headers);
    let request = |is_stream| Request { body: &body, model: &model, is_stream };
    match operation {
        "converse" => converse::respond(&request(false), &fault),
        "converse-stream" => stream::respond(received, &request(true), &fault),
        "invoke" => embeddings::respond(&body, &model, &fault),
        _ => Err(Exception::new("UnknownOperationException", "")),
    }
}

/// Verifies the signature at the current time, for the path that AWS would receive: the AI Gateway
/// strips everything up to and including the region.
fn verify(received: &Received) -> Result<(), Exception> {
    let (service, path) = match received.path().strip_prefix(MANTLE) {
        Some(path) => ("bedrock-mantle", path),
        None => ("bedrock", received.path().strip_prefix(RUNTIME).unwrap_or_default()),
    };
    let (region, path) = path.split_at(path.find('/').unwrap_or(path.len()));
    let signed =
        SignedRequest { service, region, path, headers: &received.headers, body: &received.body };
    let credentials = Credentials {
        access_key_id: ACCESS_KEY_ID,
        secret_access_key: SECRET_ACCESS_KEY,
        session_token: SESSION_TOKEN,
    };
    sigv4::verify(&signed, &credentials, SystemTime::now())
}

/// Builds the response of an exception.
fn reply(exception: &Exception) -> Reply {
    identify(exception.reply())
}

/// Adds the request ID that all responses of AWS have.
fn identify(reply: Reply) -> Reply {
    reply.with_header("x-amzn-requestid", REQUEST_ID)
}

#[cfg(test)]
mod tests;
