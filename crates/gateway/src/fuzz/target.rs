//! Paths: every accepted target stays below its prefix and has one meaning for every hop.

use corpus::Input;
use proptest::prelude::*;

use crate::Error;
use crate::http::target::{Target, raw_path};

const SLUG: &str = "route";

/// The prefix that the path is appended to.
const PREFIX: &str = "/v1/account/gateway/provider";

/// Names of query parameters that no URL may have.
const CREDENTIALS: &str =
    " access_token api-key api_key apikey authorization key subscription-key x-api-key ";

const WORDS: &str = r"
    / // . .. /.. /../ /./ %2e %2E .%2e %2f %2F %5c \ %25 %252e % %0 %+5 %00 %0d%0a %7f %20 %c3%a9 é
    ␣ ␉ ␍␊ ␀ # ? & = ; + @ : a /v1 /v1/ /route /route/ https://evil.example/
    key= &api_key= &Api%2DKey= %6Bey token
    sk_0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
";

fn urls() -> impl Strategy<Value = String> {
    let corpus = super::lines("target.txt", WORDS);
    let text = |bytes: Input| String::from_utf8_lossy(&bytes).into_owned();
    let below = corpus.inputs().prop_map(move |bytes| {
        let bytes = text(bytes);
        format!("/{SLUG}/{}", bytes.trim_start_matches("/route").trim_start_matches('/'))
    });
    let characters = "/route(/[A-Za-z0-9._~!$&'()*+,;=:@-]{1,9}){0,3}(\\?[ -~]{0,20})?";
    prop_oneof![2 => corpus.inputs().prop_map(text), 4 => below, 1 => characters]
}

/// Decodes `text` once, as any hop may.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes().peekable();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digits = [ahead.next(), ahead.next()]
            .map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        match (byte, digits) {
            (b'%', [Some(high), Some(low)]) => {
                plain.push(u8::try_from(16 * high + low).unwrap());
                bytes = ahead;
            }
            _ => plain.push(byte),
        }
    }
    plain
}

/// Resolves a path as a hop may: decoded, dot segments resolved, slashes merged.
fn resolved(path: &str) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    for segment in decoded(path).split(|byte| matches!(byte, b'/' | b'\\')) {
        match segment {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            _ => kept.push(segment.to_vec()),
        }
    }
    kept
}

/// Checks whether a query names a credential or the URL contains a team key.
fn has_credential(url: &str) -> bool {
    let plain = decoded(url);
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_key = |text: &[u8]| text.starts_with(b"sk_") && text[3..].iter().all(is_digit);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let is_name = |pair: &str| {
        let name = decoded(pair.split('=').next().unwrap());
        CREDENTIALS.contains(&format!(" {} ", String::from_utf8_lossy(&name).to_lowercase()))
    };
    plain.windows(67).any(is_key) || query.split('&').any(is_name)
}

proptest! {
    #[test]
    fn parse_keeps_a_url_below_its_prefix(url in urls()) {
        let target = match Target::parse(&url, SLUG) {
            Ok(target) => target,
            Err(error) => {
                let is_told = matches!(error, Error::UnsafePath(_) | Error::UnknownUrl { .. });
                prop_assert!(is_told, "{:?}", error);
                return Ok(());
            }
        };
        prop_assert_eq!(target.path, raw_path(&url, SLUG));
        prop_assert_eq!(target.query, url.split_once('?').map(|(_, query)| query));
        prop_assert!(!has_credential(&url));

        let sent = target.below(PREFIX);
        let path = sent.split('?').next().unwrap();
        prop_assert_eq!(path.strip_prefix(PREFIX), Some(target.path));
        prop_assert_eq!(sent.split_once('?').map(|(_, query)| query), target.query);

        // A resolver changes nothing, so none can produce another path.
        let segments: Vec<Vec<u8>> = path.trim_matches('/').split('/').map(decoded).collect();
        prop_assert_eq!(resolved(path), segments);
        prop_assert!(!path.contains("//") && !decoded(path).iter().any(u8::is_ascii_control));
        prop_assert!(sent.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));

        let whole = format!("https://gateway.example{sent}");
        let uri: http::Uri = whole.parse().unwrap();
        prop_assert_eq!(uri.host(), Some("gateway.example"));
        prop_assert_eq!(uri.path_and_query().unwrap().as_str(), sent);
    }
}
