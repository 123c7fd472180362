//! Cache keys that no two teams share.
//!
//! The AI Gateway has one cache for all callers. What a client wants cached is therefore keyed by
//! its team.
//! <https://developers.cloudflare.com/ai-gateway/features/caching/>

use sha2::{Digest, Sha256};

use crate::{Headers, Team};

const KEY: &str = "cf-aig-cache-key";
const TTL: &str = "cf-aig-cache-ttl";

/// Checks whether the cache key is derived from the body, which must then be read whole.
pub fn needs_body(headers: &Headers) -> bool {
    headers.get(TTL).is_some() && headers.get(KEY).is_none()
}

/// Derives the `cf-aig-cache-key` to send, if the client wants caching.
///
/// `path` is the upstream's path with its query, and `body` the one that is sent.
pub fn derive(headers: &Headers, team: &Team, path: &str, body: &[u8]) -> Option<Vec<u8>> {
    if let Some(given) = headers.get(KEY) {
        // A restricted key must not read a response that another key of its team was allowed to get.
        let is_restricted = team.limited || !team.scope.is_unrestricted();
        let key = if is_restricted { team.id() } else { "" };
        return Some([team.cache_scope().as_bytes(), b":", key.as_bytes(), b":", given].concat());
    }
    if !needs_body(headers) {
        return None;
    }
    // Each part is preceded by its length, so that no two lists of parts hash the same bytes.
    let mut digest = Sha256::new();
    for part in [team.team_id.as_bytes(), path.as_bytes(), body] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    Some(hex::encode(digest.finalize()).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::team::tests::team;

    fn key_for(headers: &[(&str, &str)], team_id: &str, path: &str, body: &str) -> Option<String> {
        let headers = headers.iter().copied().collect();
        derive(&headers, &team(team_id), path, body.as_bytes())
            .map(|key| String::from_utf8(key).unwrap())
    }

    #[test]
    fn derive_scopes_a_clients_key_by_team() {
        let given = [(KEY, "mine"), (TTL, "60")];
        let blue = key_for(&given, "blue", "/a", "{}").unwrap();
        assert!(blue.ends_with(":mine"));
        assert_ne!(Some(blue), key_for(&given, "red", "/a", "{}"));
    }

    #[test]
    fn derive_keeps_a_team_from_imitating_another() {
        let one = key_for(&[(KEY, "b:c")], "a", "/", "");
        let other = key_for(&[(KEY, "c")], "a:b", "/", "");
        assert_ne!(one, other);
    }

    #[test]
    fn derive_hashes_team_path_and_body_for_a_ttl_alone() {
        let ttl = [(TTL, "60")];
        let base = key_for(&ttl, "blue", "/a", "{}");
        assert!(base.is_some());
        assert_eq!(base, key_for(&ttl, "blue", "/a", "{}"));
        for (team, path, body) in [("red", "/a", "{}"), ("blue", "/b", "{}"), ("blue", "/a", "[]")]
        {
            assert_ne!(base, key_for(&ttl, team, path, body), "{team} {path} {body}");
        }
    }

    #[test]
    fn derive_returns_nothing_without_caching() {
        assert_eq!(key_for(&[("cf-aig-skip-cache", "true")], "blue", "/a", "{}"), None);
    }
}
