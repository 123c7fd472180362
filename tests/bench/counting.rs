//! The cost of counting: requests of a key with limits against those of one without, over the same store.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;
use support::redis::Redis;
use support::{App, Config};

use crate::Options;
use crate::compared::{Compared, Way, compare};

/// Prices, so that a budget in dollars can be counted.
const PRICES: &str = r#"{"openai/*": {"input": "1.25", "output": "10", "cacheRead": "0.125"}}"#;

/// The comparison over one store, of a key with limits.
pub(crate) struct Counted {
    store: &'static str,
    limits: &'static str,
    rows: Vec<Compared>,
}

/// Measures the cost of counting over SQLite and, where it is installed, over Redis.
pub(crate) async fn measure(options: &Options) -> Result<Vec<Counted>> {
    let mut all = Vec::new();
    let sqlite = App::start(Config::default().with("prices", PRICES)).await?;
    measure_store(options, "SQLite", &sqlite, &mut all).await?;
    if let Some(redis) = Redis::start_relaxed() {
        let app = App::start(redis.config().with("prices", PRICES)).await?;
        measure_store(options, "Redis", &app, &mut all).await?;
    }
    Ok(all)
}

async fn measure_store(
    options: &Options,
    store: &'static str,
    app: &App,
    all: &mut Vec<Counted>,
) -> Result<()> {
    let budget = json!({"unit": "usd", "amount": "1000000000", "window": "month"});
    let most = 1_000_000_000;
    let rates = json!({
        "requestsPerMinute": most, "tokensPerMinute": most, "parallelRequests": most,
        "budgets": [budget],
    });
    let plain = app.key("bench").await?;
    let budget = app.limited_key("bench", json!({"budgets": [budget]})).await?.0;
    let rates = app.limited_key("bench", rates).await?.0;
    let way = |key| Way { app, key, route: "openai", model: "gpt-4o" };
    for (limits, key) in [("a budget", &budget), ("a budget and three rates", &rates)] {
        let name = format!("{store}, {limits}");
        let rows = compare(options, &name, [way(&plain), way(key)]).await?;
        all.push(Counted { store, limits, rows });
    }
    Ok(())
}

/// Writes the table of the report.
pub(crate) fn write(page: &mut String, all: &[Counted]) {
    page.push_str("\n## The cost of counting\n\nRequests of a key with limits, as ratios to those of a key without, over the same store. The counters are\nsettled after the response, so the first byte waits for the reservation only. Redis writes to disk once a\nsecond.\n\n| store | limits | traffic | throughput | time | first byte | first byte ms |\n|---|---|---|---|---|---|---|\n");
    for Counted { store, limits, rows } in all {
        for row in rows {
            let [throughput, time, first_byte] = row.ratios();
            let title = row.title();
            let _ = writeln!(
                page,
                "| {store} | {limits} | {title} | {throughput:.2} | {time:.2} | {first_byte:.2} | {:.3} |",
                row.second.first_byte(50)
            );
        }
    }
}
