//! What identifies a request in the logs of all that serve it.

use crate::Headers;
use crate::http::bytes::is_lower_hex;

/// The header with the id of a request: this gateway's own, which the upstream gets, too.
pub const REQUEST_ID: &str = "x-request-id";

/// The header with the id that the upstream has given the request.
const UPSTREAM_REQUEST_ID: &str = "x-upstream-request-id";

/// What an id starts with.
const PREFIX: &str = "req_";

/// Returns the id of a request with these headers. One of this gateway's form is kept, so that a component that
/// passes a request on and the one that serves it write the same into the log. Any other client's is replaced by
/// one of `random` bytes.
pub fn request_id(headers: &Headers, random: impl FnOnce() -> [u8; 16]) -> String {
    let is_ours =
        |id: &&str| id.strip_prefix(PREFIX).is_some_and(|digits| is_lower_hex(digits, 32));
    let given = headers.get_str(REQUEST_ID).filter(is_ours);
    given.map_or_else(|| format!("{PREFIX}{}", hex::encode(random())), ToOwned::to_owned)
}

/// Sets the `id` in the headers of a response. One that the upstream has given gets another name.
pub fn set_request_id(headers: &mut Headers, id: &str) {
    if headers.get_str(REQUEST_ID) != Some(id) {
        headers.rename_prefix(REQUEST_ID, UPSTREAM_REQUEST_ID);
    }
    headers.set(REQUEST_ID, id);
}

/// Returns the ids of the client's trace and span.
/// <https://www.w3.org/TR/trace-context/#traceparent-header>
pub fn ids(headers: &Headers) -> Option<(&str, &str)> {
    let mut parts = headers.get_str("traceparent")?.split('-');
    let (_, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    (is_lower_hex(trace, 32) && is_lower_hex(span, 16)).then_some((trace, span))
}

/// Formats the header `server-timing`: how many of the `micros` in all were a component's own, and how many it
/// `waited` for what is behind it, each with its name. <https://www.w3.org/TR/server-timing/>
pub fn server_timing([own, other]: [&str; 2], micros: u64, waited: Option<u64>) -> String {
    let part = |name: &str, micros: u64| {
        let (millis, tenths) = ((micros / 1000).to_string(), (micros % 1000 / 100).to_string());
        [name, ";dur=", &millis, ".", &tenths].concat()
    };
    let own = part(own, micros.saturating_sub(waited.unwrap_or(0)));
    match waited {
        Some(waited) => own + ", " + &part(other, waited),
        None => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_id_keeps_only_an_id_of_its_own_form() {
        let drawn = format!("{PREFIX}{}", "07".repeat(16));
        let own = format!("{PREFIX}{}", "ab".repeat(16));
        for (given, expected) in [
            (own.as_str(), own.as_str()),
            ("ab", &drawn),
            ("req_ab", &drawn),
            (&own.to_uppercase(), &drawn),
            (&format!("{own}\n"), &drawn),
        ] {
            let headers = [(REQUEST_ID, given)].into_iter().collect();
            assert_eq!(request_id(&headers, || [7; 16]), expected, "{given}");
        }
        assert_eq!(request_id(&Headers::default(), || [7; 16]), drawn);
    }

    #[test]
    fn set_request_id_keeps_the_upstreams() {
        for (given, expected) in [
            (&[][..], &[(REQUEST_ID, "req_1")][..]),
            (&[(REQUEST_ID, "req_1")], &[(REQUEST_ID, "req_1")]),
            (&[(REQUEST_ID, "a")], &[(UPSTREAM_REQUEST_ID, "a"), (REQUEST_ID, "req_1")]),
        ] {
            let mut headers = given.iter().copied().collect();
            set_request_id(&mut headers, "req_1");
            assert_eq!(headers, expected.iter().copied().collect());
        }
    }

    #[test]
    fn server_timing_is_in_milliseconds() {
        let names = ["gateway", "upstream"];
        assert_eq!(server_timing(names, 1234, None), "gateway;dur=1.2");
        let expected = "gateway;dur=0.4, upstream;dur=812.0";
        assert_eq!(server_timing(names, 812_450, Some(812_049)), expected);
    }

    #[test]
    fn ids_are_those_of_a_valid_traceparent() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let found = |value: &str| {
            let headers: Headers = [("traceparent", value)].into_iter().collect();
            ids(&headers).map(|(trace, span)| (trace.to_owned(), span.to_owned()))
        };
        let expected = Some((trace.to_owned(), span.to_owned()));
        assert_eq!(found(&format!("00-{trace}-{span}-01")), expected);
        for value in ["", "00", &format!("00-{trace}"), &format!("00-{span}-{trace}-01")] {
            assert_eq!(found(value), None, "{value}");
        }
    }
}
