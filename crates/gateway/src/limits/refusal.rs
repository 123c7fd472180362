//! The response to a client that has reached a limit.

use crate::Headers;
use crate::limits::amount::Usd;
use crate::limits::period::Moment;
use crate::limits::rules::Unit;

/// A rate limit that a request has reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Which limit, whose, and when to try again.
    pub message: String,
    /// The limit's label in the log.
    pub label: String,
    /// `requests` or `tokens`, the `type` of OpenAI's errors.
    pub kind: &'static str,
    /// Milliseconds until the request may be sent again.
    pub retry_ms: u64,
    /// The headers about rates.
    pub rates: Rates,
}

/// The state of the rate limits, as the headers of OpenAI's API have it.
/// <https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of requests.
    pub requests: Option<Rate>,
    /// Of tokens.
    pub tokens: Option<Rate>,
}

/// The state of one rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What may be used in a minute.
    pub limit: i64,
    /// What is left of it.
    pub remaining: i64,
    /// Milliseconds until all of it is there again.
    pub reset_ms: u64,
}

/// The prefix of the headers about rates, which providers send, too.
const PREFIX: &str = "x-ratelimit-";

impl RateLimit {
    /// Returns the whole seconds to wait, as `retry-after` has them: 1 to 60.
    pub fn retry_seconds(&self) -> u64 {
        self.retry_ms.div_ceil(1000).clamp(1, 60)
    }

    /// Adds the headers that say when to try again.
    pub fn add_headers(&self, headers: &mut Headers) {
        headers.push("retry-after", self.retry_seconds().to_string());
        headers.push("retry-after-ms", self.retry_ms.clamp(1, 60_000).to_string());
        self.rates.add_headers(headers);
    }
}

impl Rates {
    /// Notes the state of a limit, if it is the closest one of its kind.
    pub fn note(slot: &mut Option<Rate>, rate: Rate) {
        if slot.is_none_or(|known| rate.remaining < known.remaining) {
            *slot = Some(rate);
        }
    }

    /// Adds the headers to a response. The provider's of the same names get another one.
    pub fn add_headers(&self, headers: &mut Headers) {
        if self.requests.is_none() && self.tokens.is_none() {
            return;
        }
        headers.rename_prefix(PREFIX, "x-upstream-ratelimit-");
        for (rate, kind) in [(self.requests, "requests"), (self.tokens, "tokens")] {
            if let Some(Rate { limit, remaining, reset_ms }) = rate {
                headers.push(&format!("{PREFIX}limit-{kind}"), limit.to_string());
                headers.push(&format!("{PREFIX}remaining-{kind}"), remaining.max(0).to_string());
                headers.push(&format!("{PREFIX}reset-{kind}"), duration(reset_ms));
            }
        }
    }
}

/// Formats a duration as OpenAI does: `1m30s`, `30s`.
fn duration(millis: u64) -> String {
    let seconds = millis.div_ceil(1000);
    match seconds / 60 {
        0 => format!("{seconds}s"),
        minutes => format!("{minutes}m{}s", seconds % 60),
    }
}

/// Formats an amount with its unit: `50 USD`, `2000 tokens`.
pub(crate) fn amount(unit: Unit, amount: i64) -> String {
    match unit {
        Unit::Tokens => format!("{amount} tokens"),
        Unit::Usd => format!("{} USD", Usd(amount)),
    }
}

/// Formats a time in seconds since 1970, RFC 3339.
pub(crate) fn time(seconds: u64) -> String {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    let text = crate::keys::time::rfc3339(time);
    text.replace(".000Z", "Z")
}

/// Returns how long a request has to wait for a rate of `limit` per minute, in milliseconds, of which
/// `current` were used in this minute and `previous` in the one before.
pub(crate) fn wait_ms(limit: i64, current: i64, previous: i64, at: Moment) -> u64 {
    const MINUTE: i64 = 60_000;
    let elapsed = i64::try_from(at.millis % 60_000).unwrap_or(0);
    let wait = if current < limit && previous > 0 {
        // The share of the previous minute shrinks until the sum is below the limit.
        MINUTE - MINUTE.saturating_mul(limit - current) / previous - elapsed
    } else {
        // Then this minute is the previous one.
        2 * MINUTE - elapsed - MINUTE.saturating_mul(limit) / current.max(1)
    };
    u64::try_from(wait + 1).unwrap_or(1).clamp(1, 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn add_headers_keeps_the_providers_under_another_name() {
        let mut headers: Headers =
            [("x-ratelimit-limit-requests", "1"), ("x-request-id", "a")].into_iter().collect();
        Rates::default().add_headers(&mut headers);
        assert_eq!(headers.get_str("x-ratelimit-limit-requests"), Some("1"));
        let rates = Rates {
            requests: Some(Rate { limit: 60, remaining: -2, reset_ms: 89_001 }),
            tokens: Some(Rate { limit: 9, remaining: 4, reset_ms: 59_000 }),
        };
        rates.add_headers(&mut headers);
        for (name, expected) in [
            ("x-upstream-ratelimit-limit-requests", "1"),
            ("x-request-id", "a"),
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "1m30s"),
            ("x-ratelimit-remaining-tokens", "4"),
            ("x-ratelimit-reset-tokens", "59s"),
        ] {
            assert_eq!(headers.get_str(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn wait_ends_when_the_rate_is_below_the_limit() {
        for (limit, current, previous, elapsed) in [
            (10, 0, 20, 0),
            (10, 5, 10, 10_000),
            (10, 5, 10, 29_000),
            (10, 10, 0, 30_000),
            (10, 12, 0, 30_000),
            (10, 0, 11, 1),
            (1, 1, 0, 0),
            (1, 0, 1, 59_999),
        ] {
            let wait = wait_ms(limit, current, previous, Moment { millis: 600_000 + elapsed });
            assert!((1..=60_000).contains(&wait), "{wait}");
            let at = elapsed + wait;
            // The rate after the wait, in thousandths.
            let (share, passed) = if at < 60_000 { (previous, at) } else { (current, at - 60_000) };
            let rest = if at < 60_000 { current * 60_000 } else { 0 };
            let rate = share * (60_000 - i64::try_from(passed).unwrap()) + rest;
            assert!(
                rate <= limit * 60_000 || wait == 60_000,
                "{limit} {current} {previous} {elapsed}: {wait}"
            );
        }
    }
}
