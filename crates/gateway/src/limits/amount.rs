//! Amounts of money: whole nano-dollars, so that sums are exact.

use std::fmt;

/// Nano-dollars in a dollar.
const NANOS: i64 = 1_000_000_000;

/// An amount of US dollars, as a whole number of nano-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(pub i64);

impl Usd {
    /// Parses a decimal such as `50`, `0.125` or `.5`, with at most nine digits behind the point; returns
    /// nothing for anything else, such as a negative or an overlong number.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let missing = u32::try_from(9_usize.checked_sub(fraction.len())?).ok()?;
        let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse().ok() };
        let (whole, fraction): (i64, i64) = (number(whole)?, number(fraction)?);
        let fraction = fraction.checked_mul(10_i64.checked_pow(missing)?)?;
        whole.checked_mul(NANOS)?.checked_add(fraction).map(Self)
    }
}

impl fmt::Display for Usd {
    /// Formats the amount as a decimal without zeros at its end.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let (whole, fraction) = (nanos / NANOS.unsigned_abs(), nanos % NANOS.unsigned_abs());
        let text = format!("{sign}{whole}.{fraction:09}");
        formatter.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_reads_decimals_exactly() {
        for (text, expected, formatted) in [
            ("50", Some(50_000_000_000), "50"),
            ("0.1", Some(100_000_000), "0.1"),
            (".5", Some(500_000_000), "0.5"),
            ("5.", Some(5_000_000_000), "5"),
            ("0.000000001", Some(1), "0.000000001"),
            ("10.50", Some(10_500_000_000), "10.5"),
            ("9223372036.854775807", Some(i64::MAX), "9223372036.854775807"),
            ("9223372036.854775808", None, ""),
            ("0.0000000001", None, ""),
            ("-1", None, ""),
            ("+1", None, ""),
            ("1e3", None, ""),
            ("", None, ""),
            (".", None, ""),
            ("1.2.3", None, ""),
        ] {
            let parsed = Usd::parse(text);
            assert_eq!(parsed.map(|usd| usd.0), expected, "{text}");
            assert_eq!(parsed.map(|usd| usd.to_string()).unwrap_or_default(), formatted, "{text}");
        }
        assert_eq!(Usd(-1_500_000_000).to_string(), "-1.5");
    }
}
