//! The cost of counting: requests of a key with limits against those of one without, over the same store.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;
use support::redis::Redis;
use support::{App, Config};

use crate::Options;
use crate::load::{COMPARED, Sample, Traffic};

/// Prices, so that a budget in dollars can be counted.
const PRICES: &str = r#"{"openai/*": {"input": "1.25", "output": "10", "cacheRead": "0.125"}}"#;

/// The comparison of one kind of traffic over one store.
pub(crate) struct Comparison {
    store: &'static str,
    limits: &'static str,
    traffic: &'static Traffic,
    plain: Sample,
    counted: Sample,
}

/// Measures the cost of counting over SQLite and, where it is installed, over Redis.
pub(crate) async fn measure(options: &Options) -> Result<Vec<Comparison>> {
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
    all: &mut Vec<Comparison>,
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
    for (limits, key) in [("a budget", &budget), ("a budget and three rates", &rates)] {
        for traffic in &COMPARED {
            let (mut one, mut other) = (Sample::default(), Sample::default());
            for _ in 0..options.rounds {
                one.add(traffic.send(options, app, &plain, "openai", "gpt-4o").await?);
                other.add(traffic.send(options, app, key, "openai", "gpt-4o").await?);
            }
            let row = Comparison { store, limits, traffic, plain: one, counted: other };
            print(&row);
            all.push(row);
        }
    }
    Ok(())
}

/// Returns the ratios of a counted request: throughput, time, and time to the first byte.
fn ratios(row: &Comparison) -> [f64; 3] {
    let (plain, counted) = (&row.plain, &row.counted);
    [
        counted.throughput() / plain.throughput(),
        counted.total(50) / plain.total(50),
        counted.first_byte(50) / plain.first_byte(50),
    ]
}

#[expect(clippy::print_stdout, reason = "the table is the command's output")]
fn print(row: &Comparison) {
    let [throughput, time, first_byte] = ratios(row);
    let Comparison { store, limits, traffic, plain, counted } = row;
    let Traffic { name, connections, .. } = traffic;
    println!(
        "{store}, {limits}: {name} x{connections}: {:.3} ms, counted {:.3} ms; \
         throughput {throughput:.2}, time {time:.2}, first byte {first_byte:.2}",
        plain.total(50),
        counted.total(50),
    );
}

/// Writes the table of the report.
pub(crate) fn write(page: &mut String, all: &[Comparison]) {
    page.push_str("\n## The cost of counting\n\nRequests of a key with limits, as ratios to those of a key without, over the same store. The counters are\nsettled after the response, so the first byte waits for the reservation only. Redis writes to disk once a\nsecond.\n\n| store | limits | traffic | throughput | time | first byte | first byte ms |\n|---|---|---|---|---|---|---|\n");
    for row in all {
        let [throughput, time, first_byte] = ratios(row);
        let Comparison { store, limits, traffic, counted, .. } = row;
        let Traffic { name, connections, .. } = traffic;
        let _ = writeln!(
            page,
            "| {store} | {limits} | {name} ×{connections} | {throughput:.2} | {time:.2} | {first_byte:.2} | {:.3} |",
            counted.first_byte(50)
        );
    }
}
