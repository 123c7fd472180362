//! Times as the gateway writes them: RFC 3339 in UTC with milliseconds.

use std::time::{SystemTime, UNIX_EPOCH};

/// Formats `time` as `2026-01-31T23:59:59.123Z`.
///
/// A clock outside the years 1970 to 9999 is a broken host; its time is formatted as the epoch.
pub fn rfc3339(time: SystemTime) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(24);
    if write!(text, "{}", humantime::format_rfc3339_millis(time.max(UNIX_EPOCH))).is_err() {
        "1970-01-01T00:00:00.000Z".clone_into(&mut text);
    }
    text
}

/// Parses a time in RFC 3339, in UTC; returns nothing if `text` is not one.
pub fn parse(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rfc3339_has_milliseconds_and_z() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_709_208_000_007, "2024-02-29T12:00:00.007Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(millis)), expected);
        }
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000Z");
    }
}
