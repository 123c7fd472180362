//! What models cost, by the operator's setting.

use crate::Error;
use crate::http::json::Members;
use crate::keys::scope::matches;
use crate::limits::amount::Usd;
use crate::usage::Usage;

/// The setting that holds the prices.
pub const SETTING: &str = "prices";

/// Tokens that a price is for.
const PER_TOKENS: i128 = 1_000_000;

/// Prices by patterns of `provider/model`.
#[derive(Clone, Debug, Default)]
pub struct Prices(Vec<(String, Price)>);

/// The price of a million tokens, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    input: Usd,
    output: Usd,
    cache_read: Usd,
    cache_write: Usd,
}

impl Prices {
    /// Parses the setting: a JSON object that maps patterns to prices, or nothing.
    ///
    /// # Errors
    /// [`Error::Configuration`] that names the pattern at fault.
    pub fn parse(json: &str) -> Result<Self, Error> {
        if json.trim().is_empty() {
            return Ok(Self::default());
        }
        let Ok(Members(members)) = serde_json::from_str(json) else {
            return Err(wrong("must be a JSON object"));
        };
        let price = |(pattern, value): (
            std::borrow::Cow<'_, str>,
            &serde_json::value::RawValue,
        )| {
            let rule = "must be like {\"input\":\"1.25\",\"output\":\"10\"}, in dollars per million tokens";
            match Price::parse(value.get()) {
                Some(price) => Ok((pattern.into_owned(), price)),
                None => Err(wrong(&format!("`{pattern}` {rule}"))),
            }
        };
        members.into_iter().map(price).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(pattern, _)| pattern.as_str())
    }

    /// Returns the price of a model that `provider` knows by any of `names`. The longest pattern wins.
    pub fn of(&self, provider: &str, names: &[&str]) -> Option<Price> {
        let names: Vec<String> = names.iter().map(|name| format!("{provider}/{name}")).collect();
        self.of_whole(&names)
    }

    /// Returns the price of a model with any of these names, which include the provider's.
    pub fn of_whole(&self, names: &[String]) -> Option<Price> {
        let fits =
            |(pattern, _): &&(String, Price)| names.iter().any(|name| matches(pattern, name));
        let found = self.0.iter().filter(fits).max_by_key(|(pattern, _)| pattern.len());
        found.map(|(_, price)| *price)
    }
}

impl Price {
    /// Parses a price. Cached tokens cost what others do, if it names no price for them.
    fn parse(json: &str) -> Option<Self> {
        let members: Members<'_> = serde_json::from_str(json).ok()?;
        let is_known = |name: &str| ["input", "output", "cacheRead", "cacheWrite"].contains(&name);
        if !members.0.iter().all(|(name, _)| is_known(name)) {
            return None;
        }
        let amount = |name: &str| {
            let raw = members.get(name)?.get();
            Some(Usd::parse(raw.trim_matches('"')))
        };
        let input = amount("input")??;
        Some(Self {
            input,
            output: amount("output").unwrap_or(Some(Usd(0)))?,
            cache_read: amount("cacheRead").unwrap_or(Some(input))?,
            cache_write: amount("cacheWrite").unwrap_or(Some(input))?,
        })
    }

    /// Returns what `usage` costs, rounded up to a nano-dollar.
    pub fn cost(&self, usage: &Usage) -> Usd {
        let plain = usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
        let parts = [
            (plain.max(0), self.input),
            (usage.cached, self.cache_read),
            (usage.cache_write, self.cache_write),
            (usage.output, self.output),
        ];
        let sum: i128 =
            parts.iter().map(|(tokens, price)| i128::from(*tokens) * i128::from(price.0)).sum();
        Usd(i64::try_from((sum + PER_TOKENS - 1) / PER_TOKENS).unwrap_or(i64::MAX))
    }
}

fn wrong(why: &str) -> Error {
    Error::Configuration(format!("{SETTING} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_takes_the_longest_pattern() {
        let prices = Prices::parse(
            r#"{"openai/*":{"input":"1"},"openai/gpt-5*":{"input":2},"openai/gpt-5-mini":{"input":"3"},"*":{"input":"4"}}"#,
        )
        .unwrap();
        for (provider, names, expected) in [
            ("openai", &["gpt-4o"][..], 1),
            ("openai", &["gpt-5.6-sol"], 2),
            ("openai", &["gpt-5-mini"], 3),
            ("openai", &["other", "gpt-5-mini"], 3),
            ("azure", &["gpt-5-mini"], 4),
        ] {
            let price = prices.of(provider, names).unwrap();
            assert_eq!(price.input, Usd(expected * 1_000_000_000), "{provider} {names:?}");
        }
        assert!(Prices::default().of("openai", &["gpt-4o"]).is_none());
    }

    #[test]
    fn cost_has_a_price_for_each_kind() {
        let json = r#"{"*":{"input":"1.25","output":"10","cacheRead":"0.125","cacheWrite":"1.5"}}"#;
        let price = Prices::parse(json).unwrap().of("a", &["b"]).unwrap();
        let usage = Usage { input: 100, output: 10, cached: 40, cache_write: 20, reasoning: 5 };
        // 40 × 1.25 + 40 × 0.125 + 20 × 1.5 + 10 × 10 = 185 dollars per million.
        assert_eq!(price.cost(&usage), Usd(185_000));
        assert_eq!(price.cost(&Usage { input: 1, ..Usage::default() }), Usd(1250));
        let odd = Prices::parse(r#"{"*":{"input":"0.0001"}}"#).unwrap().of("a", &["b"]).unwrap();
        assert_eq!(odd.cost(&Usage { input: 1, ..Usage::default() }), Usd(1), "rounded up");
        let much = Usage { output: i64::MAX, ..Usage::default() };
        assert_eq!(price.cost(&much), Usd(i64::MAX));
    }

    #[test]
    fn parse_of_a_wrong_setting_names_the_pattern() {
        for (json, expected) in [
            ("[]", "prices must be a JSON object"),
            (r#"{"a/b":{"output":"1"}}"#, "`a/b`"),
            (r#"{"a/b":{"input":"x"}}"#, "`a/b`"),
            (r#"{"a/b":{"input":"1","cachRead":"1"}}"#, "`a/b`"),
            (r#"{"a/b":{"input":"1","output":"-1"}}"#, "`a/b`"),
            (r#"{"a/b":7}"#, "`a/b`"),
        ] {
            let error = Prices::parse(json).unwrap_err();
            assert!(error.to_string().contains(expected), "{json}: {error}");
        }
    }
}
