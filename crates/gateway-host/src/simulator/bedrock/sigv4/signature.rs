//! Computes a signature: the canonical request, what is signed of it, and the key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::simulator::bedrock::sigv4::{ALGORITHM, Signed};

/// The signature that covers the headers `names`.
pub(super) fn compute(signed: &Signed<'_>, names: &[&str], secret: &str) -> String {
    let scope = signed.scope();
    let request = hash(canonical_request(signed, names).as_bytes());
    let text = format!("{ALGORITHM}\n{}\n{scope}\n{request}", signed.date());
    let secret = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(secret, |key, part| authenticate(&key, part));
    hex::encode(authenticate(&key, &text))
}

/// SHA-256 in hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn canonical_request(signed: &Signed<'_>, names: &[&str]) -> String {
    let path: Vec<String> = signed.path.split('/').map(encode).collect();
    let header = |name: &&str| format!("{name}:{}", canonical_value(signed, name));
    let headers: Vec<String> = names.iter().map(header).collect();
    let (path, headers, names) = (path.join("/"), headers.join("\n"), names.join(";"));
    format!("POST\n{path}\n\n{headers}\n\n{names}\n{}", hash(signed.body))
}

/// A header's value in one line of single spaces; the host is the one that AWS would see.
fn canonical_value(signed: &Signed<'_>, name: &str) -> String {
    if name == "host" {
        return format!("bedrock-runtime.{}.amazonaws.com", signed.region);
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

/// Every service but S3 encodes a path once more than it was sent.
fn encode(segment: &str) -> String {
    segment.bytes().fold(String::new(), |encoded, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            encoded + char::from(byte).encode_utf8(&mut [0; 4])
        }
        _ => format!("{encoded}%{byte:02X}"),
    })
}

/// HMAC-SHA-256, which takes keys of any length.
fn authenticate(key: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |code| code.chain_update(text).finalize().into_bytes().to_vec(),
    )
}
