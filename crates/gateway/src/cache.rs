//! Cache keys that no two teams share.
//!
//! With provider keys stored in Cloudflare the gateway's cache is one for all callers. What a
//! client asks to be cached is therefore keyed by its team.
//! <https://developers.cloudflare.com/ai-gateway/features/caching/>

use sha2::{Digest, Sha256};

use crate::{Headers, Team};

const KEY: &str = "cf-aig-cache-key";
const TTL: &str = "cf-aig-cache-ttl";

/// Whether the cache key is derived from the body, which must then be read whole.
pub fn needs_body(headers: &Headers) -> bool {
    headers.get(TTL).is_some() && headers.get(KEY).is_none()
}

/// The `cf-aig-cache-key` to send, if the client asks for caching.
///
/// `path` is the upstream's path with its query, `body` what leaves.
pub fn key(headers: &Headers, team: &Team, path: &str, body: &[u8]) -> Option<Vec<u8>> {
    if let Some(given) = headers.get(KEY) {
        // A key that is held to something must not get what another key of its team was given.
        let is_held = team.limited || !team.scope.is_open();
        let key = if is_held { team.id() } else { "" };
        return Some([team.cache_scope().as_bytes(), b":", key.as_bytes(), b":", given].concat());
    }
    if !needs_body(headers) {
        return None;
    }
    // Lengths keep one part from running into the next.
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
    use crate::team::tests::team;

    fn key_for(headers: &[(&str, &str)], team_id: &str, path: &str, body: &str) -> Option<String> {
        let headers = headers.iter().copied().collect();
        key(&headers, &team(team_id), path, body.as_bytes())
            .map(|key| String::from_utf8(key).unwrap())
    }

    #[test]
    fn a_clients_key_is_scoped_by_team() {
        let given = [(KEY, "mine"), (TTL, "60")];
        let blue = key_for(&given, "blue", "/a", "{}").unwrap();
        assert!(blue.ends_with(":mine"));
        assert_ne!(Some(blue), key_for(&given, "red", "/a", "{}"));
    }

    #[test]
    fn a_team_id_cannot_imitate_another_scope() {
        let one = key_for(&[(KEY, "b:c")], "a", "/", "");
        let other = key_for(&[(KEY, "c")], "a:b", "/", "");
        assert_ne!(one, other);
    }

    #[test]
    fn a_ttl_alone_derives_a_key_of_all_that_matters() {
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
    fn no_wish_no_key() {
        assert_eq!(key_for(&[("cf-aig-skip-cache", "true")], "blue", "/a", "{}"), None);
    }
}
