//! Amazon Bedrock's runtime, as far as clients can tell from its shapes: Converse, its stream, and
//! the embedding models behind `InvokeModel`. Anthropic's and others' own bodies are not simulated.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>

mod converse;
mod embeddings;
mod exception;
mod faults;
mod frames;
mod instance;
mod model;
mod request;
mod rules;
mod said;
mod schema;
mod sigv4;
mod stream;
mod turn;

use std::time::SystemTime;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::simulator::bedrock::exception::Exception;
use crate::simulator::bedrock::faults::Fault;
use crate::simulator::bedrock::model::Model;
use crate::simulator::bedrock::request::Request;
use crate::simulator::bedrock::sigv4::{Credentials, Signed};
use crate::simulator::faults::gateway_error;
use crate::simulator::reply::Reply;
use crate::simulator::{Provider, Received, checks};

/// The access key that signatures are verified with.
pub const ACCESS_KEY_ID: &str = "AKIASIMULATED0000000";

/// Its secret.
pub const SECRET_ACCESS_KEY: &str = "provider-key-bedrock-secret";

/// The session token that a request may bring beside the access key.
pub const SESSION_TOKEN: &str = "simulated-session-token";

/// The regions there are.
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

/// Where the runtime is, below the gateway's base. The region comes next.
const RUNTIME: &str = "aws-bedrock/bedrock-runtime/";

/// What AWS calls every simulated request.
const REQUEST_ID: &str = "5d2c0a3e-0f4b-4c57-9a51-000000000000";

/// What Bedrock would refuse in the body of a Converse request to `model`, by its shape or by what
/// its models take: nothing, if it would answer.
pub fn refusal(model: &str, body: &Value) -> Option<String> {
    let Some(model) = Model::read(model) else {
        return Some("no such model".to_owned());
    };
    let request = Request { body, model: &model, is_stream: false };
    converse::check(&request).err().map(|exception| exception.message)
}

/// Bedrock itself.
pub(crate) struct Bedrock;

/// The bytes of one event of a stream.
pub fn frame(kind: &'static str, payload: Value) -> Bytes {
    frames::Frame::event(kind, payload).encode()
}

impl Provider for Bedrock {
    fn credentials(&self) -> &'static [&'static str] {
        &["authorization"]
    }

    /// Stored credentials leave no trace, an API key is a bearer token, and a signature must hold.
    fn refuse_credential(&self, received: &Received) -> Option<Reply> {
        let authorization = received.header("authorization").unwrap_or_default();
        if authorization.starts_with(sigv4::ALGORITHM) {
            let mut others = received.headers.clone();
            others.remove("authorization");
            let problem = checks::wrong_credential(&others, &[]).map(|text| checks::refuse(&text));
            return problem.or_else(|| verify(received).err().map(|exception| reply(&exception)));
        }
        let is_key = authorization.is_empty() || authorization.starts_with("Bearer provider-key-");
        let is_loose = received.header("x-amz-security-token").is_some();
        let problem = checks::wrong_credential(&received.headers, self.credentials())
            .or_else(|| (!is_key).then(|| "an authorization that is no API key".to_owned()))
            .or_else(|| is_loose.then(|| "a session token without a signature".to_owned()))?;
        Some(checks::refuse(&problem))
    }

    fn answer(&self, received: &Received, segments: &[&str]) -> Reply {
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
        identify(Exception::of_status(status, message).reply_of(status))
    }
}

fn operate(received: &Received, model: &str, operation: &str) -> Result<Reply, Exception> {
    let model = Model::read(model)
        .ok_or_else(|| Exception::validation("The provided model identifier is invalid."))?;
    let body: Value = serde_json::from_slice(&received.body)
        .map_err(|error| Exception::new("SerializationException", error.to_string()))?;
    let fault = Fault::read(&received.headers);
    let request = |is_stream| Request { body: &body, model: &model, is_stream };
    match operation {
        "converse" => converse::answer(&request(false), &fault),
        "converse-stream" => stream::answer(received, &request(true), &fault),
        "invoke" => embeddings::answer(&body, &model, &fault),
        _ => Err(Exception::new("UnknownOperationException", "")),
    }
}

/// Verifies the signature as of now, for the path that AWS would see.
fn verify(received: &Received) -> Result<(), Exception> {
    let path = received.path().strip_prefix(RUNTIME).unwrap_or_default();
    let (region, path) = path.split_at(path.find('/').unwrap_or(path.len()));
    let signed = Signed { region, path, headers: &received.headers, body: &received.body };
    let credentials = Credentials {
        access_key_id: ACCESS_KEY_ID,
        secret_access_key: SECRET_ACCESS_KEY,
        session_token: SESSION_TOKEN,
    };
    sigv4::verify(&signed, &credentials, SystemTime::now())
}

fn reply(exception: &Exception) -> Reply {
    identify(exception.reply())
}

fn identify(reply: Reply) -> Reply {
    reply.with_header("x-amzn-requestid", REQUEST_ID)
}

#[cfg(test)]
mod tests;
