//! Computes a signature from the canonical request and the derived key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::simulator::bedrock::sigv4::{ALGORITHM, SignedRequest};

/// Computes the signature that covers the headers `names`.
pub(super) fn compute(signed: &SignedRequest<'_>, names: &[&str], secret: &str) -> String {
    let scope = signed.scope();
    let request = hash(canonical_request(signed, names).as_bytes());
    let text = format!("{ALGORITHM}\n{}\n{scope}\n{request}", signed.date());
    let secret = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(secret, |key, part| authenticate(&key, part));
    hex::encode(authenticate(&key, &text))
}

/// Returns the SHA-256 hash in hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Builds the canonical request. Its query is empty, because the simulated operations have none.
fn canonical_request(signed: &SignedRequest<'_>, names: &[&str]) -> String {
    let path: Vec<String> = signed.path.split('/').map(encode).collect();
    let header = |name: &&str| format!("{name}:{}", canonical_value(signed, name));
    let headers: Vec<String> = names.iter().map(header).collect();
    let (path, headers, names) = (path.join("/"), headers.join("\n"), names.join(";"));
    format!("POST\n{path}\n\n{headers}\n\n{names}\n{}", hash(signed.body))
}

/// Returns a header's value with single spaces. The host is the one that AWS receives, because the
/// AI Gateway replaces it.
fn canonical_value(signed: &SignedRequest<'_>, name: &str) -> String {
    if name == "host" {
        let region = signed.region;
        return match signed.service {
            "bedrock-mantle" => format!("bedrock-mantle.{region}.api.aws"),
            _ => format!("bedrock-runtime.{region}.amazonaws.com"),
        };
    }
    let values: Vec<String> = signed
        .headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    values.join(",")
}

/// Encodes a segment of the path. It is encoded a second time, as AWS requires for every service
/// but S3.
fn encode(segment: &str) -> String {
    segment.bytes().fold(String::new(), |encoded, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            encoded + char::from(byte).encode_utf8(&mut [0; 4])
        }
        _ => format!("{encoded}%{byte:02X}"),
    })
}

/// Computes the HMAC-SHA-256 of a text. Keys may have any length, so it never fails.
fn authenticate(key: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |code| code.chain_update(text).finalize().into_bytes().to_vec(),
    )
}
